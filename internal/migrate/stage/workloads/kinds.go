package workloads

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// rolled plans a Deployment, StatefulSet or DaemonSet, whose controller replaces the pods of a changed template: one rollout,
// without a restart annotation. Where something holds the rollout up, it is said what to do.
func (p *planner) rolled(w model.Workload, edits []model.FieldEdit) {
	c := p.change(w.Object, w.Manager, orderWorkloads, edits)
	c.Summary = "Let the pods of " + w.Object.String() + " take their secrets from Secrets instead of the CSI driver: one rollout"
	c.Needs = append(c.Needs, "Every earlier rollout of it is complete: one at a time can be watched and undone")
	c.Risk = risk(w)
	saved, undo := c.Undo, append([]string{"kubectl", "rollout", "undo"}, target(w.Object.Ref)...)
	c.Undo = strings.Join(undo, " ") + " brings the template of before back, while the CSI driver is there; or: " + saved
	c.Command = append(append([]string{"kubectl", "rollout", "status"}, target(w.Object.Ref)...), "--timeout=10m")
	switch {
	case text(w.Object.Content, "spec", "updateStrategy", "type") == "OnDelete":
		c.Command = nil // the command refuses to wait for what nobody rolls
		p.say(codeOnDelete, w.Object, "", "Its update strategy is OnDelete: its pods keep the CSI volume until each is deleted.")
		p.add(c, false)
		p.replace(w, "its update strategy is OnDelete")
		return
	case isPaused(w):
		c.Command, c.Undo = nil, saved // a paused one can be neither waited for nor undone
		p.say(codePaused, w.Object, "", "It is paused: its pods keep the CSI volume until it is resumed, by `%s`.",
			strings.Join(append([]string{"kubectl", "rollout", "resume"}, target(w.Object.Ref)...), " "))
	case partition(w) > 0:
		p.say(codePartition, w.Object, "", "Its update strategy has the partition %d: pods of lower numbers keep the CSI volume.",
			partition(w))
	}
	p.add(c, false)
}

// risk says what a rollout puts at stake.
func risk(w model.Workload) string {
	content := w.Object.Content
	replicas, known := model.Path{"spec", "replicas"}.Get(content)
	switch {
	case text(content, "spec", "strategy", "type") == "Recreate":
		return "Its strategy is Recreate: all pods end before the first new one starts, an outage as long as they take to start."
	case w.Object.Kind == "StatefulSet" && (!known || replicas == int64(1)):
		return "It has one pod, which ends before the new one starts: an outage as long as that takes."
	default:
		return "If the new pods do not become ready the rollout stays where it is, and the old pods serve on: stop there, undo it. " +
			"A rollout heeds its own strategy, not PodDisruptionBudgets."
	}
}

// isPaused tells whether a Deployment's rollouts are held.
func isPaused(w model.Workload) bool {
	paused, _ := model.Path{"spec", "paused"}.Get(w.Object.Content)
	return paused == true
}

// partition is the number below which a StatefulSet's pods are not replaced.
func partition(w model.Workload) int64 {
	value, _ := model.Path{"spec", "updateStrategy", "rollingUpdate", "partition"}.Get(w.Object.Content)
	switch n := value.(type) {
	case int64:
		return n
	case float64:
		return int64(n)
	default:
		return 0
	}
}

// unrolled plans a ReplicaSet or ReplicationController that nothing owns.
func (p *planner) unrolled(w model.Workload, edits []model.FieldEdit) {
	c := p.change(w.Object, w.Manager, orderWorkloads, edits)
	c.Summary = "Let the next pods of " + w.Object.String() + " take their secrets from Secrets instead of the CSI driver"
	c.Risk = "Nothing happens to running pods, so nothing shows whether the new template works: delete one pod first."
	p.say(codeUnrolled, w.Object, "", "A %s does not replace its pods when its template changes: they keep the CSI volume.",
		w.Object.Kind)
	p.add(c, false)
	p.replace(w, "a "+w.Object.Kind+" does not replace its pods")
}

// replace adds the step by which a person replaces pods that nothing replaces.
func (p *planner) replace(w model.Workload, why string) {
	command := []string{"kubectl", "get", "pods", "--selector", selector(w)}
	if selector(w) == "" {
		command = []string{"kubectl", "get", "pods"}
	}
	var gone *model.Gate
	for _, volume := range w.Volumes {
		gone = cmp.Or(gone, &model.Gate{Kind: model.GateUnmounted})
		gone.Objects = append(gone.Objects, model.Ref{Kind: "SecretProviderClass", Namespace: w.Object.Namespace, Name: volume.Class})
	}
	p.add(model.Change{
		Gate:  gone,
		Order: orderReplaced, Verb: model.Run, Object: w.Object.Ref, Place: w.Object.Place,
		Command: append(command, namespace(w.Object.Ref)...),
		Summary: "Replace the pods of " + w.Object.String() + " one by one: list them, delete one, wait for the new one, go on",
		Needs:   []string{"The template was changed by the step before"},
		Risk: "A deletion asks no PodDisruptionBudget: count what is ready yourself before each one, or evict pods " +
			"(kubectl drain with a selector), which does ask.",
		Undo:   "Take the template back, and delete the new pods in the same way.",
		ByHand: "it is for a person to say when each pod may go: " + why,
	}, false)
}

// selector is a workload's label selector as kubectl takes it, empty if it says more than labels.
func selector(w model.Workload) string {
	value, _ := model.Path{"spec", "selector"}.Get(w.Object.Content)
	labels, _ := value.(map[string]any)
	if labels["matchExpressions"] != nil {
		return ""
	}
	if match, isMap := labels["matchLabels"].(map[string]any); isMap {
		labels = match
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if value, isText := labels[name].(string); isText {
			pairs = append(pairs, name+"="+value)
		}
	}
	return strings.Join(pairs, ",")
}

// cronJob plans a CronJob: the Jobs to come are changed.
func (p *planner) cronJob(w model.Workload, edits []model.FieldEdit) {
	c := p.change(w.Object, w.Manager, orderWorkloads, edits)
	c.Summary = "Let the next Jobs of " + w.Object.String() + " take their secrets from Secrets instead of the CSI driver"
	trial := []string{"kubectl", "create", "job", shortened(w.Object.Name, "-trial"), "--from=cronjob/" + w.Object.Name}
	c.Risk = "Nothing shows whether the new template works before the next Job runs. One can be made at once: " +
		strings.Join(append(trial, namespace(w.Object.Ref)...), " ")
	c.Undo = "Jobs made meanwhile keep what they were made of. " + c.Undo
	when := "A Job that runs now finishes with its CSI volume; the next one has none."
	if suspended, _ := (model.Path{"spec", "suspend"}).Get(w.Object.Content); suspended == true {
		when = "It is suspended: its template is changed all the same, for the day when it is resumed."
	}
	p.say(codeCronJob, w.Object, "", "%s", when)
	p.add(c, false)
}

// static says of a pod that a file on a node makes that it cannot be served.
func (p *planner) static(w model.Workload) {
	if len(w.Volumes) > 0 {
		p.say(codeStatic, w.Object, "", "The pod is made by a file on node %s; such a pod may not use a Secret.",
			text(w.Object.Content, "spec", "nodeName"))
	}
}
