package write

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/jsonpatch"
	"secretstore/internal/migrate/yamledit"
)

// inline edits a patch that a kustomization holds as text: that text is a file of its own, edited like any other, and put back
// into the block that it stands in. Lines that stay keep their bytes there, and so do the block's indentation and chomping.
func (e *editor) inline(c model.Change) error {
	outer, err := e.open(c.Place.File)
	if err != nil {
		return err
	}
	if err := editText(outer, c); err != nil {
		e.refuse(c, fmt.Errorf("%s: the patch stands within the kustomization, at %s: %w", c.Place, c.Place.Inside, err))
	}
	return nil
}

// editText makes the edits of a change in a text within a document.
func editText(outer *yamledit.File, c model.Change) error {
	documents := outer.Documents()
	if c.Place.Document >= len(documents) {
		return fmt.Errorf("there is no document %d", c.Place.Document)
	}
	document, at := documents[c.Place.Document], pathOf(c.Place.Inside)
	whole, err := document.Value()
	if err != nil {
		return err
	}
	found, _ := at.Get(whole)
	text, isText := found.(string)
	if !isText {
		return errors.New("no text is there")
	}
	if document.Folded(at...) {
		return errors.New("its block is folded (>), so that its lines are not those of the patch: write it as a literal block (|)")
	}
	changed, err := editInner(text, c)
	if err != nil {
		return err
	}
	return outer.Apply(c.Place.Document, []yamledit.Edit{{Op: yamledit.Replace, Path: at, Value: changed}})
}

// editInner returns a patch's text with the edits of a change made, and as many line ends behind it as before.
func editInner(text string, c model.Change) (string, error) {
	inner, err := yamledit.Parse(c.Place.Inside, []byte(text))
	if err != nil {
		return "", err
	}
	if n := len(inner.Documents()); n != 1 {
		return "", fmt.Errorf("it holds %d documents: put them into files of their own", n)
	}
	if err := inner.Apply(0, edits(c)); err != nil {
		return "", err
	}
	changed := string(inner.Bytes())
	ends := text[len(strings.TrimRight(text, "\n")):]
	if trimmed := strings.TrimRight(changed, "\n") + ends; means(trimmed, changed) {
		return trimmed, nil
	}
	return changed, nil
}

// means tells whether two texts of one document say the same.
func means(a, b string) bool {
	var values [2]any
	for i, text := range []string{a, b} {
		f, err := yamledit.Parse("", []byte(text))
		if err != nil || len(f.Documents()) != 1 {
			return false
		}
		if values[i], err = f.Documents()[0].Value(); err != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

// pathOf is the path of a JSON pointer; what looks like a place in a list is one.
func pathOf(pointer string) model.Path {
	var path model.Path
	for _, step := range jsonpatch.Steps(pointer) {
		if i, err := strconv.Atoi(step); err == nil {
			path = append(path, i)
		} else {
			path = append(path, step)
		}
	}
	return path
}

// isUnlisting tells the change that takes an entry out of a kustomization's patches, by which those behind it move up.
func isUnlisting(c model.Change) bool {
	return c.Verb == model.Edit && c.Place.Inside == "" && len(c.Edits) == 1 && c.Edits[0].Op == model.OpRemove &&
		len(c.Edits[0].Path) == 2 && slices.Contains([]any{"patches", "patchesJson6902"}, c.Edits[0].Path[0])
}

// unlist takes entries out of kustomizations, the last of each first, so that those before keep their numbers.
func (e *editor) unlist(changes []model.Change) error {
	slices.SortStableFunc(changes, func(a, b model.Change) int {
		i, _ := a.Edits[0].Path[1].(int)
		j, _ := b.Edits[0].Path[1].(int)
		return cmp.Compare(j, i)
	})
	for _, c := range changes {
		if err := e.change(c); err != nil {
			return err
		}
	}
	return nil
}
