package translate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"secretstore/internal/migrate/model"
	"secretstore/internal/spcparams"
)

// histories makes room for the version that the old provider gave in excess: of objectVersionHistory n it wrote n + 1 files.
func (p *planner) histories(w *work) {
	if p.edited(w) || since(p.survey.Installed.ProviderVersion, 1, 8, 3) {
		return
	}
	for i, old := range w.class.Params.Objects {
		if old.History <= 1 || !w.mayReadLast(old) {
			continue
		}
		n := p.askHistory(w, old)
		if n == old.History {
			continue
		}
		text, ok := setHistory(w.objects, old, n)
		if !ok {
			p.tell(w, codeHistoryByHand, "The objectVersionHistory of %s has to be %d instead of %d, and its line in `objects` could not "+
				"be found.", old.Base(), n, old.History)
			continue
		}
		w.objects = text
		w.params.Objects[i].History = n
	}
}

// edited tells whether an earlier run has changed the class in place, so that its histories have grown already: a SecretSync
// names it, or it has a clientID, with which the credentials that its volumes name would have made no sense.
func (p *planner) edited(w *work) bool {
	if w.newClass != w.ref().Name {
		return false
	}
	return p.isRead(w.class.Object) || w.credentials && w.class.Parameters[paramClient] != ""
}

// mayReadLast tells whether anybody could miss `<base>/n`.
func (w *work) mayReadLast(o spcparams.Object) bool {
	last := o.Base() + "/" + strconv.Itoa(o.History)
	if w.wholly || slices.Contains(w.paths, last) || slices.Contains(w.paths, o.Base()) {
		return true
	}
	return slices.ContainsFunc(w.class.SecretObjects, func(s model.SecretObject) bool {
		return slices.ContainsFunc(s.Data, func(k model.SecretKey) bool { return k.ObjectName == last })
	})
}

// askHistory is how many versions of an object are wanted.
func (p *planner) askHistory(w *work, o spcparams.Object) int {
	most := min(o.History+1, spcparams.MaxHistory)
	p.tell(w, codeHistory, "The object %s has objectVersionHistory %d, of which the Azure provider up to v1.8.2 writes %d files, "+
		"%s/0 to %s/%d.", o.Base(), o.History, o.History+1, o.Base(), o.Base(), o.History)
	answer, _ := p.ask(w, codeHistory, o.Base(), model.Decision{
		Question: fmt.Sprintf("How many versions of %s shall be kept?", o.Base()),
		Options: []model.Option{
			{Answer: strconv.Itoa(most), Means: "As many as the old provider gave; the vault must hold that many enabled versions."},
			{
				Answer: strconv.Itoa(o.History),
				Means:  fmt.Sprintf("As many as the class says; the file %s/%d is gone.", o.Base(), o.History),
			},
		},
		Free: true, Proposal: strconv.Itoa(most),
	}, "")
	if n, err := strconv.Atoi(answer); err == nil && n > 1 && n <= most {
		return n
	}
	p.tell(w, codeAnswer, "The answer %q for the versions of %s is no number from 2 to %d.", answer, o.Base(), most)
	return most
}

// setHistory gives an object of `objects` another objectVersionHistory and changes nothing else of the text; it tells whether
// that could be done. The number is changed where reading the text again shows that it was the object's.
func setHistory(text string, o spcparams.Object, n int) (string, bool) {
	wanted, _, mistakes := spcparams.ParseObjects(text) // those in other objects are no matter here
	i := slices.Index(wanted, o)
	if i < 0 {
		return text, false
	}
	wanted[i].History = n
	number := regexp.MustCompile(`objectVersionHistory["']?\s*:\s*(?:[&!]\S+\s+)?\\?["']?([0-9]+)`)
	for _, at := range number.FindAllStringSubmatchIndex(text, -1) {
		if text[at[2]:at[3]] != strconv.Itoa(o.History) {
			continue
		}
		changed := text[:at[2]] + strconv.Itoa(n) + text[at[3]:]
		objects, _, err := spcparams.ParseObjects(changed)
		if slices.Equal(objects, wanted) && len(spcparams.Errors(err)) == len(spcparams.Errors(mistakes)) {
			return changed, true
		}
	}
	return text, false
}
