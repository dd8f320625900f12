package translate

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"secretstore/internal/migrate/model"
	"secretstore/internal/secretdata"
)

// shared is the answer that one Secret serves two classes. It is no name that a Secret could have.
const shared = "(shared)"

// A claim is a Secret that a class makes.
type claim struct {
	w *work
	s *sync
	// place is that among all claims.
	place int
}

// nameSecrets settles the names of all classes and of all Secrets that readers know by name, before any name is made up.
func (p *planner) nameSecrets(works []*work) {
	var claims []claim
	for _, w := range works {
		if w.stopped {
			continue
		}
		for _, entry := range w.class.SecretObjects {
			w.syncs = append(w.syncs, sync{entry: p.normal(w, entry), Sync: model.Sync{Old: entry.Name, New: entry.Name}})
		}
		for i := range w.syncs {
			claims = append(claims, claim{w, &w.syncs[i], len(claims)})
		}
	}
	for i, c := range claims {
		p.nameSecret(c, rivals(claims, i))
	}
	for _, c := range claims {
		if _, made := p.taken[c.w.key(c.s.Old)]; c.s.shared && !made {
			p.tell(c.w, codeAnswer, "The Secret %s is answered to be shared, and no other class makes it under that name.", c.s.Old)
		}
	}
	for _, w := range works {
		if !w.stopped {
			p.nameClass(w)
		}
	}
}

// rivals are the other claims to a name, letter case aside. The same class in two environments of a folder is no rival.
func rivals(claims []claim, i int) []claim {
	var found []claim
	mine := claims[i]
	for j, c := range claims {
		twin := c.w.ref() == mine.w.ref() && c.w != mine.w
		if i != j && !twin && c.w.ref().Namespace == mine.w.ref().Namespace && strings.EqualFold(c.s.Old, mine.s.Old) {
			found = append(found, c)
		}
	}
	return found
}

// key is a name within the class's namespace.
func (w *work) key(name string) string { return w.ref().Namespace + "/" + name }

// owner says for whom a name is taken: the same class in another environment takes the same.
func (w *work) owner(role string) string { return w.ref().Name + "/" + role }

// nameSecret settles what a Secret of secretObjects is called.
func (p *planner) nameSecret(c claim, others []claim) {
	code, why := p.dispute(c, others)
	owner := c.w.owner("secret " + c.s.Old)
	if code == "" {
		p.taken[c.w.key(c.s.Old)] = owner
		return
	}
	answer, decided := p.ask(c.w, code, c.s.Old, p.nameQuestion(c, others, code, owner), why)
	if c.s.open = !decided; c.s.open {
		return
	}
	if c.s.shared = code == codeTwoClasses && answer == shared; c.s.shared {
		return
	}
	c.s.New = answer
	keeps := code == codeTwoClasses && answer == c.s.Old && p.unclaimed(c.w, answer, owner)
	if !keeps && !p.usable(c.w, answer, owner) {
		c.s.open = true
		p.tell(c.w, codeAnswer, "The name %q, answered for the Secret %s, is no legal name, or is taken.", answer, c.s.Old)
		return
	}
	p.taken[c.w.key(answer)] = owner
}

// nameQuestion asks for the name of a Secret. Of classes that make one Secret, the first is proposed to keep the name, and
// others to share it where they would put the same into it.
func (p *planner) nameQuestion(c claim, others []claim, code model.Code, owner string) model.Decision {
	d := model.Decision{
		Question: fmt.Sprintf("Which name shall the Secret have that the class %s makes as %s?", c.w.ref().Name, c.s.Old),
		Free:     true, Required: true, Proposal: p.free(c.w, c.s.Old, owner),
	}
	if code == codeTwoClasses {
		d.Options = []model.Option{
			{Answer: c.s.Old, Means: "This class keeps the name; every other needs another one, or shares."},
			{Answer: shared, Means: "The Secret that the other class makes serves the readers of this one too."},
		}
		switch first := others[0]; {
		case c.place < first.place:
			d.Proposal = c.s.Old
		case equal(first, c):
			d.Proposal = shared
		}
	}
	if !slices.ContainsFunc(d.Options, func(o model.Option) bool { return o.Answer == d.Proposal }) {
		d.Options = append(d.Options, model.Option{Answer: d.Proposal, Means: "A name that is free; what reads the Secret is changed."})
	}
	return d
}

// equal tells whether two claims ask for the same bytes under the same keys.
func equal(a, b claim) bool {
	same := a.s.entry.Type == b.s.entry.Type && sameVault(a.w.class, b.w.class) && len(a.s.entry.Data) == len(b.s.entry.Data)
	return same && slices.EqualFunc(a.s.entry.Data, b.s.entry.Data, func(x, y model.SecretKey) bool {
		left, err := a.w.params.Resolve(x.ObjectName)
		right, err2 := b.w.params.Resolve(y.ObjectName)
		return err == nil && err2 == nil && x.Key == y.Key && left.Part == right.Part && left.Version == right.Version &&
			a.w.params.Objects[left.Object] == b.w.params.Objects[right.Object]
	})
}

// dispute tells why a Secret's name cannot simply be kept; the code is empty if it can.
func (p *planner) dispute(c claim, others []claim) (model.Code, string) {
	name, have := c.s.Old, p.synced(c.w, c.s.Old)
	for _, other := range others {
		if other.s.Old == name {
			return codeTwoClasses, fmt.Sprintf("The classes %s and %s both make the Secret %s.", c.w.ref().Name, other.w.ref().Name, name)
		}
	}
	want := cmp.Or(c.s.entry.Type, string(corev1.SecretTypeOpaque))
	switch {
	case len(others) > 0:
		return codeIllegalName, fmt.Sprintf("The names of the Secrets %s and %s differ in letter case only.", name, others[0].s.Old)
	case !legal(name):
		return codeIllegalName, fmt.Sprintf("%q is no name that a Secret may have.", name)
	case p.foreign(c.w, have, name):
		return codeForeign, fmt.Sprintf("A Secret %s exists that the CSI driver did not make.", name)
	case have.Immutable:
		return codeImmutable, fmt.Sprintf("The Secret %s is immutable: no new value could be written to it.", name)
	case have.Exists && have.Type != "" && have.Type != want:
		return codeImmutable, fmt.Sprintf("The Secret %s has type %s, and the class asks for %s, which cannot be changed.", name,
			have.Type, want)
	}
	return "", ""
}

// foreign tells whether a name is that of a Secret which neither the driver nor an earlier run made.
func (p *planner) foreign(w *work, have model.SyncedSecret, name string) bool {
	if o, found := p.find(w, kindSync, name); found && classOf(o) != w.newClass {
		return true
	}
	if have.Exists {
		return !have.Managed && !handedOver(have)
	}
	return !p.claimed(w, name) && p.occupied(w, name)
}

// synced is what is known of a Secret of secretObjects.
func (p *planner) synced(w *work, name string) model.SyncedSecret {
	for _, s := range p.survey.Synced {
		if s.Ref.Namespace == w.ref().Namespace && s.Ref.Name == name {
			return s
		}
	}
	return model.SyncedSecret{}
}

// claimed tells whether the survey knows the name as that of a Secret which classes make: it counts among all Secrets then.
func (p *planner) claimed(w *work, name string) bool { return p.synced(w, name).Ref.Name != "" }

// handedOver tells whether a Secret belongs to the SecretSync of its name.
func handedOver(s model.SyncedSecret) bool {
	return slices.ContainsFunc(s.Owners, func(o model.Ref) bool { return o.Kind == kindSync && o.Name == s.Ref.Name })
}

// derive gives a name that is made up, asking where it is taken. what is the role of the name within the class.
func (p *planner) derive(w *work, name, what string) string {
	owner := w.owner(what)
	if p.usable(w, name, owner) {
		p.taken[w.key(name)] = owner
		return name
	}
	proposal := p.free(w, name, owner)
	answer, decided := p.ask(w, codeNameTaken, what, model.Decision{
		Question: fmt.Sprintf("Which name shall the Secret for the %s of class %s have instead of %s?", what, w.ref().Name, name),
		Options:  []model.Option{{Answer: proposal, Means: "A name that is free."}},
		Free:     true, Required: true, Proposal: proposal,
	}, fmt.Sprintf("The name %s, which the %s of class %s would get, is taken or too long.", name, what, w.ref().Name))
	if !decided {
		return name
	}
	if !p.usable(w, answer, owner) {
		p.tell(w, codeAnswer, "The name %q, answered for the %s of class %s, is no legal name, or is taken.", answer, what,
			w.ref().Name)
		return answer
	}
	p.taken[w.key(answer)] = owner
	return answer
}

// usable tells whether a Secret and a SecretSync may be made under a name.
func (p *planner) usable(w *work, name, owner string) bool {
	return legal(name) && p.unclaimed(w, name, owner) && !p.occupied(w, name)
}

// unclaimed tells whether no other part of the plan has a name.
func (p *planner) unclaimed(w *work, name, owner string) bool {
	by, taken := p.taken[w.key(name)]
	return !taken || by == owner
}

// occupied tells whether an object of the cluster or the folder has a name. What an earlier run made for the class does not
// count.
func (p *planner) occupied(w *work, name string) bool {
	if o, found := p.find(w, kindSync, name); found {
		return classOf(o) != w.newClass
	}
	return slices.Contains(p.survey.Secrets[w.ref().Namespace], name)
}

// free is a usable name like the given one.
func (p *planner) free(w *work, name, owner string) string {
	name = legalName(name)
	for n := 1; ; n++ {
		candidate := name
		if n > 1 {
			end := "-" + strconv.Itoa(n)
			candidate = strings.TrimRight(name[:min(len(name), validation.DNS1123SubdomainMaxLength-len(end))], "-.") + end
		}
		if p.usable(w, candidate, owner) && !p.claimed(w, candidate) {
			return candidate
		}
	}
}

// nameClass settles what the class that is read instead is called.
func (p *planner) nameClass(w *work) {
	first := w.ref().Name + suffix
	if w.newClass == w.ref().Name || !p.classTaken(w, first) {
		return
	}
	proposal := first
	for n := 2; p.classTaken(w, proposal); n++ {
		proposal = first + "-" + strconv.Itoa(n)
	}
	answer, decided := p.ask(w, codeClassTaken, "", model.Decision{
		Question: fmt.Sprintf("Which name shall the class have that takes the place of %s?", w.ref().Name),
		Options:  []model.Option{{Answer: proposal, Means: "A name that is free."}},
		Free:     true, Required: true, Proposal: proposal,
	}, fmt.Sprintf("A SecretProviderClass %s exists that has nothing to do with %s, or the name is too long.", first, w.ref().Name))
	if decided && p.classTaken(w, answer) {
		p.tell(w, codeAnswer, "The name %q, answered for the class, is no legal name, or is taken.", answer)
	}
}

// newName is the answer to nameClass's question, or the name that needs none.
func (p *planner) newName(class model.Object) string {
	if !p.zeroDowntime() && p.options.Style != model.StyleAKVSync {
		return class.Name
	}
	id := strings.Join([]string{string(codeClassTaken), class.Namespace, class.Name}, "/")
	return cmp.Or(p.options.Decisions[id], class.Name+suffix)
}

// classTaken tells whether a class has a name that an earlier run did not make.
func (p *planner) classTaken(w *work, name string) bool {
	namespace := w.ref().Namespace
	for _, c := range p.survey.Classes {
		named := c.Object.Namespace == namespace && c.Object.Name == name && !c.Object.Partial
		if named && (len(c.UsedBy) > 0 || !sameVault(c, w.class)) {
			return true
		}
	}
	return !legal(name) || slices.ContainsFunc(p.survey.Others, func(r model.Ref) bool {
		return r.Kind == kindClass && r.Namespace == namespace && r.Name == name
	})
}

// legal tells whether an object may have a name. A variable that is filled in later stands for anything.
func legal(name string) bool {
	return len(validation.IsDNS1123Subdomain(variables().ReplaceAllLiteralString(name, "x"))) == 0
}

// variables matches ${NAME}.
func variables() *regexp.Regexp { return regexp.MustCompile(`\$\{[^{}]*\}`) }

// legalName is a legal name that looks as much as possible like the given one.
func legalName(name string) string {
	changed := outside(name, func(part string) string {
		return strings.Map(func(r rune) rune {
			if r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
				return r
			}
			return '-'
		}, strings.ToLower(part))
	})
	changed = strings.Trim(changed[:min(len(changed), validation.DNS1123SubdomainMaxLength)], "-.")
	if !legal(changed) {
		return "my-secret"
	}
	return changed
}

// outside changes what stands outside of variables.
func outside(text string, change func(string) string) string {
	var b strings.Builder
	rest := 0
	for _, at := range variables().FindAllStringIndex(text, -1) {
		b.WriteString(change(text[rest:at[0]]))
		b.WriteString(text[at[0]:at[1]])
		rest = at[1]
	}
	b.WriteString(change(text[rest:]))
	return b.String()
}

// makeable tells the types of Secret that may be made.
func makeable(kind string) bool { return slices.Contains(secretdata.Types(), corev1.SecretType(kind)) }
