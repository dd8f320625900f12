// Package write carries a plan out: on a folder of manifests, whose files are edited in place with every byte kept that need not
// change, and as files that a person applies.
//
// Promises: all of a plan is worked out in memory before the first byte is written (Folder), so that a file that cannot be edited
// leaves the folder as it was; each file is replaced in one step; and a second run of the same plan writes nothing.
package write

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/yamledit"
)

// Result is what the files of a folder become.
type Result struct {
	// Files maps the files that change, or are new, onto what they will hold. Names have slashes and begin below the folder.
	Files map[string][]byte
	// Findings say which changes cannot be made in place, and why.
	Findings []model.Finding
}

// Names lists the files, sorted.
func (r Result) Names() []string { return slices.Sorted(maps.Keys(r.Files)) }

// Folder works out what the files of a folder become by the changes. Steps of no file's are passed over: commands, checks, and
// what is done to an object that only the cluster has, such as a Secret that the driver made. The error is of reading a file;
// what cannot be edited is a finding.
func Folder(folder fs.FS, changes []model.Change) (Result, error) {
	e := editor{folder: folder, files: map[string]*yamledit.File{}}
	var gone, unlisted []model.Change
	for _, c := range changes {
		switch {
		case c.ByHand != "", c.Verb == model.Edit && c.Place.File == "":
		case isUnlisting(c):
			unlisted = append(unlisted, c)
		case c.Verb == model.Edit, c.Verb == model.Create:
			if err := e.change(c); err != nil {
				return Result{}, err
			}
		case c.Verb == model.Delete:
			gone = append(gone, c)
		}
	}
	if err := errors.Join(e.unlist(unlisted), e.remove(gone)); err != nil {
		return Result{}, err
	}
	return e.result()
}

// editor holds the files that were opened.
type editor struct {
	folder   fs.FS
	files    map[string]*yamledit.File
	findings []model.Finding
}

// open parses a file once.
func (e *editor) open(name string) (*yamledit.File, error) {
	if f := e.files[name]; f != nil {
		return f, nil
	}
	source, err := fs.ReadFile(e.folder, name)
	if err != nil {
		return nil, fmt.Errorf("reading a manifest: %w", err)
	}
	f, err := yamledit.Parse(name, source)
	if err != nil {
		return nil, err
	}
	e.files[name] = f
	return f, nil
}

// change makes one change to the file that it belongs to.
func (e *editor) change(c model.Change) error {
	switch {
	case c.Verb == model.Edit && c.Place.Inside != "":
		return e.inline(c)
	case c.Place.File == "" || c.Place.Inside != "":
		return e.addFile(c)
	}
	f, err := e.open(c.Place.File)
	if err != nil {
		return err
	}
	if c.Verb == model.Create {
		err := f.AppendDocument(c.Content, "")
		if _, ok := errors.AsType[*yamledit.EditError](err); ok {
			return e.addFile(c)
		}
		return err
	}
	if err := f.Apply(c.Place.Document, edits(c)); err != nil {
		e.refuse(c, err)
	}
	return nil
}

// edits are a change's, from the root of the document that holds the object.
func edits(c model.Change) []yamledit.Edit {
	ops := map[model.Op]yamledit.Op{model.OpAdd: yamledit.Add, model.OpReplace: yamledit.Replace, model.OpRemove: yamledit.Remove}
	made := make([]yamledit.Edit, 0, len(c.Edits))
	for _, edit := range c.Edits {
		at := edit.Path
		if c.Place.Item >= 0 {
			at = model.Path{"items", c.Place.Item}.Of(edit.Path...)
		}
		made = append(made, yamledit.Edit{Op: ops[edit.Op], Path: at, Value: edit.Value})
	}
	return made
}

// refuse tells of a change that the file does not let be made.
func (e *editor) refuse(c model.Change, err error) {
	code := model.Code("M701")
	if _, shared := errors.AsType[*yamledit.AliasError](err); shared {
		code = "M702"
	}
	e.findings = append(e.findings, model.Find(code, model.Object{Ref: c.Object, Place: c.Place}, "", "%v", err))
}

// addFile puts a new object into a file of its own, beside the one that could not take it. If there is such a file, it is
// added to that.
func (e *editor) addFile(c model.Change) error {
	name := path.Join(path.Dir(cmp.Or(c.Place.File, ".")), FileName(c.Object))
	f, err := e.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = yamledit.Parse(name, nil)
		e.files[name] = f
		e.findings = append(e.findings, model.Find("M703", model.Object{Ref: c.Object, Place: c.Place}, "",
			"%s is written to the new file %s.", c.Object, name))
	}
	if err != nil {
		return err
	}
	if err := f.AppendDocument(c.Content, ""); err != nil {
		return fmt.Errorf("writing %s: %w", c.Object, err)
	}
	return nil
}

// FileName is the name of a file that holds one object: `secretsync-shop.yaml`. What a manifest says is not trusted to be a
// name: nothing in it leads into another folder.
func FileName(r model.Ref) string { return harmless(strings.ToLower(r.Kind)+"-"+r.Name) + ".yaml" }

// harmless replaces what may mean something in a path or to a shell.
func harmless(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
}

// remove takes documents out, the last of each file first, so that those before keep their numbers. What was added at the end
// comes after all of them.
func (e *editor) remove(gone []model.Change) error {
	slices.SortStableFunc(gone, func(a, b model.Change) int { return cmp.Compare(b.Place.Document, a.Place.Document) })
	for _, c := range gone {
		if c.Place.File == "" {
			continue // of no file: an object of the cluster only
		}
		f, err := e.open(c.Place.File)
		if err != nil {
			return err
		}
		if c.Place.Item >= 0 {
			err = f.Apply(c.Place.Document, []yamledit.Edit{{Op: yamledit.Remove, Path: model.Path{"items", c.Place.Item}}})
		} else {
			err = f.RemoveDocument(c.Place.Document)
		}
		if err != nil {
			e.refuse(c, err)
		}
	}
	return nil
}

// result is what changed.
func (e *editor) result() (Result, error) {
	r := Result{Files: map[string][]byte{}, Findings: e.findings}
	for name, f := range e.files {
		before, err := fs.ReadFile(e.folder, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Result{}, fmt.Errorf("reading a manifest: %w", err)
		}
		if after := f.Bytes(); string(after) != string(before) {
			r.Files[name] = after
		}
	}
	return r, nil
}
