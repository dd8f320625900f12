// Package workloads plans what is changed in workloads, so that their pods take from Secrets what they took from CSI volumes of
// Azure Key Vault, and in what else refers to a Secret that gets another name.
//
// It promises that only volumes, their mounts, references to Secrets and Reloader's annotations are changed; that a volume keeps
// its name, so that mounts, paths, subPath and readOnly stay as they are; that a template is changed once, so that pods roll
// once; and that a workload is changed whole or not at all: while one of its classes is undecided or blocked, nothing is done
// to it, and a finding names the class. A workload that is as it should be gives no step.
//
// It fails by findings: whatever cannot be changed, or needs a person, is said of the object itself.
package workloads

import (
	"strings"

	"secretstore/internal/migrate/model"
)

// The order of this stage's steps: what refers to Secrets, then what holds pods, then what replaces pods by hand, then the gate.
const (
	orderReaders   = model.OrderWorkloads
	orderWorkloads = model.OrderWorkloads + 10
	orderCreated   = model.OrderWorkloads + 11
	orderReplaced  = model.OrderWorkloads + 20
	orderGate      = model.OrderWorkloads + 90
)

// Plan returns what is to be done to the workloads and readers of s, whose classes become what ts says.
func Plan(s model.Survey, ts []model.Translation, o model.Options) model.Plan {
	p := &planner{survey: s, translations: ts, options: o, ids: map[string]bool{}}
	for _, r := range s.Readers {
		p.reader(r)
	}
	for _, w := range s.Workloads {
		p.workload(w)
	}
	p.gate()
	p.pace()
	return p.plan
}

// planner is what the parts of this stage work on.
type planner struct {
	survey       model.Survey
	translations []model.Translation
	options      model.Options
	plan         model.Plan
	ids          map[string]bool // of the changes made
}

// workload plans one workload: it says why nothing can be done, or collects what has to be edited and leaves to the kind how.
func (p *planner) workload(w model.Workload) {
	switch {
	case w.Held: // the survey says why
	case w.Static:
		p.static(w)
	case w.Object.Partial:
		p.patch(w)
	case ended(w) && len(w.Volumes) > 0:
		p.say(codeEnded, w.Object, "", "The Job has ended; its pods hold no volume any more. It is left as it is.")
	case p.ready(w):
		edits := p.edits(w)
		if list := edits.list(w.Object.Content); len(list) > 0 {
			planned := len(p.plan.Changes)
			if p.edit(w, list); len(p.plan.Changes) > planned {
				p.remarks(w)
			}
		}
	}
}

// edits collects everything that changes within a workload.
func (p *planner) edits(w model.Workload) edits {
	var e edits
	for _, v := range w.Volumes {
		p.volume(&e, w, v)
	}
	p.references(&e, w.Object, w.Uses)
	p.reloader(&e, w)
	return e
}

// edit plans the edits of a workload in the way that its kind allows.
func (p *planner) edit(w model.Workload, edits []model.FieldEdit) {
	kind := w.Object.Kind
	if w.Unknown {
		kind = ""
	}
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet":
		p.rolled(w, edits)
	case "ReplicaSet", "ReplicationController":
		p.unrolled(w, edits)
	case "CronJob":
		p.cronJob(w, edits)
	case "Job":
		p.job(w, edits)
	case "Pod":
		p.pod(w, edits)
	default:
		p.unknown(w, edits)
	}
}

// say adds a finding.
func (p *planner) say(code model.Code, object model.Object, action, message string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, model.Find(code, object, action, message, args...))
}

// add adds a change and gives it its ID. A patch of a kustomization, and the second document of one name, have the file in it.
func (p *planner) add(c model.Change, partial bool) {
	c.Stage = model.Workloads
	if c.ID == "" {
		words := []string{string(c.Stage), string(c.Verb), c.Object.Kind, c.Object.Namespace, c.Object.Name}
		c.ID = strings.ToLower(strings.Join(words, "/"))
	}
	if partial || p.ids[c.ID] {
		c.ID += "@" + c.Place.String()
	}
	p.ids[c.ID] = true
	p.plan.Changes = append(p.plan.Changes, c)
}

// change is the edit of an object with what all edits have in common.
func (p *planner) change(object model.Object, manager string, order int, edits []model.FieldEdit) model.Change {
	return model.Change{
		Order: order, Verb: model.Edit, Object: object.Ref, Place: object.Place, Edits: edits,
		Needs: needs(object.Namespace, edits), ByHand: p.byHand(object, manager),
		Undo: "Apply the saved copy of the object from the state folder; in a folder take the file back by version control.",
	}
}

// byHand says whose an object is that would be set back if it were changed in the cluster; empty if it may be changed.
func (p *planner) byHand(object model.Object, manager string) string {
	if manager == "" || p.survey.Input.IsFolder() || p.options.ForceLive {
		return ""
	}
	p.say(codeManaged, object, "", "%s deploys %s, and sets back what is changed in the cluster.", manager, object.Ref)
	return manager + " deploys it: change it where " + manager + " takes it from (the patch is written out), or use --force-live"
}

// target names an object as kubectl takes it, with the namespace that it is in: `deployment/web --namespace shop`.
func target(ref model.Ref) []string {
	return append([]string{strings.ToLower(ref.Kind) + "/" + ref.Name}, namespace(ref)...)
}

// namespace is kubectl's flag for an object's namespace, nothing where a folder does not say it.
func namespace(ref model.Ref) []string {
	if ref.Namespace == "" {
		return nil
	}
	return []string{"--namespace", ref.Namespace}
}
