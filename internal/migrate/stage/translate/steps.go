package translate

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/model"
)

// Kinds and versions of what is made.
const (
	classVersion = "secrets-store.csi.x-k8s.io/v1"
	kindClass    = "SecretProviderClass"
	kindSync     = "SecretSync"
	kindAKVSync  = "AKVSync"
	kindSecret   = "Secret"
)

// Places of the steps within the stage.
const (
	orderClass = iota
	orderSync
	orderAdopt // Guide: the driver is gone already
	orderCheck
	orderKeep // ZeroDowntime: before workloads are changed
)

// Places of the steps of the hand-over.
const (
	handOverCheck = iota
	handOverSync
	handOverSecret
)

func syncVersion() string { return v1alpha1.GroupVersion().String() }

// direct makes the class and the SecretSyncs.
func (p *planner) direct(w *work) {
	before := len(p.plan.Changes)
	if w.newClass == w.ref().Name {
		p.editClass(w)
	} else {
		p.put(w, model.OrderTranslate+orderClass, newClass(w),
			"Make the class "+w.newClass+", which reads as the managed identity what "+w.ref().Name+" reads.")
	}
	p.spreadPatches(w)
	var names []string
	for _, s := range p.atOnce(w) {
		names = append(names, s.name)
		p.put(w, model.OrderTranslate+orderSync, syncOf(w, s), "Make the Secret "+s.name+" of what the class "+w.newClass+" gives.")
	}
	p.adopt(w)
	p.checkHealthy(w, names, len(p.plan.Changes) > before)
	p.handOver(w)
}

// editClass changes the class in place.
func (p *planner) editClass(w *work) {
	edits := classEdits(w)
	if len(edits) == 0 {
		return
	}
	c := p.step(w, model.OrderTranslate+orderClass, model.Edit, w.ref())
	c.Edits = edits
	c.Summary = "Edit the class " + w.ref().Name + " for the Secret Store: the managed identity in, other ways to sign in out."
	c.Risk = "A pod that still mounts the class by the old provider signs in by workload identity from now on."
	c.Undo = "Apply the class as it was saved in akv-spe-spc-backup.yaml."
	c.ByHand = p.byHand(w.class.Object)
	p.plan.Changes = append(p.plan.Changes, c)
}

// byHand says who would undo a change made in the cluster, empty if nobody.
func (p *planner) byHand(o model.Object) string {
	who := o.Manager()
	if who == "" || p.survey.Input.IsFolder() || p.options.ForceLive {
		return ""
	}
	return who + " deploys this object and would undo the change: make it where " + who + " reads, or ask for it with --force-live."
}

// step begins a step that concerns an object.
func (p *planner) step(w *work, order int, verb model.Verb, o model.Ref) model.Change {
	id := strings.Join([]string{string(model.Translate), string(verb), o.Kind, o.Namespace, o.Name}, "/")
	c := model.Change{ID: strings.ToLower(id), Stage: model.Translate, Order: order, Verb: verb, Object: o}
	if o.Kind != kindSecret {
		c.Place = w.class.Object.Place
	}
	if o != w.ref() {
		c.For = w.ref()
	}
	return c
}

// put makes an object, or changes the one that an earlier run made, or does nothing if that is as wanted.
func (p *planner) put(w *work, order int, content map[string]any, summary string) {
	ref := refOf(content)
	have, found := p.find(w, ref.Kind, ref.Name)
	if !found {
		c := p.step(w, order, model.Create, ref)
		c.Content, c.Summary = content, summary
		c.Undo = undoCreate(ref)
		p.plan.Changes = append(p.plan.Changes, c)
		return
	}
	wanted := map[string]any{"metadata": content["metadata"], "spec": content["spec"]}
	edits := diff(model.Path{}, wanted, have.Content, func(at model.Path) bool {
		return len(at) > 2 && (at[1] == "parameters" || at[1] == paramObjects || at[2] == "data")
	})
	if len(edits) == 0 {
		return
	}
	c := p.step(w, order, model.Edit, have.Ref)
	c.Edits, c.Place, c.Summary = edits, have.Place, "Bring "+have.String()+" up to date with the plan."
	c.Undo = "Put the values back that the step replaced."
	c.ByHand = p.byHand(have)
	p.plan.Changes = append(p.plan.Changes, c)
}

func undoCreate(ref model.Ref) string {
	undo := "kubectl delete " + strings.ToLower(ref.Kind) + " " + ref.Name
	if ref.Namespace != "" {
		undo += " -n " + ref.Namespace
	}
	if ref.Kind != kindClass {
		undo += " (its Secrets go with it)"
	}
	return undo
}

// refOf is the name of a manifest.
func refOf(content map[string]any) model.Ref {
	text := func(at ...any) string {
		value, _ := model.Path(at).Get(content)
		s, _ := value.(string)
		return s
	}
	return model.Ref{
		APIVersion: text("apiVersion"), Kind: text("kind"), Namespace: text("metadata", "namespace"), Name: text("metadata", "name"),
	}
}

// find is an object of the class's namespace that exists. In a folder that holds the class for several environments, only
// what stands beside this one counts.
func (p *planner) find(w *work, kind, name string) (model.Object, bool) {
	several := 0
	for _, c := range p.survey.Classes {
		if c.Object.Ref == w.ref() {
			several++
		}
	}
	i := slices.IndexFunc(p.survey.Existing, func(o model.Object) bool {
		beside := several < 2 || path.Dir(o.Place.File) == path.Dir(w.class.Object.Place.File)
		return o.Kind == kind && o.Namespace == w.ref().Namespace && o.Name == name && beside && !o.Partial
	})
	if i < 0 {
		return model.Object{}, false
	}
	return p.survey.Existing[i], true
}

// syncOf is the SecretSync that makes a Secret.
func syncOf(w *work, s secret) map[string]any {
	data := make([]any, 0, len(s.items))
	for _, i := range s.items {
		data = append(data, map[string]any{"sourcePath": i.path, "targetKey": i.key})
	}
	made := map[string]any{"type": s.kind, "data": data}
	addTexts(made, "labels", s.labels)
	addTexts(made, "annotations", s.annotations)
	return object(syncVersion(), kindSync, w.ref().Namespace, s.name, map[string]any{
		"serviceAccountName": w.account, "secretProviderClassName": w.newClass, "secretObject": made,
	})
}

// addTexts adds a map of texts to fields unless it is empty.
func addTexts(fields map[string]any, name string, texts map[string]string) {
	if len(texts) == 0 {
		return
	}
	values := map[string]any{}
	for key, value := range texts {
		values[key] = value
	}
	fields[name] = values
}

// checkHealthy is the gate behind what was made. It stays until every SecretSync is seen to be healthy; a folder cannot show it.
func (p *planner) checkHealthy(w *work, names []string, changed bool) {
	seen := p.survey.Input.IsFolder() || !slices.ContainsFunc(names, func(name string) bool {
		o, found := p.find(w, kindSync, name)
		return !found || !healthy(o) || !slices.Contains(p.survey.Secrets[w.ref().Namespace], name)
	})
	if len(names) == 0 || seen && !changed {
		return
	}
	c := p.step(w, model.OrderTranslate+orderCheck, model.Check, model.Ref{
		APIVersion: w.ref().APIVersion, Kind: kindClass, Namespace: w.ref().Namespace, Name: w.newClass,
	})
	c.Command = append([]string{"kubectl", "get", "secretsync"}, names...)
	if w.ref().Namespace != "" {
		c.Command = append(c.Command, "-n", w.ref().Namespace)
	}
	c.Command = append(c.Command, "-o",
		`custom-columns=NAME:.metadata.name,REASON:.status.conditions[?(@.type=="Update")].reason`)
	c.Gate = &model.Gate{Kind: model.GateSynced, Objects: p.syncRefs(w, names), Same: p.pairs(w)}
	c.Summary = "Every SecretSync is healthy (" + strings.Join(names, ", ") + "): its condition Update says " +
		v1alpha1.ReasonUpdateNoValueChangeSucceeded + " or " + v1alpha1.ReasonUpdateValueChangeSucceeded +
		", for which " + v1alpha1.ReasonPartialSync + " is not enough, and its Secret exists." + p.twins(w)
	c.Risk = "A workload that is changed before would not start, or start with missing files."
	c.Undo = "Nothing is changed by looking."
	p.plan.Changes = append(p.plan.Changes, c)
}

// syncRefs refers to SecretSyncs.
func (p *planner) syncRefs(w *work, names []string) []model.Ref {
	refs := make([]model.Ref, 0, len(names))
	for _, name := range names {
		refs = append(refs, model.Ref{APIVersion: syncVersion(), Kind: kindSync, Namespace: w.ref().Namespace, Name: name})
	}
	return refs
}

// pairs are the Secrets of the old way and those of the new that have to hold the same bytes. Where several classes made one,
// only that which keeps its name is compared with it: what the others get was hidden by it, or hid it.
func (p *planner) pairs(w *work) []model.Pair {
	var pairs []model.Pair
	for _, s := range w.syncs {
		have := p.synced(w, s.Old)
		others := s.shared || len(have.Classes) > 1 && s.New != s.Old
		if have.Exists && have.Managed && !others && s.Old != cmp.Or(s.Proof, s.New) {
			pairs = append(pairs, model.Pair{Namespace: w.ref().Namespace, Old: s.Old, New: cmp.Or(s.Proof, s.New), Keys: s.Keys})
		}
	}
	return pairs
}

// twins says which Secrets have to hold the same bytes.
func (p *planner) twins(w *work) string {
	var pairs []string
	for _, pair := range p.pairs(w) {
		pairs = append(pairs, pair.Old+" and "+pair.New)
	}
	if len(pairs) == 0 {
		return ""
	}
	return " By keyed digests these Secrets hold the same bytes: " + strings.Join(pairs, ", ") + "."
}

// healthy is the measure of Microsoft's guide.
func healthy(o model.Object) bool {
	list, _ := model.Path{"status", "conditions"}.Get(o.Content)
	conditions, _ := list.([]any)
	return slices.ContainsFunc(conditions, func(one any) bool {
		condition, _ := one.(map[string]any)
		reason := condition["reason"]
		return condition["type"] == v1alpha1.ConditionUpdate &&
			(reason == v1alpha1.ReasonUpdateNoValueChangeSucceeded || reason == v1alpha1.ReasonUpdateValueChangeSucceeded)
	})
}
