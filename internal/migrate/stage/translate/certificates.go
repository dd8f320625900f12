package translate

import (
	"fmt"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/spcparams"
)

// Answers to the question which objects are certificates; any other is a list of their names.
const (
	answerNone = "none"
	answerAll  = "all"
)

// certificates are the objects beside which the provider wrote certificate and key into files of their own, which have to be made
// again. It did so if it was told to, for secrets that are certificates; which ones are, only the vault knows. So it is asked
// once for each class, and those are proposed whose files something names: a file that cannot be made keeps the SecretSync at
// PartialSync, one that is missing is missed only by who reads it.
func (p *planner) certificates(w *work) []string {
	if !strings.EqualFold(p.survey.Installed.Settings["writeCertAndKeyInSeparateFiles"], "true") {
		return nil
	}
	var candidates, evident []string
	for _, o := range w.params.Objects {
		plain := o.Encoding == spcparams.EncodingBase64 || o.Encoding == spcparams.EncodingHex
		if o.Type != spcparams.TypeSecret || plain {
			continue
		}
		candidates = append(candidates, o.Base())
		if p.namesFile(w, o.Base()+".crt") || p.namesFile(w, o.Base()+".key") {
			evident = append(evident, o.Base())
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	return p.askCertificates(w, candidates, evident)
}

// askCertificates asks which of the candidates are certificates.
func (p *planner) askCertificates(w *work, candidates, evident []string) []string {
	proposal := answerNone
	if len(evident) > 0 {
		proposal = strings.Join(evident, ",")
	}
	p.tell(w, codeSeparate, "The provider writes certificate and key into files of their own, NAME.crt and NAME.key. Of the "+
		"objects %s, those that are certificates have them; files of these are named by something that was read: %s.",
		strings.Join(candidates, ", "), strings.ReplaceAll(proposal, ",", ", "))
	answer, _ := p.ask(w, codeSeparate, "", model.Decision{
		Question: fmt.Sprintf("Which objects of the class %s are certificates whose .crt and .key files are read?", w.ref().Name),
		Options: []model.Option{
			{Answer: answerNone, Means: "Only the files with the whole values are made."},
			{Answer: answerAll, Means: "All have the two files; of one that is no certificate they cannot be made, and its SecretSync " +
				"stays at PartialSync."},
		},
		Free: true, Proposal: proposal,
	}, "")
	switch answer {
	case answerNone:
		return nil
	case answerAll:
		return candidates
	}
	var chosen []string
	for name := range strings.SplitSeq(answer, ",") {
		name = strings.TrimSpace(name)
		if slices.Contains(candidates, name) {
			chosen = append(chosen, name)
			continue
		}
		p.tell(w, codeAnswer, "The answer %q names %q, which is none of the objects %s.", answer, name, strings.Join(candidates, ", "))
	}
	return chosen
}

// namesFile tells whether a file of the class is named: by an entry of secretObjects, or anywhere in a workload that mounts the
// class, be it a subPath, an argument or a variable.
func (p *planner) namesFile(w *work, file string) bool {
	for _, s := range w.class.SecretObjects {
		if slices.ContainsFunc(s.Data, func(k model.SecretKey) bool { return k.ObjectName == file }) {
			return true
		}
	}
	return slices.ContainsFunc(p.survey.Workloads, func(load model.Workload) bool {
		return load.Object.Namespace == w.ref().Namespace && mounts(load, w.ref().Name) && mentions(load.Object.Content, file)
	})
}

// mounts tells whether a workload has a volume of a class.
func mounts(load model.Workload, class string) bool {
	return slices.ContainsFunc(load.Volumes, func(v model.Volume) bool { return v.Class == class })
}

// mentions tells whether a text within value has a file's name, by itself or behind a slash or another sign.
func mentions(value any, file string) bool {
	switch v := value.(type) {
	case string:
		before, _, found := strings.Cut(v, file)
		return found && (before == "" || strings.ContainsAny(before[len(before)-1:], "/=:, \"'"))
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return mentions(item, file) })
	case map[string]any:
		for _, field := range v {
			if mentions(field, file) {
				return true
			}
		}
	}
	return false
}
