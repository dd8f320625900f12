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
	// A base that changes without a patch that counts its volumes would be built wrong.
	w.Held = w.Held || slices.ContainsFunc(t.snapshot.Findings, func(f model.Finding) bool {
		return f.Code == model.JSONPatch && f.Object == w.Object.Ref
	})
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
	answer, decided := t.plan.Ask(t.options, model.Decision{
		ID: model.DecisionID(code, w.Object.Ref), Code: code, Object: w.Object.Ref, Question: question,
		Options: []model.Option{
			{Answer: model.AnswerEdit, Means: "its template is changed like that of a Deployment"},
			{Answer: model.AnswerLeave, Means: "it is not changed: somebody else does it"},
		},
		Proposal: model.AnswerLeave, Required: true,
	}, model.Find(code, w.Object, "", "%s", question))
	w.Held = w.Held || !decided || answer != model.AnswerEdit
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
