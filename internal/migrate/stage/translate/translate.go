// Package translate decides what becomes of each SecretProviderClass: the class that is read instead, the SecretSyncs that hold
// its files and the Secrets that the CSI driver made of it, and the hand-over of those Secrets.
//
// Under ZeroDowntime a class `web` gets a twin `web-sse` and is itself left alone; Secrets are first made beside the old
// ones, compared, and only handed over once no pod mounts the class any more. Under Guide the class is edited in place, as
// Microsoft's guide does.
//
// Promises: the text of `objects` stays as it is, byte for byte, but for version histories that have to grow; every object of
// a class in use is a file, a key of a Secret, or the matter of a finding; a class about which something is undecided or in
// the way gets no step at all, and its Translation is not Ready; and what exists already as wanted gives no step.
//
// It is pure.
package translate

import (
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/spcparams"
)

// Plan decides what becomes of the classes of a survey. The Translations are sorted by class; a class that is not in use has
// none.
func Plan(s model.Survey, ids model.Identities, o model.Options) (model.Plan, []model.Translation) {
	p := newPlanner(s, ids, o)
	var works []*work
	for _, c := range s.Classes {
		if w := p.begin(c); w != nil {
			works = append(works, w)
		}
	}
	p.nameSecrets(works)
	translations := make([]model.Translation, 0, len(works))
	for _, w := range works {
		if !w.stopped {
			p.translate(w)
		}
		translations = append(translations, w.translation())
	}
	p.plan.Changes = model.SortChanges(p.plan.Changes)
	p.plan.Findings = model.SortFindings(p.plan.Findings)
	p.plan.Decisions = uniqueDecisions(p.plan.Decisions)
	return p.plan, translations
}

// uniqueDecisions drops repetitions: a folder may hold one class for each of its environments, and one answer serves them all.
func uniqueDecisions(decisions []model.Decision) []model.Decision {
	slices.SortStableFunc(decisions, func(a, b model.Decision) int { return strings.Compare(a.ID, b.ID) })
	return slices.CompactFunc(decisions, func(a, b model.Decision) bool { return a.ID == b.ID })
}

// A planner collects the plan.
type planner struct {
	survey  model.Survey
	ids     model.Identities
	options model.Options
	plan    model.Plan
	// taken says which class's Secret a new name was given to, by namespace and name.
	taken map[string]string
}

func newPlanner(s model.Survey, ids model.Identities, o model.Options) *planner {
	return &planner{survey: s, ids: ids, options: o, taken: map[string]string{}}
}

func (p *planner) zeroDowntime() bool { return p.options.Strategy != model.Guide }

// work is a class on its way.
type work struct {
	class  model.Class
	params spcparams.Params // as the new class will give them
	// account and clientID are who reads the vault, tenant the identity's.
	account, clientID, tenant string
	newClass                  string
	// mounted says that a container sees the files; wholly that one sees all of them, and paths are the subPaths of others.
	mounted, wholly bool
	paths           []string
	// credentials says that a volume signs in as a service principal.
	credentials bool
	// objects is the new text of the parameter.
	objects string
	files   []file
	syncs   []sync
	// stopped says that nothing more can be said of the class; undecided that something is in the way of its steps, blocked
	// that no decision takes it out of the way.
	stopped, undecided, blocked bool
}

// A file of a mounted volume, and the source path that gives it.
type file struct {
	model.File
	path string
}

// A sync is an entry of secretObjects on its way.
type sync struct {
	model.Sync
	entry model.SecretObject
	// shared says that another class's SecretSync makes the Secret.
	shared bool
	// open says that its name is not decided.
	open bool
}

// A secret is what a SecretSync is to make.
type secret struct {
	name, kind          string
	labels, annotations map[string]string
	items               []item
}

// An item is one key and its source path.
type item struct{ key, path string }

func (w *work) ref() model.Ref { return w.class.Object.Ref }

func (w *work) translation() model.Translation {
	t := model.Translation{Class: w.ref(), NewClass: w.newClass, Ready: !w.stopped && !w.undecided, Blocked: w.blocked}
	for _, f := range w.files {
		t.Files = append(t.Files, f.File)
	}
	for _, s := range w.syncs {
		t.Syncs = append(t.Syncs, s.Sync)
	}
	return t
}

// tell adds a finding about the class.
func (p *planner) tell(w *work, code model.Code, message string, args ...any) {
	f := model.Find(code, w.class.Object, "", message, args...)
	w.blocked = w.blocked || f.Severity == model.Blocking
	w.undecided = w.undecided || w.blocked
	p.plan.Findings = append(p.plan.Findings, f)
}

// ask puts a question about the class, and returns the answer that counts, if there is one. what tells it from other questions
// of its code; open is the finding's message while it is open.
func (p *planner) ask(w *work, code model.Code, what string, d model.Decision, open string) (string, bool) {
	d.Code, d.Object = code, w.ref()
	d.ID = strings.Join([]string{string(code), w.ref().Namespace, w.ref().Name}, "/")
	if what != "" {
		d.ID += "/" + what
	}
	answer, decided := p.plan.Ask(p.options, d, model.Find(code, w.class.Object, "", "%s", open))
	w.undecided = w.undecided || !decided
	return answer, decided
}

// translate plans one class, its names being settled.
func (p *planner) translate(w *work) {
	p.parameters(w)
	p.histories(w)
	p.listFiles(w)
	p.mapSecrets(w)
	p.checkTarget(w)
	p.tellCarried(w)
	p.tellUnread(w)
	p.checkPatches(w)
	if w.undecided {
		return
	}
	if p.options.Style == model.StyleAKVSync {
		reason := p.compound(w)
		if reason == "" {
			return
		}
		p.tell(w, codeNoAKVSync, "An AKVSync cannot express this class: %s. It is translated into a SecretProviderClass and "+
			"SecretSyncs.", reason)
	}
	p.direct(w)
}
