package read

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// FolderOptions say what is read of a folder.
type FolderOptions struct {
	// Digest replaces the values of Secrets. It must not be nil.
	Digest model.Digester
	// Namespaces limit what is read to objects of these, and those whose namespace is not known; empty is all.
	Namespaces []string
	// Selector limits the workloads by their labels, empty is all: the same that Cluster takes.
	Selector string
	// Progress, if not nil, is told after every file what was read and how many files that makes. The caller decides what to
	// show: nothing before two seconds have passed.
	Progress func(text string, done int)
}

// folder reads one folder.
type folder struct {
	fsys     fs.FS
	options  FolderOptions
	files    map[string][]document
	objects  []model.Object
	findings []model.Finding
	broken   []Broken
	skipped  []string
	// clientIDs are those in Secrets, by where these stand: their namespaces are known when all has been read.
	clientIDs map[model.Place]string
}

// Folder reads all manifests below fsys: every *.yaml, *.yml and *.json, and every kustomization. name is how the user calls the
// folder. Kustomizations give their namespaces and tell what is a patch; they are no objects themselves.
//
// Hidden folders and node_modules are passed over, and a finding names them. If a file is no YAML the error is a *BrokenError
// that lists all such files.
func Folder(ctx context.Context, fsys fs.FS, name string, o FolderOptions) (model.Snapshot, error) {
	keep, err := newFilter(o.Namespaces, o.Selector)
	if err != nil {
		return model.Snapshot{}, err
	}
	f := &folder{fsys: fsys, options: o, files: map[string][]document{}, clientIDs: map[model.Place]string{}}
	if err := fs.WalkDir(fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return f.visit(file, entry)
	}); err != nil {
		return model.Snapshot{}, fmt.Errorf("reading the folder %s: %w", name, err)
	}
	if len(f.broken) > 0 {
		return model.Snapshot{}, &BrokenError{Files: f.broken}
	}
	f.collect()
	f.kustomize()
	f.tellSkipped()
	objects := slices.DeleteFunc(f.objects, func(object model.Object) bool { return !keep(object) })
	sortObjects(objects)
	input := model.Input{Folder: name, Namespaces: o.Namespaces, Selector: o.Selector}
	return model.Snapshot{
		Input: input, Objects: objects, ClientIDs: f.principals(), Findings: model.SortFindings(f.findings),
	}, nil
}

// principals maps the Secrets of service principals to their client IDs.
func (f *folder) principals() map[string]string {
	ids := map[string]string{}
	for _, o := range f.objects {
		if id, ok := f.clientIDs[o.Place]; ok {
			ids[o.Namespace+"/"+o.Name] = id
		}
	}
	return ids
}

// visit reads one file of the folder, or says that a folder is passed over.
func (f *folder) visit(file string, entry fs.DirEntry) error {
	base := path.Base(file)
	switch {
	case entry.IsDir():
		if file != "." && (strings.HasPrefix(base, ".") || base == "node_modules") {
			f.skip(file)
			return fs.SkipDir
		}
		return nil
	case !isManifest(base):
		if entry.Type()&fs.ModeSymlink != 0 {
			f.skip(file)
		}
		return nil
	}
	content, err := fs.ReadFile(f.fsys, file)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	f.read(file, content)
	if f.options.Progress != nil {
		f.options.Progress("files", len(f.files))
	}
	return nil
}

// skip remembers a folder that was passed over. That of Git itself goes without saying.
func (f *folder) skip(file string) {
	if path.Base(file) != ".git" {
		f.skipped = append(f.skipped, file)
	}
}

// isManifest tells by its name whether a file may hold manifests.
func isManifest(base string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(path.Ext(base))) || base == "Kustomization"
}

// read parses a file, unless it is a template.
func (f *folder) read(file string, content []byte) {
	if inChart(f.fsys, file) {
		f.findings = append(f.findings, templateFinding(file, string(content))...)
		return
	}
	documents, broken := parse(file, content)
	template := slices.ContainsFunc(documents, func(d document) bool { return d.template })
	switch {
	case template, broken != nil && isTemplate(string(content)):
		f.findings = append(f.findings, templateFinding(file, string(content))...)
	case broken != nil:
		f.broken = append(f.broken, *broken)
	default:
		f.files[file] = documents
	}
}

// tellSkipped says which folders were passed over.
func (f *folder) tellSkipped() {
	if len(f.skipped) > 0 {
		f.findings = append(f.findings, model.Find(model.SkippedFolders, model.Object{}, "", "Not read: %s.",
			strings.Join(f.skipped, ", ")))
	}
}
