package model

import (
	"cmp"
	"slices"
)

// Outcome is what becomes of an object that was found. Each has exactly one.
type Outcome string

// The outcomes.
const (
	// Translated is done, or will be by the plan: nobody has to decide anything.
	Translated Outcome = "translated"
	// NeedsDecision waits for the operator.
	NeedsDecision Outcome = "needs-decision"
	// Blocked cannot be taken over as it stands.
	Blocked Outcome = "blocked"
	// NotInUse is an object that no workload needs, or that belongs to another provider: it stays as it is.
	NotInUse Outcome = "not-in-use"
)

// Accounted is an object with its outcome.
type Accounted struct {
	Ref
	Place   Place   `json:"place,omitzero"`
	Outcome Outcome `json:"outcome"`
	// Findings are the codes of what was said about it, sorted.
	Findings []Code `json:"findings"`
}

// Counts are the sums over all objects.
type Counts struct {
	Total         int `json:"total"`
	Translated    int `json:"translated"`
	NeedsDecision int `json:"needsDecision"`
	Blocked       int `json:"blocked"`
	NotInUse      int `json:"notInUse"`
	// Kinds has the same sums for each kind.
	Kinds map[string]Counts `json:"kinds,omitempty"`
}

// Report is everything that a run has to say.
type Report struct {
	Input     Input       `json:"input"`
	Options   Options     `json:"options"`
	Installed Installed   `json:"installed"`
	Objects   []Accounted `json:"objects"`
	Counts    Counts      `json:"counts"`
	Plan
}

// NewReport makes the report of a survey and its plan: every object of the survey with its outcome. An object is blocked, or
// needs a decision, if a finding or an open decision about it says so; otherwise it is not in use if unused says so, and
// translated if not.
func NewReport(s Survey, o Options, p Plan) Report {
	r := Report{Input: s.Input, Options: o, Installed: s.Installed, Objects: []Accounted{}, Plan: Plan{
		Changes:   SortChanges(append([]Change{}, p.Changes...)), // never nil: programs are promised lists
		Decisions: append(append([]Decision{}, s.Decisions...), p.Decisions...),
		Findings:  SortFindings(append(append([]Finding{}, s.Findings...), p.Findings...)),
	}}
	slices.SortFunc(r.Decisions, compareDecisions)
	unused := s.unused()
	for _, object := range s.found() {
		r.Objects = append(r.Objects, Accounted{Ref: object.Ref, Place: object.Place})
	}
	for i, a := range r.Objects {
		r.Objects[i].Outcome, r.Objects[i].Findings = r.outcome(Object{Ref: a.Ref, Place: a.Place}, unused)
	}
	r.secretsFollow(s)
	r = r.halted()
	r.Counts = count(r.Objects)
	return r
}

// secretsFollow gives the Secrets that the driver made the outcome of their classes, where that is graver: nothing takes their
// place before the classes are taken over.
func (r Report) secretsFollow(s Survey) {
	of := map[Ref]Outcome{}
	for _, a := range r.Objects {
		if a.Outcome.rank() > of[a.Ref].rank() {
			of[a.Ref] = a.Outcome
		}
	}
	worst := map[Ref]Outcome{}
	for _, synced := range s.Synced {
		for _, c := range s.Classes {
			ref := c.Object.Ref
			makes := ref.Namespace == synced.Ref.Namespace && slices.Contains(synced.Classes, ref.Name)
			if makes && of[ref].rank() > worst[synced.Ref].rank() {
				worst[synced.Ref] = of[ref]
			}
		}
	}
	for i, a := range r.Objects {
		if worst[a.Ref].rank() > a.Outcome.rank() {
			r.Objects[i].Outcome = worst[a.Ref]
		}
	}
}

// rank orders outcomes by how much they hold up.
func (o Outcome) rank() int { return slices.Index([]Outcome{NeedsDecision, Blocked}, o) }

// outcome is what becomes of one object, and the codes of what was said about it.
func (r Report) outcome(object Object, unused map[Ref]bool) (Outcome, []Code) {
	codes, gravest := []Code{}, Info
	for _, f := range r.Findings {
		if f.Object != object.Ref || !r.isAbout(f, object) {
			continue
		}
		codes = append(codes, f.Code)
		if f.Severity.rank() > gravest.rank() {
			gravest = f.Severity
		}
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	switch {
	case gravest == Blocking:
		return Blocked, codes
	case gravest == Needed || r.isOpen(object.Ref):
		return NeedsDecision, codes
	case unused[object.Ref]:
		return NotInUse, codes
	default:
		return Translated, codes
	}
}

// isAbout tells which of several objects of one name, in a base and its overlays, a finding is about: the one in whose document
// it is. One that is in nobody's document, such as a patch's, is about all of them.
func (r Report) isAbout(f Finding, object Object) bool {
	if samePlace(f.Place, object.Place) {
		return true
	}
	return !slices.ContainsFunc(r.Objects, func(a Accounted) bool { return a.Ref == f.Object && samePlace(f.Place, a.Place) })
}

// samePlace tells whether two places are the same document, if both are known.
func samePlace(a, b Place) bool {
	return a.File == "" || b.File == "" || a.File == b.File && a.Document == b.Document && a.Item == b.Item && a.Inside == b.Inside
}

// isOpen tells whether a decision about the object, without which nothing is done, is open.
func (r Report) isOpen(ref Ref) bool {
	return slices.ContainsFunc(r.Decisions, func(d Decision) bool {
		_, decided := d.Effective()
		return d.Object == ref && !decided
	})
}

// found lists the objects that are accounted for, sorted.
func (s Survey) found() []Object {
	var found []Object
	for _, c := range s.Classes {
		if len(c.UsedBy) > 0 || len(c.Syncs) == 0 { // a class that only a SecretSync reads is what a migration makes
			found = append(found, c.Object)
		}
	}
	for _, w := range s.Workloads {
		found = append(found, w.Object)
	}
	for _, r := range s.Readers {
		found = append(found, r.Object)
	}
	for _, ref := range slices.Concat(s.Others, s.Mounted, s.existingSecrets()) {
		found = append(found, Object{Ref: ref})
	}
	slices.SortStableFunc(found, func(a, b Object) int {
		return cmp.Or(a.Compare(b.Ref), cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line))
	})
	// A Secret may be both, made by the driver and a credential.
	return slices.CompactFunc(found, func(a, b Object) bool { return a.Ref == b.Ref && a.Place == b.Place })
}

// existingSecrets are the Secrets that are there: those that the driver made, and credentials.
func (s Survey) existingSecrets() []Ref {
	var refs []Ref
	for _, synced := range s.Synced {
		if synced.Exists {
			refs = append(refs, synced.Ref)
		}
	}
	for _, c := range s.Credentials {
		if c.Exists {
			refs = append(refs, c.Ref)
		}
	}
	return refs
}

// unused are the objects that nobody needs: classes that no workload mounts and no SecretSync reads, those of other
// providers, and what pods that are gone left behind.
func (s Survey) unused() map[Ref]bool {
	unused := map[Ref]bool{}
	for _, c := range s.Classes {
		unused[c.Object.Ref] = len(c.UsedBy) == 0 && len(c.Syncs) == 0
	}
	for _, ref := range slices.Concat(s.Others, s.Stale) {
		unused[ref] = true
	}
	return unused
}

// count adds the outcomes up.
func count(objects []Accounted) Counts {
	total := Counts{Kinds: map[string]Counts{}}
	for _, object := range objects {
		kind := total.Kinds[object.Kind]
		for _, sum := range []*Counts{&total, &kind} {
			sum.Add(object.Outcome)
		}
		total.Kinds[object.Kind] = kind
	}
	return total
}

// Add counts one more object of an outcome.
func (c *Counts) Add(outcome Outcome) {
	c.Total++
	*c.of(outcome)++
}

// of is the sum that an outcome belongs to.
func (c *Counts) of(outcome Outcome) *int {
	switch outcome {
	case NeedsDecision:
		return &c.NeedsDecision
	case Blocked:
		return &c.Blocked
	case NotInUse:
		return &c.NotInUse
	default:
		return &c.Translated
	}
}

// InTheWay counts the findings that block or need a decision and are about no object of the report: about the cluster, the
// vaults or the order.
func (r Report) InTheWay() int {
	count := 0
	for _, f := range r.Findings {
		about := slices.ContainsFunc(r.Objects, func(a Accounted) bool { return a.Ref == f.Object })
		if f.Severity.rank() >= Needed.rank() && !about {
			count++
		}
	}
	return count
}

// Tell adds findings that were made after the plan, of writing it, and counts again.
func Tell(r Report, findings []Finding) Report {
	if len(findings) == 0 {
		return r
	}
	r.Findings = SortFindings(append(append([]Finding{}, r.Findings...), findings...))
	objects := append([]Accounted{}, r.Objects...)
	for i, a := range objects {
		outcome, codes := r.outcome(Object{Ref: a.Ref, Place: a.Place}, map[Ref]bool{a.Ref: a.Outcome == NotInUse})
		if objects[i].Findings = codes; outcome.rank() > a.Outcome.rank() {
			objects[i].Outcome = outcome
		}
	}
	r.Objects, r.Counts = objects, count(objects)
	return r
}
