package translate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/translate"
)

// azure is a class of the namespace shop, with lines below spec.parameters and objects, each `name` or lines of its own.
func azure(name, parameters string, objects ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: secrets-store.csi.x-k8s.io/v1\nkind: SecretProviderClass\nmetadata: {name: %q, namespace: shop}\n", name)
	b.WriteString("spec:\n  provider: azure\n  parameters:\n    keyvaultName: vault\n    tenantID: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\n")
	for line := range strings.Lines(parameters) {
		b.WriteString("    " + line)
	}
	if parameters != "" {
		b.WriteString("\n")
	}
	b.WriteString("    objects: |\n      array:\n")
	for _, o := range objects {
		if !strings.Contains(o, ":") {
			o = "objectName: " + o
		}
		if !strings.Contains(o, "objectType") {
			o += "\nobjectType: secret"
		}
		b.WriteString("        - |\n")
		for line := range strings.Lines(o) {
			b.WriteString("          " + line)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// secretObject is an entry of secretObjects, its data as `object=key`.
func secretObject(name, kind string, data ...string) string {
	text := fmt.Sprintf("    - secretName: %q\n      type: %q\n      data:\n", name, kind)
	for _, d := range data {
		from, key, _ := strings.Cut(d, "=")
		text += fmt.Sprintf("        - {objectName: %q, key: %q}\n", from, key)
	}
	return text
}

// making is a class with secretObjects.
func making(class string, entries ...string) string {
	return class + "  secretObjects:\n" + strings.Join(entries, "")
}

// driverMade is the survey of a Secret that the CSI driver made.
func driverMade(name string, classes ...string) model.SyncedSecret {
	return model.SyncedSecret{
		Ref:     model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: "shop", Name: name},
		Classes: classes, Exists: true, Managed: true, Type: "Opaque",
	}
}

// files are the translated files as `name=secret/key:mode`.
func files(t model.Translation) []string {
	var list []string
	for _, f := range t.Files {
		text := f.Name + "=" + f.Secret + "/" + f.Key
		if f.Mode != nil {
			text += fmt.Sprintf(":%o", *f.Mode)
		}
		list = append(list, text)
	}
	return list
}

// steps are what changes are made, as `verb kind name`.
func steps(plan model.Plan) []string {
	var list []string
	for _, c := range plan.Changes {
		list = append(list, fmt.Sprintf("%d %s %s %s", c.Order, c.Verb, c.Object.Kind, c.Object.Name))
	}
	return list
}

// paths are the mappings of a SecretSync, as `sourcePath=targetKey`.
func paths(plan model.Plan, name string) []string {
	var list []string
	for _, c := range plan.Changes {
		if c.Object.Kind != "SecretSync" || c.Object.Name != name || c.Verb != model.Create {
			continue
		}
		data, _ := model.Path{"spec", "secretObject", "data"}.Get(c.Content)
		for _, d := range data.([]any) {
			list = append(list, fmt.Sprintf("%s=%s", d.(map[string]any)["sourcePath"], d.(map[string]any)["targetKey"]))
		}
	}
	return list
}

func TestFiles(t *testing.T) {
	cases := map[string]struct {
		reason  string
		class   string
		change  func(*model.Survey, *model.Options)
		files   []string
		sources []string
		codes   []model.Code
	}{
		"Alias": {
			reason:  "an object with an alias is the file of the alias",
			class:   azure("web", "", "objectName: db-password\nobjectAlias: password.txt"),
			files:   []string{"password.txt=web-files/password.txt"},
			sources: []string{"password.txt=password.txt"},
		},
		"Directory": {
			reason:  "a directory in an alias is no key, the volume gives it back",
			class:   azure("web", "", "objectName: db-password\nobjectAlias: db/password"),
			files:   []string{"db/password=web-files/db-password"},
			sources: []string{"db/password=db-password"},
			codes:   []model.Code{"M424"},
		},
		"DirectoryBesideItsKey": {
			reason:  "a safe key that is another file's name is told apart, and the legal name keeps its own",
			class:   azure("web", "", "db-password", "objectName: other\nobjectAlias: db/password"),
			files:   []string{"db-password=web-files/db-password", "db/password=web-files/db-password-4c4bafe6"},
			sources: []string{"db-password=db-password", "db/password=db-password-4c4bafe6"},
			codes:   []model.Code{"M424"},
		},
		"Permission": {
			reason:  "filePermission becomes the item's mode, octal",
			class:   azure("web", "", "objectName: a\nfilePermission: \"0400\"", "objectName: b\nfilePermission: \"4755\"", "c"),
			files:   []string{"a=web-files/a:400", "b=web-files/b:755", "c=web-files/c"},
			sources: []string{"a=a", "b=b", "c=c"},
			codes:   []model.Code{"M425"},
		},
		"History": {
			reason:  "of objectVersionHistory 2 the old provider writes three files, and so is the class changed",
			class:   azure("web", "", "objectName: a\nobjectVersionHistory: 2"),
			files:   []string{"a/0=web-files/a-0", "a/1=web-files/a-1", "a/2=web-files/a-2"},
			sources: []string{"a/0=a-0", "a/1=a-1", "a/2=a-2"},
			codes:   []model.Code{"M410", "M424"},
		},
		"HistoryOfOne": {
			reason:  "objectVersionHistory 1 is one file without a number, in both",
			class:   azure("web", "", "objectName: a\nobjectVersionHistory: 1"),
			files:   []string{"a=web-files/a"},
			sources: []string{"a=a"},
		},
		"HistoryAnswered": {
			reason: "a vault that does not hold so many versions",
			class:  azure("web", "", "objectName: a\nobjectVersionHistory: 2"),
			change: func(_ *model.Survey, o *model.Options) {
				o.Decisions = map[string]string{"M410/shop/web/a": "2"}
			},
			files:   []string{"a/0=web-files/a-0", "a/1=web-files/a-1"},
			sources: []string{"a/0=a-0", "a/1=a-1"},
			codes:   []model.Code{"M410", "M424"},
		},
		"HistoryOfALaterProvider": {
			reason: "a provider that gives n versions needs no more",
			class:  azure("web", "", "objectName: a\nobjectVersionHistory: 2"),
			change: func(s *model.Survey, _ *model.Options) { s.Installed.ProviderVersion = "v1.9.0" },
			files:  []string{"a/0=web-files/a-0", "a/1=web-files/a-1"}, sources: []string{"a/0=a-0", "a/1=a-1"},
			codes: []model.Code{"M424"},
		},
		"HistoryThatNobodyReadsToTheEnd": {
			reason: "where only one file is mounted, the last is not missed",
			class:  azure("web", "", "objectName: a\nobjectVersionHistory: 2"),
			change: func(s *model.Survey, _ *model.Options) {
				s.Workloads, s.Classes[0].UsedBy = nil, nil
				mounts(s, "web", "a/0")
			},
			files: []string{"a/0=web-files/a-0", "a/1=web-files/a-1"}, sources: []string{"a/0=a-0", "a/1=a-1"},
			codes: []model.Code{"M424"},
		},
		"HistoryOfTheLastFile": {
			reason: "where the last file is mounted, it is kept",
			class:  azure("web", "", "objectName: a\nobjectVersionHistory: 2"),
			change: func(s *model.Survey, _ *model.Options) {
				s.Workloads, s.Classes[0].UsedBy = nil, nil
				mounts(s, "web", "a/2")
			},
			files:   []string{"a/0=web-files/a-0", "a/1=web-files/a-1", "a/2=web-files/a-2"},
			sources: []string{"a/0=a-0", "a/1=a-1", "a/2=a-2"},
			codes:   []model.Code{"M410", "M424"},
		},
		"HistoryAnsweredBadly": {
			reason: "an answer that is no number is not guessed at",
			class:  azure("web", "", "objectName: a\nobjectVersionHistory: 2"),
			change: func(_ *model.Survey, o *model.Options) {
				o.Decisions = map[string]string{"M410/shop/web/a": "9"}
			},
			files: []string{"a/0=web-files/a-0", "a/1=web-files/a-1", "a/2=web-files/a-2"},
			codes: []model.Code{"M410", "M423", "M424"},
		},
		"SeparateFiles": {
			reason: "what the provider writes beside a certificate is kept",
			class:  azure("web", "", "tls", "password", "objectName: text\nobjectEncoding: hex", "objectName: pub\nobjectType: cert"),
			change: func(s *model.Survey, _ *model.Options) {
				s.Installed.Settings = map[string]string{"writeCertAndKeyInSeparateFiles": "true"}
				s.Workloads[0].Object.Content = map[string]any{"args": []any{"--cert=/mnt/tls.crt", "--motd=/mnt/my-password.crt"}}
			},
			files: []string{
				"password=web-files/password", "pub=web-files/pub", "text=web-files/text", "tls=web-files/tls", "tls.crt=web-files/tls.crt", "tls.key=web-files/tls.key",
			},
			sources: []string{"password=password", "pub=pub", "text=text", "tls=tls", "tls.crt=tls.crt", "tls.key=tls.key"},
			codes:   []model.Code{"M426", "M433"},
		},
		"SeparateFilesUnnamed": {
			reason: "nothing names a file of one: a plain secret must not keep its SecretSync at PartialSync",
			class:  azure("web", "", "tls"),
			change: func(s *model.Survey, _ *model.Options) {
				s.Installed.Settings = map[string]string{"writeCertAndKeyInSeparateFiles": "true"}
			},
			files:   []string{"tls=web-files/tls"},
			sources: []string{"tls=tls"},
			codes:   []model.Code{"M426"},
		},
		"SeparateFilesByAnswer": {
			reason: "the operator knows which ones are certificates",
			class:  azure("web", "", "tls", "b"),
			change: func(s *model.Survey, o *model.Options) {
				s.Installed.Settings = map[string]string{"writeCertAndKeyInSeparateFiles": "true"}
				o.Decisions = map[string]string{"M426/shop/web": "tls, b"}
			},
			files: []string{
				"b=web-files/b", "b.crt=web-files/b.crt", "b.key=web-files/b.key", "tls=web-files/tls", "tls.crt=web-files/tls.crt",
				"tls.key=web-files/tls.key",
			},
			sources: []string{"b=b", "b.crt=b.crt", "b.key=b.key", "tls=tls", "tls.crt=tls.crt", "tls.key=tls.key"},
			codes:   []model.Code{"M426"},
		},
		"SeparateFilesAnsweredBadly": {
			reason: "a name that is none is not guessed at",
			class:  azure("web", "", "tls"),
			change: func(s *model.Survey, o *model.Options) {
				s.Installed.Settings = map[string]string{"writeCertAndKeyInSeparateFiles": "true"}
				o.Decisions = map[string]string{"M426/shop/web": "yes"}
			},
			files: []string{"tls=web-files/tls"},
			codes: []model.Code{"M423", "M426"},
		},
		"SeparateFilesOff": {
			reason: "where the provider writes none, nothing is asked",
			class:  azure("web", "", "tls"),
			files:  []string{"tls=web-files/tls"}, sources: []string{"tls=tls"},
		},
		"SeparateFilesOfNoCertificate": {
			reason: "the operator knows that it is none",
			class:  azure("web", "", "tls"),
			change: func(s *model.Survey, o *model.Options) {
				s.Installed.Settings = map[string]string{"writeCertAndKeyInSeparateFiles": "true"}
				o.Decisions = map[string]string{"M426/shop/web": "none"}
			},
			files:   []string{"tls=web-files/tls"},
			sources: []string{"tls=tls"},
			codes:   []model.Code{"M426"},
		},
		"Forms": {
			reason: "PFX and encodings are carried, and told",
			class:  azure("web", "", "objectName: a\nobjectFormat: pfx", "objectName: b\nobjectEncoding: base64"),
			files:  []string{"a=web-files/a", "b=web-files/b"}, sources: []string{"a=a", "b=b"},
			codes: []model.Code{"M433"},
		},
		"NoMounts": {
			reason: "a volume without mounts was there to have the Secret made: no file is needed, and unread objects are named",
			class:  azure("web", "", "a"),
			change: func(s *model.Survey, _ *model.Options) { s.Workloads[0].Volumes[0].Mounts = nil },
			codes:  []model.Code{"M434"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, o := mounted(t, tc.class), model.Options{}
			if tc.change != nil {
				tc.change(&s, &o)
			}
			plan, translations := translate.Plan(s, identities(s), o)
			if diff := cmp.Diff(tc.files, files(translations[0])); diff != "" {
				t.Errorf("%s: files (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.sources, paths(plan, "web-files")); diff != "" {
				t.Errorf("%s: source paths (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(append([]model.Code{}, tc.codes...), codes(plan.Findings)); diff != "" {
				t.Errorf("%s: findings (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestCertificatesAreToldOnce: one finding and one question for a class, however many of its objects they are about.
func TestCertificatesAreToldOnce(t *testing.T) {
	s := mounted(t, azure("web", "", "a", "b"))
	s.Installed.Settings = map[string]string{"writeCertAndKeyInSeparateFiles": "true"}
	plan, _ := translate.Plan(s, identities(s), model.Options{})
	var told []string
	for _, f := range plan.Findings {
		told = append(told, f.Message)
	}
	if len(told) != 1 || !strings.Contains(told[0], "a, b") || len(plan.Decisions) != 1 {
		t.Errorf("got %d decisions and the findings %q", len(plan.Decisions), told)
	}
}

func TestSplit(t *testing.T) {
	var objects []string
	for i := range 41 {
		objects = append(objects, fmt.Sprintf("a-%02d", i))
	}
	s := mounted(t, azure("web", "", objects...))
	one, translations := translate.Plan(s, identities(s), model.Options{})
	if got := translations[0].Files[40].Secret; got != "web-files" || !slices.Contains(codes(one.Findings), "M427") {
		t.Errorf("41 files: got %s and %v, want one Secret until the operator decides, and a warning", got, codes(one.Findings))
	}
	two, translations := translate.Plan(s, identities(s), model.Options{Decisions: map[string]string{"M427/shop/web": "yes"}})
	if a, b := len(paths(two, "web-files")), len(paths(two, "web-files-2")); a != 40 || b != 1 {
		t.Errorf("split: got %d and %d files, want 40 and 1", a, b)
	}
	if got := translations[0].Files[40].Secret; got != "web-files-2" {
		t.Errorf("split: the last file is in %s", got)
	}
	s = mounted(t, azure("web", "", objects[:40]...))
	if plan, _ := translate.Plan(s, identities(s), model.Options{}); len(plan.Findings) > 0 {
		t.Errorf("40 files fit: got %v", codes(plan.Findings))
	}
}
