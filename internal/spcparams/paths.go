package spcparams

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Part is which part of an object a source path gives.
type Part int

const (
	// PartWhole is the object: the value of a secret, key and chain of a certificate, the public key of a key.
	PartWhole Part = iota
	// PartChain is every certificate, leaf first, never a key.
	PartChain
	// PartKey is the private key.
	PartKey
)

// Ref is what a source path means.
type Ref struct {
	// Object is an index into [Params.Objects].
	Object int
	// Version counts back from the object's version: 0 is that one (or the latest), 1 the one before.
	Version int
	// Part is what of it is meant.
	Part Part
}

// A spelling is a way to name a part of an object in a source path.
type spelling struct {
	suffix string
	part   Part
}

// spellings lists them in order of precedence: an object that has been given a name such as `web.crt` keeps it, even if the
// object `web` could give that path too. The last two are those of the Azure provider of the CSI driver.
func spellings() []spelling {
	return []spelling{
		{"", PartWhole}, {"/tls.crt", PartChain}, {"/tls.key", PartKey}, {".crt", PartChain}, {".key", PartKey},
	}
}

// gives says whether an object has the paths of a spelling. Whether a secret belongs to a certificate only the vault
// knows, so every secret might.
func (o Object) gives(s spelling) bool {
	switch o.Type {
	case TypeSecret:
		return true
	case TypeCert:
		return s.suffix == "" || s.suffix == "/tls.crt"
	default:
		return s.suffix == ""
	}
}

// Resolve says which part of which version of which object a source path means. The error is an
// [*UnknownSourcePathError]; whether the vault holds that version, and a certificate, is not known here.
func (p Params) Resolve(sourcePath string) (Ref, error) {
	for _, s := range spellings() {
		stem, fits := strings.CutSuffix(sourcePath, s.suffix)
		if !fits {
			continue
		}
		for i, o := range p.Objects {
			if version, found := o.versionOf(stem); found && o.gives(s) {
				return Ref{Object: i, Version: version, Part: s.part}, nil
			}
		}
	}
	return Ref{}, p.unknown(sourcePath)
}

// SourcePaths lists every path that a user may name, sorted. Those of certificates are among them for every secret.
func (p Params) SourcePaths() []string {
	paths := map[string]bool{}
	for _, o := range p.Objects {
		for path := range o.Paths() {
			paths[path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// A Path is a version and a part of one object.
type Path struct {
	// Version counts as in [Ref].
	Version int
	// Part is as in [Ref].
	Part Part
}

// Paths maps every source path that the object may give onto what it gives there, in all spellings.
func (o Object) Paths() map[string]Path {
	paths := map[string]Path{}
	for version, stem := range o.stems() {
		for _, s := range spellings() {
			if o.gives(s) {
				paths[stem+s.suffix] = Path{Version: version, Part: s.part}
			}
		}
	}
	return paths
}

// stems are the paths of the whole object: its base name, or one below it for each version of a history.
func (o Object) stems() []string {
	if o.History <= 1 {
		return []string{o.Base()}
	}
	stems := make([]string, o.History)
	for i := range stems {
		stems[i] = o.Base() + "/" + strconv.Itoa(i)
	}
	return stems
}

// versionOf is the inverse of stems.
func (o Object) versionOf(stem string) (version int, found bool) {
	if o.History <= 1 {
		return 0, stem == o.Base()
	}
	number, below := strings.CutPrefix(stem, o.Base()+"/")
	version, err := strconv.Atoi(number)
	// Only the canonical number counts, not 01 or +1.
	return version, below && err == nil && version >= 0 && version < o.History && strconv.Itoa(version) == number
}

func (p Params) unknown(sourcePath string) error {
	e := &UnknownSourcePathError{SourcePath: sourcePath}
	for _, o := range p.Objects {
		e.Given = append(e.Given, o.stems()...)
	}
	e.Nearest = nearest(sourcePath, p.SourcePaths())
	return e
}

// compared is how many paths are looked at for the one that was meant.
const compared = 1000

// nearest is the candidate with the fewest edits from what was written, if they are few enough to be a slip.
func nearest(written string, candidates []string) string {
	// Whoever writes more than a screen line did not slip; and the comparison's cost grows with the square.
	if len(written) > 2*shown {
		return ""
	}
	best, fewest := "", max(3, len(written)/3)+1
	for _, candidate := range candidates[:min(len(candidates), compared)] {
		if abs(len(candidate)-len(written)) >= fewest {
			continue
		}
		if n := edits(written, candidate); n < fewest {
			best, fewest = candidate, n
		}
	}
	return best
}

// edits is the Levenshtein distance: how many bytes must be changed, put in or taken out to make a into b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func abs(n int) int { return max(n, -n) }
