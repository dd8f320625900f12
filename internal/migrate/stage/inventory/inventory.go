// Package inventory says what a Snapshot means: which classes there are, who uses them and how, which Secrets come of them,
// and what is installed.
//
// It looks at pod templates and at pods. A template is where its kind has it (a CronJob two levels down), or where a search
// finds it in kinds that Kubernetes does not know. From each object it climbs the owner references: what is listed is the
// highest object that holds a template, so that a Deployment is listed, not its ReplicaSets and pods.
//
// Promises: every object that mounts a class, or uses a Secret that a class makes, is in the Survey, itself or by the object on
// top of it; what cannot be judged is a finding or a decision, never left out; the order of the input does not matter.
//
// It is pure and does not fail: objects of impossible shapes are taken for ones that say nothing.
package inventory

import (
	"cmp"
	"slices"

	"secretstore/internal/migrate/model"
)

// Survey takes the inventory of a snapshot. Of the options it reads the answers to its own decisions.
func Survey(s model.Snapshot, o model.Options) model.Survey {
	t := taking{snapshot: s, options: o, objects: newObjects(s.Objects)}
	t.survey = model.Survey{
		Input: s.Input, Azure: s.Azure, Secrets: map[string][]string{}, ServiceAccounts: map[string][]string{},
		Classes: []model.Class{}, Workloads: []model.Workload{},
	}
	t.plan.Findings = slices.Clone(s.Findings)
	t.readClasses()
	t.readSecrets()
	t.readWorkloads()
	t.readReaders()
	t.readCredentials()
	t.readMounted()
	t.judgeClasses()
	t.readInstalled()
	return t.finish()
}

// taking is an inventory in the making. Its steps build on each other in the order in which Survey calls them.
type taking struct {
	snapshot model.Snapshot
	options  model.Options
	objects  *objects
	survey   model.Survey
	// plan gathers findings and decisions.
	plan model.Plan
	// classes and foreign are the places of classes in survey.Classes and survey.Others; synced those of survey.Synced.
	classes, foreign, synced names
	// foreignSecrets are the Secrets that classes of other providers make.
	foreignSecrets names
}

// say adds a finding about an object.
func (t *taking) say(code model.Code, object model.Object, message string, args ...any) {
	t.plan.Findings = append(t.plan.Findings, model.Find(code, object, "", message, args...))
}

// finish sorts what was gathered.
func (t *taking) finish() model.Survey {
	byObject := func(a, b model.Object) int { return compareObjects(a, b) }
	slices.SortStableFunc(t.survey.Classes, func(a, b model.Class) int { return byObject(a.Object, b.Object) })
	slices.SortStableFunc(t.survey.Workloads, func(a, b model.Workload) int { return byObject(a.Object, b.Object) })
	slices.SortStableFunc(t.survey.Readers, func(a, b model.Reader) int { return byObject(a.Object, b.Object) })
	slices.SortFunc(t.survey.Synced, func(a, b model.SyncedSecret) int { return a.Ref.Compare(b.Ref) })
	slices.SortFunc(t.survey.Credentials, func(a, b model.Credential) int { return a.Ref.Compare(b.Ref) })
	slices.SortFunc(t.plan.Decisions, func(a, b model.Decision) int {
		return cmp.Or(a.Object.Compare(b.Object), cmp.Compare(a.ID, b.ID))
	})
	t.survey.Decisions = slices.CompactFunc(t.plan.Decisions, func(a, b model.Decision) bool { return a.ID == b.ID })
	t.survey.Findings = model.SortFindings(t.plan.Findings)
	return t.survey
}

// compareObjects orders objects by reference and place.
func compareObjects(a, b model.Object) int {
	return cmp.Or(a.Compare(b.Ref), cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Document, b.Place.Document),
		cmp.Compare(a.Place.Item, b.Place.Item), cmp.Compare(a.Place.Line, b.Place.Line))
}

// sortedRefs sorts references and drops repetitions.
func sortedRefs(refs []model.Ref) []model.Ref {
	slices.SortFunc(refs, model.Ref.Compare)
	return slices.Compact(refs)
}
