package spcparams_test

import (
	"reflect"
	"strings"
	"testing"

	"secretstore/internal/spcparams"
)

// FuzzParseObjects: whatever the text, either every mistake has a place, a problem and a cure in one line, or the objects
// are such that they can be written and read again, and each of their paths leads to one of them.
func FuzzParseObjects(f *testing.F) {
	f.Add(oneEntry)
	f.Add("array:\n  - |\n    objectName: web\n    objectType: cert\n    objectVersionHistory: 3\n    objectAlias: a/b\n")
	f.Add("array:\n- >-\n  {objectName: a, objectType: key}\n- &x 'objectName: b'\n- *x\n")
	f.Add("array: &a [*a]\n")
	f.Add("array:\n  - |\n    <<: &m {objectName: x, objectType: secret}\n    objectAlias: *m\n")
	f.Add("array:\n\t- |\n")
	f.Add("--- \narray: ['objectName: \"\\x00\"']\n...\n--- x")
	f.Add("array:\n  - |\n    objectName: db\n    objectType: secret\n    objectVersionHistory: 1e3\n    objectVersion: !!binary aGk=\n")
	f.Fuzz(func(t *testing.T, text string) {
		objects, warnings, err := spcparams.ParseObjects(text)
		for _, w := range warnings {
			if strings.ContainsAny(w.String(), "\n\r") {
				t.Errorf("a warning has more than one line: %q", w)
			}
		}
		if err != nil {
			checkErrors(t, err)
			return
		}
		again, more, err := spcparams.ParseObjects(spcparams.FormatObjects(objects))
		if err != nil || len(more) > 0 || !reflect.DeepEqual(objects, again) {
			t.Errorf("written and read again: %v %v\n%+v\n%+v", err, more, objects, again)
		}
		checkPaths(t, spcparams.Params{Objects: objects})
	})
}

func checkErrors(t *testing.T, err error) {
	t.Helper()
	list := spcparams.Errors(err)
	if len(list) == 0 {
		t.Fatalf("an error that is none of ours: %v", err)
	}
	for _, e := range list {
		if e.Path == "" || e.Problem == "" || e.Cure == "" || strings.ContainsAny(e.Error(), "\n\r") {
			t.Errorf("an error without a place, a problem, a cure or in more than one line: %#v", e)
		}
	}
}

func checkPaths(t *testing.T, p spcparams.Params) {
	t.Helper()
	for _, path := range p.SourcePaths() {
		ref, err := p.Resolve(path)
		if err != nil {
			t.Fatalf("%q is listed and not found: %v", path, err)
		}
		if at, given := p.Objects[ref.Object].Paths()[path]; !given || at.Version != ref.Version || at.Part != ref.Part {
			t.Fatalf("%q leads to %+v, which gives %+v there", path, ref, at)
		}
		if strings.Contains(path, "..") || strings.HasPrefix(path, "/") {
			t.Fatalf("%q leaves the directory", path)
		}
	}
}

// FuzzResolve: no path makes it panic, and what it finds is given.
func FuzzResolve(f *testing.F) {
	p := spcparams.Params{Objects: []spcparams.Object{
		db(), {Name: "t", Type: spcparams.TypeSecret, History: 3}, {Name: "c", Type: spcparams.TypeCert, Alias: "db.crt"},
	}}
	f.Add("db/tls.crt")
	f.Add("t/2.key")
	f.Add("t/00")
	f.Fuzz(func(t *testing.T, path string) {
		ref, err := p.Resolve(path)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 600 {
				t.Errorf("the message is too long or not in one line: %q", err)
			}
			return
		}
		if _, given := p.Objects[ref.Object].Paths()[path]; !given {
			t.Errorf("%q leads to %+v, which does not give it", path, ref)
		}
	})
}
