package translate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"secretstore/internal/migrate/model"
	"secretstore/internal/spcparams"
)

// filesSuffix is what the SecretSync of a class's files is called by.
const filesSuffix = "-files"

// many is how many values of Key Vault's largest size, 25 KiB, are sure to fit into one Secret, whose limit is 1 MiB.
const many = 40

// listFiles lists what a volume of the class holds, and settles under which key of which Secret each file is found.
func (p *planner) listFiles(w *work) {
	if !w.mounted {
		return
	}
	certificates := p.certificates(w)
	for _, o := range w.params.Objects {
		mode := p.mode(w, o)
		for _, name := range stems(o) {
			w.files = append(w.files, file{model.File{Name: name, Mode: mode}, name})
		}
		if slices.Contains(certificates, o.Base()) {
			for _, name := range stems(o) {
				w.files = append(w.files, file{model.File{Name: name + ".crt", Mode: mode}, name + ".crt"},
					file{model.File{Name: name + ".key", Mode: mode}, name + ".key"})
			}
		}
	}
	slices.SortStableFunc(w.files, func(a, b file) int { return cmp.Compare(a.Name, b.Name) })
	w.files = slices.CompactFunc(w.files, func(a, b file) bool { return a.Name == b.Name })
	p.nameKeys(w)
	p.placeFiles(w)
}

// stems are the files of the whole object.
func stems(o spcparams.Object) []string {
	if o.History <= 1 {
		return []string{o.Base()}
	}
	names := make([]string, o.History)
	for i := range names {
		names[i] = o.Base() + "/" + strconv.Itoa(i)
	}
	return names
}

// mode is a file's, nil for the volume's default.
func (p *planner) mode(w *work, o spcparams.Object) *int32 {
	if o.FilePermission == "" {
		return nil
	}
	bits, err := strconv.ParseUint(o.FilePermission, 8, 12)
	const most = 0o777
	if err != nil || bits > most {
		p.tell(w, codeMode, "The filePermission %s of %s has bits that a file of a Secret cannot have; only its last nine count.",
			o.FilePermission, o.Base())
	}
	mode := int32(bits & most)
	return &mode
}

// nameKeys gives each file a key: its own name where that is legal.
func (p *planner) nameKeys(w *work) {
	names := make([]string, len(w.files))
	for i, f := range w.files {
		names[i] = f.Name
	}
	made := keys(names, p.legalKey)
	var changed []string
	for i := range w.files {
		f := &w.files[i]
		if f.Key = made[f.Name]; f.Key != f.Name {
			changed = append(changed, f.Name+" as "+f.Key)
		}
	}
	if len(changed) > 0 {
		p.tell(w, codeKey, "Names of files that are no keys of a Secret get others, and keep their names in the volume: %s.",
			strings.Join(changed, ", "))
	}
}

// legalKey tells whether the target takes a key.
func (p *planner) legalKey(key string) bool {
	masked := variables().ReplaceAllLiteralString(key, "x")
	return len(validation.IsConfigMapKey(masked)) == 0 && (p.options.Target != model.TargetSSE || sseTakes(masked))
}

// keys gives each name a key of its own, which depends on no other name unless two would get the same.
func keys(names []string, legal func(string) bool) map[string]string {
	made := map[string]string{}
	uses := map[string]int{}
	for _, name := range names {
		made[name] = name
		if !legal(name) {
			made[name] = safe(name, false)
		}
		if !legal(made[name]) {
			made[name] = safe(name, true)
		}
		uses[made[name]]++
	}
	for _, name := range names {
		key := made[name]
		if key == name || uses[key] == 1 && legal(key) {
			continue
		}
		sum := sha256.Sum256([]byte(name))
		end := "-" + hex.EncodeToString(sum[:4])
		made[name] = strings.TrimRight(key[:min(len(key), validation.DNS1123SubdomainMaxLength-len(end))], "-") + end
	}
	return made
}

// safe replaces what a key may not have; strictly, everything but letters, digits and hyphens.
func safe(name string, strictly bool) string {
	changed := outside(name, func(part string) string {
		return strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || !strictly && (r == '.' || r == '_') {
				return r
			}
			return '-'
		}, part)
	})
	return cmp.Or(strings.TrimLeft(changed, ".-"), "file")
}

// placeFiles settles which Secrets the files lie in: one, or several where one might be too small.
func (p *planner) placeFiles(w *work) {
	size := len(w.files)
	if size > many && p.split(w) {
		size = many
	}
	for i := 0; i < len(w.files); i += max(1, size) {
		what, name := "files", w.ref().Name+filesSuffix
		if i > 0 {
			end := "-" + strconv.Itoa(i/size+1)
			what, name = what+end, name+end
		}
		secret := p.derive(w, name, what)
		for j := i; j < min(i+size, len(w.files)); j++ {
			w.files[j].Secret = secret
		}
	}
}

// split asks whether the files shall lie in several Secrets.
func (p *planner) split(w *work) bool {
	p.tell(w, codeSize, "The class has %d files of up to 25 KiB each, and a Secret holds 1 MiB.", len(w.files))
	answer, _ := p.ask(w, codeSize, "", model.Decision{
		Question: fmt.Sprintf("Shall the %d files of the class %s lie in several Secrets?", len(w.files), w.ref().Name),
		Options: []model.Option{
			{Answer: no, Means: "They lie in one Secret; should it be too small, its SecretSync says so and nothing goes on."},
			{Answer: yes, Means: fmt.Sprintf("Each Secret gets %d files at most, and a projected volume joins them.", many)},
		},
		Proposal: no,
	}, "")
	return answer == yes
}
