package translate

import (
	"slices"
	"strconv"
	"strings"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/model"
)

// handOver gives the Secrets that the CSI driver made to SecretSyncs of their names, once no pod mounts the class any more.
// Their owners are those of the pods that mounted it: when the last of them goes, garbage collection deletes a Secret that
// was not handed over. The SecretSync has to exist first, since the Secret names its UID; until the Secret is its own, the
// controller leaves it alone and says so.
func (p *planner) handOver(w *work) {
	rewrites := p.driverRewrites()
	pending := false
	for _, s := range w.syncs {
		if s.Proof == "" {
			continue
		}
		have := p.synced(w, s.Old)
		if have.Exists && have.Managed {
			pending = true
			p.keep(w, s, have)
			p.compare(w, s, rewrites)
			p.give(w, s, have, model.OrderHandOver+handOverSecret, rewrites)
		}
		p.put(w, model.OrderHandOver+handOverSync, syncOf(w, s.made(s.New)),
			"Make the SecretSync "+s.New+", which the Secret of that name is handed over to in the next step.")
	}
	if pending && rewrites {
		p.tell(w, codeRewrites, "The CSI driver %s rewrites Secrets of the names that it knows every 5 minutes.",
			p.survey.Installed.DriverVersion)
	}
	if p.survey.Input.IsFolder() && p.zeroDowntime() && len(w.syncs) > 0 {
		p.tell(w, codeHandOverLive, "The Secrets that the driver made of the class have to be handed over in the cluster; "+
			"manifests cannot do it.")
	}
}

// adopt hands the Secrets over that were left behind when the driver was uninstalled before anything else, as Guide does.
func (p *planner) adopt(w *work) {
	if p.zeroDowntime() {
		return
	}
	for _, s := range w.syncs {
		if have := p.synced(w, s.Old); !s.shared && s.New == s.Old && have.Exists && have.Managed {
			p.give(w, s, have, model.OrderTranslate+orderAdopt, false)
		}
	}
}

// keep has the new class own a Secret, too, until the hand-over. While workloads are changed its owners go: a pod that
// is made anew, a ReplicaSet of a Deployment that keeps no old ones. With the last of them it would go, under those who read it.
func (p *planner) keep(w *work, s sync, have model.SyncedSecret) {
	c := p.step(w, model.OrderTranslate+orderKeep, model.Edit, have.Ref)
	c.ID += "/kept"
	c.Edits = []model.FieldEdit{{
		Op: model.OpAdd, Path: model.Path{"metadata", "ownerReferences"},
		Value: []any{map[string]any{"apiVersion": classVersion, "kind": kindClass, "name": w.newClass, "uid": model.UIDOfClass}},
	}}
	c.Summary = "Add the class " + w.newClass + " to the owners of the Secret " +
		s.Old + ", so that it stays when those go that it " +
		"has, until it is handed over."
	c.Needs = []string{strings.ToLower("translate/create/secretproviderclass/" + w.ref().Namespace + "/" + w.newClass)}
	c.Undo = "Take that owner reference off, or leave it: the Secret then goes with the class."
	p.plan.Changes = append(p.plan.Changes, c)
}

// compare is the gate before a Secret is handed over.
func (p *planner) compare(w *work, s sync, rewrites bool) {
	c := p.step(w, model.OrderHandOver+handOverCheck, model.Check, model.Ref{
		APIVersion: "v1", Kind: kindSecret, Namespace: w.ref().Namespace, Name: s.Old,
	})
	c.Gate = &model.Gate{
		Kind: model.GateEqual, Objects: []model.Ref{w.ref()},
		Same: []model.Pair{{Namespace: w.ref().Namespace, Old: s.Old, New: s.Proof, Keys: s.Keys}},
	}
	c.Summary = "The Secrets " + s.Old + " and " + s.Proof + " hold the same bytes under the same keys, by keyed digests; no pod " +
		"mounts the class " + w.ref().Name + " any more, so that the driver has stopped writing."
	c.Needs = []string{"every workload that mounts " + w.ref().Name + " is changed"}
	if rewrites {
		c.Needs = append(c.Needs, "the driver has not written the Secret for more than 5 minutes")
	}
	c.Risk = "Bytes that differ would reach every reader of " + s.Old + "."
	c.Undo = "Nothing is changed by looking."
	p.plan.Changes = append(p.plan.Changes, c)
}

// give takes the driver's label and owners off a Secret and makes it the SecretSync's.
func (p *planner) give(w *work, s sync, have model.SyncedSecret, order int, rewrites bool) {
	c := p.step(w, order, model.Edit, have.Ref)
	labels := model.Path{"metadata", "labels"}
	c.Edits = []model.FieldEdit{
		{Op: model.OpRemove, Path: labels.Of(model.ManagedLabel), Was: "true"},
		{Op: model.OpAdd, Path: labels.Of(v1alpha1.SecretLabel), Value: ""},
		// Adding a field that exists replaces it, whatever it holds; the resourceVersion guards the step as a whole.
		{Op: model.OpAdd, Path: model.Path{"metadata", "ownerReferences"}, Value: []any{map[string]any{
			"apiVersion": syncVersion(), "kind": kindSync, "name": s.New, "uid": model.UIDOfSync, "controller": true,
		}}},
	}
	c.Summary = "Hand the Secret " + s.Old + " over to the SecretSync of its name, by one update of the resourceVersion " +
		"that was compared: the driver's label and owners go, the controller's label, its owner reference and its field ownership " +
		"of the data keys come."
	c.Needs = []string{strings.ToLower("translate/create/secretsync/" + w.ref().Namespace + "/" + s.New)}
	c.Risk = "Without it the Secret is deleted when the last of its old owners goes: an old ReplicaSet that is pruned, a Job " +
		"whose time is up."
	if rewrites {
		c.Risk += " A driver of version 1.6.0 or later that still runs may put its label back."
	}
	c.Undo = "Put the owner references and the label " + model.ManagedLabel + "=true back, as saved; while a pod mounts the class " +
		"the driver does it by itself."
	p.plan.Changes = append(p.plan.Changes, c)
}

// driverRewrites tells whether the driver is of version 1.6.0 or later.
func (p *planner) driverRewrites() bool { return since(p.survey.Installed.DriverVersion, 1, 6, 0) }

// since tells whether a version such as v1.6.0 is the given one or later; an unknown one is not.
func since(version string, first ...int) bool {
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "-")
	var numbers []int
	for text := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return false
		}
		numbers = append(numbers, n)
	}
	return slices.Compare(numbers, first) >= 0
}
