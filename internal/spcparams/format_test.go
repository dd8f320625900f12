package spcparams_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"secretstore/internal/spcparams"
)

func TestFormatObjects(t *testing.T) {
	t.Parallel()
	got := spcparams.FormatObjects([]spcparams.Object{
		db(),
		{
			Name: "0123", Type: spcparams.TypeSecret, Alias: "shop: yes # no", Version: "1234e5", History: 3,
			Format: spcparams.FormatPFX, Encoding: spcparams.EncodingBase64, FilePermission: "0644",
		},
	})
	const want = `array:
  - |
    objectName: db
    objectType: secret
  - |
    objectName: "0123"
    objectType: secret
    objectAlias: 'shop: yes # no'
    objectVersion: "1234e5"
    objectVersionHistory: 3
    objectFormat: pfx
    objectEncoding: base64
    filePermission: "0644"
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("The layout is that of Microsoft's pages.\n-want +got:\n%s", diff)
	}
	if got := spcparams.FormatObjects(nil); got != "array: []\n" {
		t.Errorf("no objects are %q", got)
	}
}

// pick is one of several values.
func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// word is a random text of some of the runes.
func word(r *rand.Rand, runes string, most int) string {
	all := []rune(runes)
	var b strings.Builder
	for range 1 + r.IntN(most) {
		b.WriteRune(pick(r, all...))
	}
	return b.String()
}

const nameRunes = "abcXYZ0123456789-e"

// anObject is a random object without mistakes, whose paths no other of another index has.
func anObject(r *rand.Rand, index int) spcparams.Object {
	o := spcparams.Object{
		Name:           pick(r, word(r, nameRunes, 127), "null", "true", "0x10", "1e5", "-", "---", "007"),
		Type:           pick(r, spcparams.TypeSecret, spcparams.TypeKey, spcparams.TypeCert),
		Version:        pick(r, "", word(r, "0123456789abcdef", 32), "12345678901234567890", "1234e5", "0"),
		History:        pick(r, 0, 1, 2, r.IntN(6)),
		FilePermission: pick(r, "", "0644", "400", "7777"),
	}
	name := strings.TrimSpace(word(r, "ab:#&*!|>'\"%@`{}[],?- \u00e9\u4e16\U0001F511", 20))
	o.Alias = strings.TrimSpace(fmt.Sprintf("%s%d", name, index))
	if r.IntN(2) == 0 {
		o.Alias = fmt.Sprintf("dir %d/%s", index, o.Alias)
	}
	if o.Type == spcparams.TypeSecret {
		o.Format = pick(r, "", spcparams.FormatPEM, spcparams.FormatPFX)
		o.Encoding = pick(r, "", spcparams.EncodingUTF8, spcparams.EncodingBase64, spcparams.EncodingHex)
	}
	return o
}

// TestRoundTrip: parsing what was formatted gives what it was made from, whatever looks like YAML in it.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 14))
	for range 2000 {
		objects := make([]spcparams.Object, 1+r.IntN(5))
		for i := range objects {
			objects[i] = anObject(r, i)
		}
		text := spcparams.FormatObjects(objects)
		got, warnings, err := spcparams.ParseObjects(text)
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%v %v\n%s", err, warnings, text)
		}
		if diff := cmp.Diff(objects, got); diff != "" {
			t.Fatalf("-want +got:\n%s\n%s", diff, text)
		}
	}
}

// TestOtherReadersAgree: what is formatted means the same to a reader like the Azure provider's, which decodes YAML into
// strings and a number.
func TestOtherReadersAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(15, 92))
	for range 500 {
		want := anObject(r, 7)
		var outer struct {
			Array []string `yaml:"array"`
		}
		if err := yaml.Unmarshal([]byte(spcparams.FormatObjects([]spcparams.Object{want})), &outer); err != nil {
			t.Fatal(err)
		}
		var o struct {
			Name           string `yaml:"objectName"`
			Type           string `yaml:"objectType"`
			Alias          string `yaml:"objectAlias"`
			Version        string `yaml:"objectVersion"`
			History        int32  `yaml:"objectVersionHistory"`
			Format         string `yaml:"objectFormat"`
			Encoding       string `yaml:"objectEncoding"`
			FilePermission string `yaml:"filePermission"`
		}
		if err := yaml.Unmarshal([]byte(outer.Array[0]), &o); err != nil {
			t.Fatalf("%v\n%s", err, outer.Array[0])
		}
		got := spcparams.Object{
			Name: o.Name, Type: spcparams.ObjectType(o.Type), Alias: o.Alias, Version: o.Version, History: int(o.History),
			Format: spcparams.Format(o.Format), Encoding: spcparams.Encoding(o.Encoding), FilePermission: o.FilePermission,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
}
