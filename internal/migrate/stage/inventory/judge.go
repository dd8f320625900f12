package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// judge says what stands in the way of changing a workload.
func (t *taking) judge(w *model.Workload, f family) {
	_, own := ownSpec(w.Object.Ref)
	w.Unknown = !own
	w.Static = isPod(w.Object.Ref) && isStatic(w.Object, f.above)
	switch {
	case w.Static:
		w.Held = true
		t.say(model.CodeStaticPod, w.Object, "%s is a mirror of a file on the node %s.", w.Object.Ref,
			cmp.Or(text(w.Object.Content, "spec", "nodeName"), f.above.Name))
	case f.above != model.Ref{}:
		t.askOwner(w, f.above)
	case w.Unknown:
		t.askUnknown(w, t.objects.specs[f.top])
	}
	for _, volume := range w.Volumes {
		if !t.classes.has(w.Object.Namespace, volume.Class) {
			t.judgeMissing(w, volume)
		}
	}
}

// isStatic tells the copy that a kubelet makes of a file.
func isStatic(pod model.Object, above model.Ref) bool {
	annotations := fields(pod.Content, "metadata", "annotations")
	_, mirror := annotations["kubernetes.io/config.mirror"]
	source := text(annotations, "kubernetes.io/config.source")
	return mirror || source == "file" || source == "http" || above.Kind == "Node" && above.Group() == ""
}

// askOwner asks what to do about a workload that somebody else's object owns.
func (t *taking) askOwner(w *model.Workload, above model.Ref) {
	why := "which was not read"
	if _, found := t.objects.lookup(above); found {
		why = "which has no pod template that could be found"
	}
	t.askHold(w, model.CodeOwner, fmt.Sprintf("%s is owned by %s, %s: may it be changed by itself?", w.Object.Ref, above, why))
}

// askUnknown asks what to do about a template that was found by search.
func (t *taking) askUnknown(w *model.Workload, specs []model.Path) {
	var paths []string
	for _, at := range specs {
		paths = append(paths, strings.TrimSuffix(at.String(), ".spec"))
	}
	t.askHold(w, model.CodeUnknownKind, fmt.Sprintf("%s (%s) has a pod template at %s: may it be changed there?",
		w.Object.Ref, w.Object.APIVersion, strings.Join(paths, " and ")))
}

// askHold asks whether a workload may be changed, and holds it unless the answer is AnswerEdit.
func (t *taking) askHold(w *model.Workload, code model.Code, question string) {
	answer, _ := t.plan.Ask(t.options, model.Decision{
		ID: model.DecisionID(code, w.Object.Ref), Code: code, Object: w.Object.Ref, Question: question,
		Options: []model.Option{
			{Answer: model.AnswerEdit, Means: "its template is changed like that of a Deployment"},
			{Answer: model.AnswerLeave, Means: "it is not changed: somebody else does it"},
		},
		Proposal: model.AnswerLeave, Required: true,
	}, model.Find(code, w.Object, "", "%s", question))
	w.Held = w.Held || answer != model.AnswerEdit
	t.left(w, model.DecisionID(code, w.Object.Ref))
}

// left reports a workload that the operator left to somebody else.
func (t *taking) left(w *model.Workload, decision string) {
	if t.options.Decisions[decision] == model.AnswerLeave {
		t.say(model.CodeLeft, w.Object, "%s is left as it is, by decision.", w.Object.Ref)
	}
}

// judgeMissing says what is wrong with a volume whose class is not there. In a cluster its pods cannot start; a folder may not
// hold everything.
func (t *taking) judgeMissing(w *model.Workload, volume model.Volume) {
	w.Held = true
	if volume.Class == "" {
		t.say(model.CodeClassMissing, w.Object, "The volume %s of %s names no class: its pods do not start today either.",
			volume.Name, w.Object.Ref)
		return
	}
	if !t.snapshot.Input.IsFolder() {
		t.say(model.CodeClassMissing, w.Object, "The volume %s of %s names the class %s, which does not exist: its pods do not "+
			"start today either.", volume.Name, w.Object.Ref, volume.Class)
		return
	}
	question := fmt.Sprintf("%s mounts the class %s, which no file of the folder holds: is it to stay as it is?",
		w.Object.Ref, volume.Class)
	id := model.DecisionID(model.CodeClassElsewhere, w.Object.Ref, volume.Class)
	t.plan.Ask(t.options, model.Decision{
		ID: id, Code: model.CodeClassElsewhere, Object: w.Object.Ref, Question: question,
		Options:  []model.Option{{Answer: model.AnswerLeave, Means: "it is not changed; read the class with it to change both"}},
		Proposal: model.AnswerLeave, Required: true,
	}, model.Find(model.CodeClassElsewhere, w.Object, "", "%s", question))
	t.left(w, id)
}

// judgeClasses reports classes that nobody mounts, and asks about those that are mounted as different principals.
func (t *taking) judgeClasses() {
	for _, class := range t.survey.Classes {
		if len(class.UsedBy) == 0 && len(class.Syncs) == 0 {
			t.say(model.CodeClassUnused, class.Object, "No workload mounts %s.", class.Object.Ref)
		}
		if principals := t.principals(class); len(principals) > 1 && !class.Object.Partial {
			t.askPrincipal(class, principals)
		}
	}
}

// principals are those that a class is mounted as, and the workloads that do so.
func (t *taking) principals(class model.Class) map[string][]model.Ref {
	found := map[string][]model.Ref{}
	for _, w := range t.survey.Workloads {
		if !slices.Contains(class.UsedBy, w.Object.Ref) {
			continue
		}
		for _, volume := range w.Volumes {
			if volume.Class == class.Object.Name {
				principal := t.principal(w.Object.Namespace, volume.Credential)
				found[principal] = appendOnce(found[principal], w.Object.Ref)
			}
		}
	}
	return found
}

// principal is who a volume signs in as: a client ID, where it is not known the Secret that holds it, or AnswerNoCredential.
func (t *taking) principal(namespace, credential string) string {
	if credential == "" {
		return model.AnswerNoCredential
	}
	for _, c := range t.survey.Credentials {
		if c.Ref.Namespace == namespace && c.Ref.Name == credential && c.ClientID != "" {
			return c.ClientID
		}
	}
	return credential
}

// askPrincipal asks whose place the new identity takes for a class. The one of most workloads is proposed.
func (t *taking) askPrincipal(class model.Class, principals map[string][]model.Ref) {
	d := model.Decision{
		ID: model.DecisionID(model.CodeCredentials, class.Object.Ref), Code: model.CodeCredentials, Object: class.Object.Ref,
		Question: fmt.Sprintf("%s is mounted as %s: whose place does the new identity take?", class.Object.Ref,
			strings.Join(sortedKeys(principals), ", ")),
		Required: true,
	}
	for _, principal := range sortedKeys(principals) {
		users := principals[principal]
		d.Options = append(d.Options, model.Option{
			Answer: principal, Means: "the new identity takes the place of this principal, as which it is mounted by " + joinRefs(users),
		})
		if len(users) > len(principals[d.Proposal]) {
			d.Proposal = principal
		}
	}
	t.plan.Ask(t.options, d, model.Find(model.CodeCredentials, class.Object, "", "%s", d.Question))
}

func joinRefs(refs []model.Ref) string {
	var names []string
	for _, ref := range refs {
		names = append(names, ref.String())
	}
	return strings.Join(names, ", ")
}
