// Package verify plans the proof that a migration worked, what is cleaned up after it, and the way back.
//
// A status is no proof: what the vault gives, what the new Secret holds and what the old one held are compared by keyed digests.
// What is removed is removed only when nothing refers to it any more, rights in Azure last of all, and each such step says how it
// is undone. Whether somebody else uses an old service principal no cluster can tell: that is asked.
//
// It is pure.
package verify

import (
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// This stage's findings.
const (
	codeReaders    model.Code = "M601"
	codeEncryption model.Code = "M602"
	codeClassKept  model.Code = "M603"
	codeCredKept   model.Code = "M604"
	codeCredUsed   model.Code = "M605" // decision: answerKeep or answerDelete
	codePrincipal  model.Code = "M606" // decision: answerKeep, answerRevoke, answerDisable or answerDelete
	codeManaged    model.Code = "M607"
	codeFiles      model.Code = "M608"
)

// syncVersion is the API version of SecretSyncs.
const syncVersion = "secret-sync.x-k8s.io/v1alpha1"

// The answers to this stage's questions, each of which goes further than the one before.
const (
	answerKeep    = "keep"
	answerRevoke  = "revoke"
	answerDisable = "disable"
	answerDelete  = "delete"
)

// Places of the steps of the proof.
const (
	verifyDigests = iota
	verifyReaders
	verifyReady
	verifyReferences
	verifyAccess
)

// Places of the steps of the clean-up.
const (
	cleanProofs = iota
	cleanStatuses
	cleanClasses
	cleanCredentials
	cleanRead
	cleanSave
	cleanRights
	cleanPrincipal
)

// Plan says how the migration of a survey is proved, and what is cleaned up afterwards.
func Plan(s model.Survey, ids model.Identities, ts []model.Translation, o model.Options) model.Plan {
	p := &planner{survey: s, ids: ids, options: o, translations: map[model.Ref]model.Translation{}}
	for _, t := range ts {
		p.translations[t.Class] = t
	}
	p.statuses()
	if len(ts) > 0 {
		p.digests(ts)
		p.readers()
		p.ready()
		p.references()
		p.access(ts)
		p.proofs(ts)
		p.classes(ts)
		p.tell(codeFiles, model.Object{}, "The state folder stays until somebody removes it.")
	}
	p.credentials()
	p.principals()
	p.plan.Changes = model.SortChanges(p.plan.Changes)
	p.plan.Findings = model.SortFindings(p.plan.Findings)
	slices.SortStableFunc(p.plan.Decisions, func(a, b model.Decision) int { return strings.Compare(a.ID, b.ID) })
	return p.plan
}

// A planner collects the plan.
type planner struct {
	survey       model.Survey
	ids          model.Identities
	options      model.Options
	translations map[model.Ref]model.Translation
	plan         model.Plan
}

func (p *planner) tell(code model.Code, about model.Object, message string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, model.Find(code, about, "", message, args...))
}

func (p *planner) add(c model.Change) { p.plan.Changes = append(p.plan.Changes, c) }

// azure finishes a step that is done in Azure.
func (p *planner) azure(c model.Change) {
	if p.options.NoAzure {
		c.ByHand = model.LeftToOthers
	}
	p.add(c)
}

// step begins a step of the proof, or from OrderCleanup on of the clean-up.
func step(order int, verb model.Verb, what ...string) model.Change {
	stage := model.Verify
	if order >= model.OrderCleanup {
		stage = model.Cleanup
	}
	plain := strings.NewReplacer("${", "", "}", "")
	id := strings.ToLower(plain.Replace(strings.Join(append([]string{string(stage), string(verb)}, what...), "/")))
	return model.Change{ID: id, Stage: stage, Order: order, Verb: verb}
}

// about makes a step that concerns an object.
func about(order int, verb model.Verb, ref model.Ref) model.Change {
	c := step(order, verb, ref.Kind, ref.Namespace, ref.Name)
	c.Object = ref
	return c
}

// done tells whether a workload needs nothing of the old way once the plan is carried out.
func (p *planner) done(w model.Workload) bool {
	if w.Held || w.Static {
		return false
	}
	return !slices.ContainsFunc(w.Volumes, func(v model.Volume) bool { return !p.isReady(w.Object.Namespace, v.Class) })
}

// isReady tells whether all is decided about a class.
func (p *planner) isReady(namespace, class string) bool {
	for ref, t := range p.translations {
		if ref.Namespace == namespace && ref.Name == class {
			return t.Ready
		}
	}
	return false
}

// workload finds a workload by its reference.
func (p *planner) workload(ref model.Ref) (model.Workload, bool) {
	at := slices.IndexFunc(p.survey.Workloads, func(w model.Workload) bool { return w.Object.Ref == ref })
	if at < 0 {
		return model.Workload{}, false
	}
	return p.survey.Workloads[at], true
}
