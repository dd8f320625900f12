package spcparams_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/spcparams"
)

func TestSourcePaths(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		objects []spcparams.Object
		want    []string
	}{
		"None": {
			reason: "No object, no path.",
		},
		"Secret": {
			reason:  "Only the vault knows whether a secret is a certificate's, so both spellings of its parts may be named.",
			objects: []spcparams.Object{db()},
			want:    []string{"db", "db.crt", "db.key", "db/tls.crt", "db/tls.key"},
		},
		"Cert": {
			reason:  "A certificate alone is its own chain.",
			objects: []spcparams.Object{{Name: "web", Type: spcparams.TypeCert}},
			want:    []string{"web", "web/tls.crt"},
		},
		"Key": {
			reason:  "A public key has no parts.",
			objects: []spcparams.Object{{Name: "sign", Type: spcparams.TypeKey}},
			want:    []string{"sign"},
		},
		"HistoryOfOne": {
			reason:  "One version has no number.",
			objects: []spcparams.Object{{Name: "sign", Type: spcparams.TypeKey, History: 1}},
			want:    []string{"sign"},
		},
		"History": {
			reason:  "A history of 2 gives exactly 2, and no path without a number.",
			objects: []spcparams.Object{{Name: "db", Type: spcparams.TypeSecret, History: 2}},
			want: []string{
				"db/0", "db/0.crt", "db/0.key", "db/0/tls.crt", "db/0/tls.key",
				"db/1", "db/1.crt", "db/1.key", "db/1/tls.crt", "db/1/tls.key",
			},
		},
		"CertHistory": {
			reason:  "So it is with certificates.",
			objects: []spcparams.Object{{Name: "web", Type: spcparams.TypeCert, Alias: "a/b", History: 2}},
			want:    []string{"a/b/0", "a/b/0/tls.crt", "a/b/1", "a/b/1/tls.crt"},
		},
		"SharedParts": {
			reason: "A path that two objects could give is listed once.",
			objects: []spcparams.Object{
				{Name: "web", Type: spcparams.TypeSecret}, {Name: "web", Type: spcparams.TypeKey, Alias: "web.crt"},
			},
			want: []string{"web", "web.crt", "web.key", "web/tls.crt", "web/tls.key"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := spcparams.Params{Objects: tc.objects}
			got := p.SourcePaths()
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			for _, path := range got {
				if _, err := p.Resolve(path); err != nil {
					t.Errorf("%s is listed and not resolved: %v", path, err)
				}
			}
		})
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	objects := []spcparams.Object{
		{Name: "db", Type: spcparams.TypeSecret},
		{Name: "web", Type: spcparams.TypeSecret, Alias: "tls/web"},
		{Name: "token", Type: spcparams.TypeSecret, History: 11},
		{Name: "web", Type: spcparams.TypeCert, Alias: "tls/web.crt"},
		{Name: "sign", Type: spcparams.TypeKey},
		{Name: "x", Type: spcparams.TypeSecret, Alias: "tls/web/tls"},
	}
	cases := map[string]struct {
		reason string
		path   string
		want   spcparams.Ref
		err    bool
	}{
		"Name":            {reason: "The name.", path: "db"},
		"Alias":           {reason: "The alias stands for the name.", path: "tls/web", want: spcparams.Ref{Object: 1}},
		"NameBehindAlias": {reason: "The name of an object with an alias is none of its paths.", path: "web", err: true},
		"Chain":           {reason: "A part.", path: "db/tls.crt", want: spcparams.Ref{Part: spcparams.PartChain}},
		"Key":             {reason: "The other part.", path: "db/tls.key", want: spcparams.Ref{Part: spcparams.PartKey}},
		"OldChain":        {reason: "The old spelling.", path: "db.crt", want: spcparams.Ref{Part: spcparams.PartChain}},
		"OldKey":          {reason: "Of both.", path: "db.key", want: spcparams.Ref{Part: spcparams.PartKey}},
		"Latest":          {reason: "0 is the latest.", path: "token/0", want: spcparams.Ref{Object: 2}},
		"Oldest": {
			reason: "The number may have two digits.",
			path:   "token/10/tls.key", want: spcparams.Ref{Object: 2, Version: 10, Part: spcparams.PartKey},
		},
		"OldSpellingOfAVersion": {
			reason: "The old spelling comes behind the number.",
			path:   "token/3.crt", want: spcparams.Ref{Object: 2, Version: 3, Part: spcparams.PartChain},
		},
		"NameWins": {
			reason: "A path that an object was given as its name is that object, whatever another could give.",
			path:   "tls/web.crt", want: spcparams.Ref{Object: 3},
		},
		"NewSpellingWins": {
			reason: "Of two parts the one with the newer spelling is meant.",
			path:   "tls/web/tls.crt", want: spcparams.Ref{Object: 1, Part: spcparams.PartChain},
		},
		"BeyondTheHistory":    {reason: "The history ends.", path: "token/11", err: true},
		"HistoryWithoutIndex": {reason: "A history has no path without a number.", path: "token", err: true},
		"LeadingZero":         {reason: "There is one way to write a number.", path: "token/01", err: true},
		"Sign":                {reason: "Without a sign.", path: "token/+1", err: true},
		"NoHistory":           {reason: "One version has no number.", path: "db/0", err: true},
		"PartOfAKey":          {reason: "A public key has no parts.", path: "sign/tls.crt", err: true},
		"OldPartOfACert":      {reason: "The Azure provider splits secrets only.", path: "tls/web.crt.crt", err: true},
		"Case":                {reason: "Paths are exact, though names in the vault are not.", path: "DB", err: true},
		"Empty":               {reason: "Nothing is no path.", path: "", err: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := spcparams.Params{Objects: objects}.Resolve(tc.path)
			if diff := cmp.Diff(tc.want, got); diff != "" || (err != nil) != tc.err {
				t.Errorf("%s\nerror %v\n-want +got:\n%s", tc.reason, err, diff)
			}
			var unknown *spcparams.UnknownSourcePathError
			if tc.err != errors.As(err, &unknown) || tc.err && unknown.SourcePath != tc.path {
				t.Errorf("%s\nthe error is %#v", tc.reason, err)
			}
		})
	}
}

func TestUnknownSourcePath(t *testing.T) {
	t.Parallel()
	many := make([]spcparams.Object, 12)
	for i := range many {
		many[i] = spcparams.Object{Name: fmt.Sprintf("item-%02d", i), Type: spcparams.TypeKey}
	}
	cases := map[string]struct {
		reason  string
		objects []spcparams.Object
		path    string
		want    string
	}{
		"Slip": {
			reason:  "A slip of the pen is answered with what was meant.",
			objects: []spcparams.Object{{Name: "db-password", Type: spcparams.TypeSecret}, {Name: "api", Type: spcparams.TypeKey}},
			path:    "db-pasword",
			want: `source path "db-pasword" is not given by the SecretProviderClass; did you mean "db-password"?; it gives ` +
				`"db-password", "api"`,
		},
		"SlipInAPart": {
			reason:  "Also where it is in a part.",
			objects: []spcparams.Object{{Name: "web", Type: spcparams.TypeSecret, History: 2}},
			path:    "web/1/tls.cert",
			want: `source path "web/1/tls.cert" is not given by the SecretProviderClass; did you mean "web/1/tls.crt"?; it gives ` +
				`"web/0", "web/1"`,
		},
		"ForgottenNumber": {
			reason:  "Whoever adds a history has to add numbers.",
			objects: []spcparams.Object{{Name: "web", Type: spcparams.TypeKey, History: 2}},
			path:    "web",
			want:    `source path "web" is not given by the SecretProviderClass; did you mean "web/0"?; it gives "web/0", "web/1"`,
		},
		"Stranger": {
			reason:  "What resembles nothing gets no guess, and a long list is cut.",
			objects: many,
			path:    "postgres",
			want: `source path "postgres" is not given by the SecretProviderClass; it gives "item-00", "item-01", "item-02", ` +
				`"item-03", "item-04", "item-05", "item-06", "item-07", "item-08", "item-09" and 2 more`,
		},
		"Nothing": {
			reason: "Where nothing is given the message says so.",
			path:   "db",
			want:   `source path "db" is not given by the SecretProviderClass; it gives none`,
		},
		"LineBreak": {
			reason: "No path can break the line of a message.",
			path:   "a\nb",
			want:   `source path "a\nb" is not given by the SecretProviderClass; it gives none`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := spcparams.Params{Objects: tc.objects}.Resolve(tc.path)
			if err == nil || err.Error() != tc.want {
				t.Errorf("%s\nwant %s\ngot  %v", tc.reason, tc.want, err)
			}
		})
	}
}

func TestUnknownSourcePathIsBounded(t *testing.T) {
	t.Parallel()
	objects := make([]spcparams.Object, 2000)
	for i := range objects {
		objects[i] = spcparams.Object{Name: "x", Type: spcparams.TypeSecret, Alias: strings.Repeat("long", 200) + strconv.Itoa(i)}
	}
	_, err := spcparams.Params{Objects: objects}.Resolve(strings.Repeat("z", 10_000))
	if n := len(err.Error()); n > 1500 {
		t.Errorf("the message has %d bytes: it goes into a condition", n)
	}
}

// TestPathsAgreeWithResolve: what an object says that it gives is what is found for it where it is alone.
func TestPathsAgreeWithResolve(t *testing.T) {
	t.Parallel()
	for _, o := range []spcparams.Object{
		db(),
		{Name: "a", Type: spcparams.TypeCert, History: 4},
		{Name: "b", Type: spcparams.TypeKey, Alias: "c/d"},
		{Name: "e", Type: spcparams.TypeSecret, History: spcparams.MaxHistory},
	} {
		p := spcparams.Params{Objects: []spcparams.Object{o}}
		paths := o.Paths()
		var listed []string
		for path, at := range paths {
			listed = append(listed, path)
			ref, err := p.Resolve(path)
			if want := (spcparams.Ref{Version: at.Version, Part: at.Part}); err != nil || ref != want {
				t.Errorf("%s is %+v (%v), want %+v", path, ref, err, want)
			}
		}
		slices.Sort(listed)
		if diff := cmp.Diff(p.SourcePaths(), listed); diff != "" {
			t.Errorf("SourcePaths and Paths differ:\n%s", diff)
		}
	}
}
