package workloads

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// The answers about what cannot be changed while it is there, or may not be changed unasked.
const (
	answerWait     = "wait"
	answerNew      = "new"
	answerRecreate = "recreate"
	answerManifest = "manifest"
	answerEdit     = "edit"
	answerByHand   = "by-hand"
)

// job plans a Job that has not ended. Its template can never be changed.
func (p *planner) job(w model.Workload, edits []model.FieldEdit) {
	how := "runs, or has yet to"
	if suspended, _ := (model.Path{"spec", "suspend"}).Get(w.Object.Content); suspended == true {
		how = "is suspended"
	}
	name := shortened(w.Object.Name, "-sse")
	answer, decided := p.plan.Ask(p.options, model.Decision{
		ID: model.DecisionID(codeJob, w.Object.Ref), Code: codeJob, Object: w.Object.Ref, Required: true, Proposal: answerWait,
		Question: "What becomes of the Job " + w.Object.Name + ", which " + how + "? Its template cannot be changed.",
		Options: []model.Option{
			{Answer: answerWait, Means: "It is left as it is. The CSI driver has to stay until it has ended."},
			{Answer: answerNew, Means: "It is deleted, and a Job called " + name + " does its work from the start. In a folder its " +
				"manifest is changed and gets the new name."},
			{Answer: answerRecreate, Means: "It is deleted and made anew under its own name, and does its work from the start. In a " +
				"folder its manifest is changed, and whoever applies it deletes the old Job first."},
		},
	}, model.Find(codeJob, w.Object, "", "The Job %s, and its template, which has a CSI volume, cannot be changed.", how))
	switch {
	case !decided:
	case answer == answerWait:
		p.say(codeLeft, w.Object, "", "The Job %s and is left to its end, as was decided; its pods need the driver until then.", how)
	case answer == answerNew:
		p.recreated(w, edits, name)
	default:
		p.recreated(w, edits, w.Object.Name)
	}
}

// pod plans a pod that nothing owns. The API server lets nobody change the volumes of a pod.
func (p *planner) pod(w model.Workload, edits []model.FieldEdit) {
	p.say(codePod, w.Object, "", "No controller would make the pod anew, and the volumes of a pod cannot be changed.")
	answer, _ := p.plan.Ask(p.options, model.Decision{
		ID: model.DecisionID(codePod, w.Object.Ref), Code: codePod, Object: w.Object.Ref, Proposal: answerManifest,
		Question: "May the pod " + w.Object.Name + " be deleted and made anew? Nothing else replaces it.",
		Options: []model.Option{
			{Answer: answerManifest, Means: "Its manifest is written out; you delete the pod and apply it when it suits."},
			{Answer: answerRecreate, Means: "It is deleted and made anew at once. In a folder its manifest is changed, as otherwise."},
		},
	}, model.Finding{})
	if answer == answerRecreate {
		p.recreated(w, edits, w.Object.Name)
		return
	}
	c := p.change(w.Object, w.Manager, orderWorkloads, edits)
	c.Content = fresh(w.Object, edits)
	c.Summary = "Write " + w.Object.String() + " with Secrets for its CSI volumes; it counts once the pod is deleted and made anew"
	c.Command = append([]string{"kubectl", "delete", "pod", w.Object.Name}, namespace(w.Object.Ref)...)
	c.Risk = "Between its deletion and its start anew the pod does not serve. A deletion asks no PodDisruptionBudget."
	if c.ByHand == "" && !p.survey.Input.IsFolder() {
		c.ByHand = "a pod's volumes cannot be changed: delete the pod and apply its new manifest, or answer `recreate`"
	}
	p.add(c, false)
}

// recreated deletes an object and makes it anew. In a folder it edits the manifest, which can.
func (p *planner) recreated(w model.Workload, edits []model.FieldEdit, name string) {
	c := p.change(w.Object, w.Manager, orderWorkloads, edits)
	c.Risk = "What it was doing is cut short and begins anew. A deletion asks no PodDisruptionBudget."
	if p.survey.Input.IsFolder() {
		if name != w.Object.Name {
			c.Edits = append(slices.Clone(edits), model.FieldEdit{
				Op: model.OpReplace, Path: model.Path{"metadata", "name"}, Value: name, Was: w.Object.Name,
			})
		}
		c.Summary = "Change the manifest of " + w.Object.String() + ", for the new one that takes its place"
		p.add(c, false)
		return
	}
	gone := c
	gone.Verb, gone.Edits = model.Delete, nil
	gone.Summary = "Delete " + w.Object.String() + ", which cannot be changed, and its pods"
	gone.Undo = "Apply the saved copy of the object from the state folder; it begins anew."
	p.add(gone, false)
	c.Verb, c.Edits, c.Order, c.Content, c.Object.Name = model.Create, nil, orderCreated, fresh(w.Object, edits), name
	if metadata, isMap := c.Content["metadata"].(map[string]any); isMap {
		metadata["name"] = name
	}
	c.Summary = "Make " + c.Object.String() + " with Secrets in the place of CSI volumes"
	c.Needs = append(c.Needs, "The old one is gone")
	c.Undo = "Delete it and apply the saved copy of the old one from the state folder."
	p.add(c, false)
}

// unknown plans an object of a kind that Kubernetes does not have, whose template was found by search.
func (p *planner) unknown(w model.Workload, edits []model.FieldEdit) {
	path := w.PodSpec.String()
	if slices.ContainsFunc(p.survey.Decisions, func(d model.Decision) bool { return d.Object == w.Object.Ref }) {
		p.strange(w, edits, "") // asked already, and not held: it may be edited
		return
	}
	answer, decided := p.plan.Ask(p.options, model.Decision{
		ID: model.DecisionID(codeUnknown, w.Object.Ref), Code: codeUnknown, Object: w.Object.Ref, Required: true, Proposal: answerEdit,
		Question: "May the pod template at " + path + " of " + w.Object.String() + " (" + w.Object.APIVersion + ") be edited?",
		Options: []model.Option{
			{Answer: answerEdit, Means: "The volumes at that path are edited. What its controller makes of that is the controller's."},
			{Answer: answerByHand, Means: "The edits are printed, and you make them."},
		},
	}, model.Find(codeUnknown, w.Object, "", "A pod template that uses classes is at %s of a %s (%s), an unknown kind.",
		path, w.Object.Kind, w.Object.APIVersion))
	if !decided {
		return
	}
	byHand := ""
	if answer == answerByHand {
		byHand = "it was decided that a person edits it"
		p.say(codeLeft, w.Object, "", "It is edited by a person, as was decided; its pods need the CSI driver until then.")
	}
	p.strange(w, edits, byHand)
}

// strange edits an object of an unknown kind, or has a person do it.
func (p *planner) strange(w model.Workload, edits []model.FieldEdit, byHand string) {
	c := p.change(w.Object, w.Manager, orderWorkloads, edits)
	c.Summary = "Let the pods of " + w.Object.String() + " take their secrets from Secrets instead of the CSI driver, at " +
		w.PodSpec.String()
	c.Risk = "Whether its controller replaces pods, and how, is not known here: watch it."
	c.ByHand = cmp.Or(c.ByHand, byHand)
	p.add(c, false)
}

// ended tells whether a workload is a Job that is complete or has failed.
func ended(w model.Workload) bool {
	conditions := entries(w.Object.Content, model.Path{"status", "conditions"})
	return w.Object.Kind == "Job" && slices.ContainsFunc(conditions, func(c any) bool {
		kind := text(c, "type")
		return text(c, "status") == "True" && (kind == "Complete" || kind == "Failed")
	})
}

// shortened adds an ending to the name of a Job, which may have 63 characters.
func shortened(name, ending string) string {
	return strings.TrimRight(name[:min(len(name), 63-len(ending))], "-.") + ending
}
