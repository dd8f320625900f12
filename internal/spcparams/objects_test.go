package spcparams_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/spcparams"
)

// entry is `objects` with one entry of the given lines.
func entry(lines ...string) string {
	return "array:\n  - |\n    " + strings.Join(lines, "\n    ") + "\n"
}

//covers:field SecretProviderClass.spec.parameters.objects SecretProviderClass.spec.parameters.objects[].filePermission
//covers:field SecretProviderClass.spec.parameters.objects[].objectAlias
//covers:field SecretProviderClass.spec.parameters.objects[].objectEncoding
//covers:field SecretProviderClass.spec.parameters.objects[].objectFormat
//covers:field SecretProviderClass.spec.parameters.objects[].objectName
//covers:field SecretProviderClass.spec.parameters.objects[].objectType
//covers:field SecretProviderClass.spec.parameters.objects[].objectVersion
//covers:field SecretProviderClass.spec.parameters.objects[].objectVersionHistory
func TestParseObjects(t *testing.T) {
	t.Parallel()
	object := func(change func(*spcparams.Object)) []spcparams.Object {
		o := db()
		change(&o)
		return []spcparams.Object{o}
	}
	const noField = "is no field that this program knows and has no effect; check its spelling or remove it"
	cases := map[string]struct {
		reason   string
		text     string
		want     []spcparams.Object
		warnings []spcparams.Warning
	}{
		"Documented": {
			reason: "The layout of Microsoft's pages, comments included.",
			text: `
array:
  - |
    objectName: db             # the name in the vault
    objectType: secret         # object types: secret, key or cert
    objectVersion: ""          # [OPTIONAL] default to latest if empty
  - |
    objectName: shop-tls
    objectType: cert
`,
			want: []spcparams.Object{db(), {Name: "shop-tls", Type: spcparams.TypeCert}},
		},
		"EveryField": {
			reason: "Each field has its place in the value.",
			text: entry("objectName: db", "objectType: secret", "objectAlias: shop/db.txt",
				"objectVersion: 0123456789abcdef0123456789abcdef", "objectVersionHistory: 3", "objectFormat: pfx",
				"objectEncoding: base64", "filePermission: 0644"),
			want: []spcparams.Object{{
				Name: "db", Type: spcparams.TypeSecret, Alias: "shop/db.txt", Version: "0123456789abcdef0123456789abcdef",
				History: 3, Format: spcparams.FormatPFX, Encoding: spcparams.EncodingBase64, FilePermission: "0644",
			}},
		},
		"VersionThatLooksLikeANumber": {
			reason: "A version is text, even where YAML sees a number: 1234e5 and 123400000 are two versions.",
			text:   entry("objectName: db", "objectType: secret", "objectVersion: 1234e5"),
			want:   object(func(o *spcparams.Object) { o.Version = "1234e5" }),
		},
		"VersionWithLeadingZeros": {
			reason: "So are octal and very long numbers.",
			text:   entry("objectName: db", "objectType: secret", "objectVersion: 00000000000000000000000000000017"),
			want:   object(func(o *spcparams.Object) { o.Version = "00000000000000000000000000000017" }),
		},
		"NameThatLooksLikeABoolean": {
			reason: "The secret `yes` is called yes and not true.",
			text:   entry("objectName: yes", "objectType: secret", "objectAlias: 1.0"),
			want:   object(func(o *spcparams.Object) { o.Name, o.Alias = "yes", "1.0" }),
		},
		"Latest": {
			reason: "The Azure provider takes `latest` for no version at all.",
			text:   entry("objectName: db", "objectType: secret", "objectVersion: latest"),
			want:   []spcparams.Object{db()},
		},
		"Null": {
			reason: "A field without a value is an absent field.",
			text:   entry("objectName: db", "objectType: secret", "objectAlias:", "objectVersion: null", "objectEncoding: ~"),
			want:   []spcparams.Object{db()},
		},
		"Trimmed": {
			reason: "Quoted values are trimmed too.",
			text:   entry(`objectName: " db "`, `objectType: "secret\n"`),
			want:   []spcparams.Object{db()},
		},
		"QuotedNumber": {
			reason: "A history in quotes is a number all the same.",
			text:   entry("objectName: db", "objectType: secret", `objectVersionHistory: "2"`),
			want:   object(func(o *spcparams.Object) { o.History = 2 }),
		},
		"CaseOfFormatAndEncoding": {
			reason: "The Azure provider compares these two without case.",
			text:   entry("objectName: db", "objectType: secret", "objectFormat: PFX", "objectEncoding: UTF-8"),
			want: object(func(o *spcparams.Object) {
				o.Format, o.Encoding = spcparams.FormatPFX, spcparams.EncodingUTF8
			}),
		},
		"PEMOfACertificate": {
			reason: "pem may be said of every type.",
			text:   entry("objectName: db", "objectType: cert", "objectFormat: pem"),
			want:   object(func(o *spcparams.Object) { o.Type, o.Format = spcparams.TypeCert, spcparams.FormatPEM }),
		},
		"FlowStyle": {
			reason: "An entry may be any string that is YAML: this is what templates that print JSON give.",
			text:   `{"array": ["{\"objectName\": \"db\", \"objectType\": \"secret\"}"]}`,
			want:   []spcparams.Object{db()},
		},
		"Folded": {
			reason: "A folded block keeps the line breaks between lines that are further in.",
			text:   "array:\n  - >\n    {objectName: db,\n    objectType: secret}\n",
			want:   []spcparams.Object{db()},
		},
		"Anchors": {
			reason: "YAML's own references work, within an entry and between entries.",
			text: "array:\n  - &first |\n    objectName: &name db\n    objectType: secret\n    objectAlias: *name\n  - |\n" +
				"    <<: {objectType: cert}\n    objectName: tls\n",
			want: []spcparams.Object{
				{Name: "db", Type: spcparams.TypeSecret, Alias: "db"}, {Name: "tls", Type: spcparams.TypeCert},
			},
		},
		"UnknownFields": {
			reason: "A misspelt field would otherwise be lost silently; its line in `objects` leads to it.",
			text:   "foo: 1\n" + entry("objectName: db", "objectNotAfter: x", "objectType: secret", "objectversion: 1"),
			want:   []spcparams.Object{db()},
			warnings: []spcparams.Warning{
				{Path: "objects.foo (line 1)", Text: noField},
				{Path: "objects[0].objectNotAfter (line 5)", Text: noField},
				{Path: "objects[0].objectversion (line 7)", Text: noField},
			},
		},
		"ListedTwice": {
			reason: "The same twice is no conflict: the Azure provider writes the file twice.",
			text:   oneEntry + "  - |\n    objectType: secret\n    objectName: db\n",
			want:   []spcparams.Object{db()},
			warnings: []spcparams.Warning{
				{Path: "objects[1] (line 5)", Text: "says the same as objects[0] (line 2); remove one of them"},
			},
		},
		"SameNameOtherPath": {
			reason: "One object may be given in more than one way.",
			text: oneEntry + "  - |\n    objectName: db\n    objectType: secret\n    objectAlias: db.hex\n    objectEncoding: hex\n" +
				"  - |\n    objectName: db\n    objectType: secret\n    objectAlias: old/db\n    objectVersionHistory: 2\n",
			want: []spcparams.Object{
				db(),
				{Name: "db", Type: spcparams.TypeSecret, Alias: "db.hex", Encoding: spcparams.EncodingHex},
				{Name: "db", Type: spcparams.TypeSecret, Alias: "old/db", History: 2},
			},
		},
		"AliasLikeAPartOfACertificate": {
			reason: "web.crt is a name that manifests give to the certificate beside the secret web; it is no conflict.",
			text: entry("objectName: web", "objectType: secret") +
				"  - |\n    objectName: web\n    objectType: cert\n    objectAlias: web.crt\n",
			want: []spcparams.Object{
				{Name: "web", Type: spcparams.TypeSecret}, {Name: "web", Type: spcparams.TypeCert, Alias: "web.crt"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, warnings, err := spcparams.ParseObjects(tc.text)
			if err != nil {
				t.Fatalf("%s\nParseObjects: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.warnings, warnings); diff != "" {
				t.Errorf("%s\nwarnings: -want +got:\n%s", tc.reason, diff)
			}
			for _, w := range warnings {
				if want := w.Path + " " + w.Text; w.String() != want {
					t.Errorf("a warning reads %q, want %q", w, want)
				}
			}
		})
	}
}

func TestParseObjectsRefuses(t *testing.T) {
	t.Parallel()
	const (
		shape    = "; write it as `array:` and one entry `- |` per object, its fields below the `- |` and further in than it"
		nameCure = "; set it to the object's name in the vault: 1 to 127 letters, digits and hyphens"
		typeCure = "; set it to secret (also for a certificate with its private key), key or cert, in lower case"
		pathCure = "; set it to a name such as tls or db/password: no \"..\", no backslash, no slash at its ends"
		history  = "; set it to the number of versions wanted, 0 to 500: each is one request at every check"
		secret   = "objectName: db\n    objectType: secret\n    "
	)
	one := func(line string) string { return "array:\n  - |\n    " + secret + line + "\n" }
	alias := func(path string) string { return one("objectAlias: " + path) }
	refusedAlias := func(quoted string) []string {
		return []string{"objects[0].objectAlias (line 5) " + quoted + " is not a relative path" + pathCure}
	}
	cases := map[string]struct {
		reason string
		text   string
		want   []string
	}{
		"List": {
			reason: "The layout of another provider, a list without array:, is recognised.",
			text:   "- objectName: db\n",
			want:   []string{"objects is not the YAML of a list of objects: line 1: expected fields, as in `name: value`" + shape},
		},
		"Text": {
			reason: "Nor is a word a list.",
			text:   "db",
			want:   []string{"objects is not the YAML of a list of objects: line 1: expected fields, as in `name: value`" + shape},
		},
		"Tab": {
			reason: "YAML knows no tabs; its parser's word for it is kept.",
			text:   "array:\n\t- |\n",
			want:   []string{"objects is not the YAML of a list of objects: line 2: found character that cannot start any token" + shape},
		},
		"OnlyComments": {
			reason: "Everything commented out is nothing listed.",
			text:   "# array:\n",
			want:   []string{"objects lists no object" + shape},
		},
		"EmptyArray": {"Nor does an empty one list anything.", "array: []\n", []string{"objects lists no object" + shape}},
		"NullArray":  {"Nor one that is left open.", "array:\n", []string{"objects lists no object" + shape}},
		"ArrayOfOne": {
			reason: "One object without its dash is no list.",
			text:   "array: |\n  objectName: db\n",
			want:   []string{"objects.array (line 1) is not a list" + shape},
		},
		"Mapping": {
			reason: "The Azure provider refuses entries that are not strings; here the cure is one character.",
			text:   "array:\n  - objectName: db\n    objectType: secret\n",
			want: []string{"objects[0] (line 2) is not a string; write `- |` instead of `-` and put the object's fields on the " +
				"lines below, further in"},
		},
		"BrokenEntry": {
			reason: "A mistake inside of the string is reported with the entry that it is in.",
			text:   "array:\n  - |\n    objectName: db\n      objectType: secret\n",
			want: []string{"objects[0] (line 2) is not the YAML of one object: line 2: mapping values are not allowed in this context" +
				shape},
		},
		"FieldTwice": {
			reason: "Of two values for one field neither can be meant.",
			text:   one("objectName: other"),
			want: []string{"objects[0] (line 2) is not the YAML of one object: line 3: mapping key \"objectName\" already defined " +
				"at line 1" + shape},
		},
		"Empty": {
			reason: "An object needs a name and a type.",
			text:   "array:\n  - \"\"\n",
			want:   []string{"objects[0].objectName (line 2) is not set" + nameCure, "objects[0].objectType (line 2) is not set" + typeCure},
		},
		"NameOfAFile": {
			reason: "A name with a path in it would reach another place of the vault.",
			text:   entry("objectName: ../keys/x", "objectType: secret"),
			want:   []string{"objects[0].objectName (line 3) \"../keys/x\" is not the name of a Key Vault object" + nameCure},
		},
		"NameTooLong": {
			reason: "Names have 127 characters at most, and messages do not repeat all of a long one.",
			text:   entry("objectName: "+strings.Repeat("n", 128), "objectType: secret"),
			want: []string{"objects[0].objectName (line 3) \"" + strings.Repeat("n", 80) + "…\" is not the name of a Key Vault object" +
				nameCure},
		},
		"TypeInWords": {
			reason: "The third type is called cert.",
			text:   entry("objectName: db", "objectType: certificate"),
			want:   []string{"objects[0].objectType (line 4) \"certificate\" is not an object type" + typeCure},
		},
		"TypeInCapitals": {
			reason: "The Azure provider is exact here, so a manifest that works here works there.",
			text:   entry("objectName: db", "objectType: Secret"),
			want:   []string{"objects[0].objectType (line 4) \"Secret\" is not an object type" + typeCure},
		},
		"AliasAbove":      {"The directory of the objects is not left.", alias("../db"), refusedAlias(`"../db"`)},
		"AliasInside":     {"Not even to come back to it.", alias("a/../../db"), refusedAlias(`"a/../../db"`)},
		"AliasAbsolute":   {"Nor from the root.", alias("/etc/passwd"), refusedAlias(`"/etc/passwd"`)},
		"AliasDirectory":  {"A directory is no file.", alias("db/"), refusedAlias(`"db/"`)},
		"AliasDot":        {"Nor is the directory itself.", alias("."), refusedAlias(`"."`)},
		"AliasEmptyName":  {"Two slashes name nothing between them.", alias("a//b"), refusedAlias(`"a//b"`)},
		"AliasBackslash":  {"On Windows a backslash is a slash.", alias(`a\b`), refusedAlias(`"a\\b"`)},
		"AliasLineBreaks": {"A line break would break every message.", alias(`"a\nb"`), refusedAlias(`"a\nb"`)},
		"Version": {
			reason: "A version goes into an address, so nothing but a version is let in.",
			text:   one("objectVersion: ../../keys"),
			want: []string{"objects[0].objectVersion (line 5) \"../../keys\" is not a version of a Key Vault object; set it to the " +
				"version's identifier, 32 hexadecimal digits, or remove it for the latest"},
		},
		"HistoryInWords": {
			reason: "A history is a number.",
			text:   one("objectVersionHistory: all"),
			want:   []string{"objects[0].objectVersionHistory (line 5) \"all\" is not a whole number" + history},
		},
		"HistoryBroken": {
			reason: "A whole one.",
			text:   one("objectVersionHistory: 1.5"),
			want:   []string{"objects[0].objectVersionHistory (line 5) \"1.5\" is not a whole number" + history},
		},
		"HistoryNegative": {
			reason: "Not a negative one.",
			text:   one("objectVersionHistory: -1"),
			want:   []string{"objects[0].objectVersionHistory (line 5) -1 is out of range" + history},
		},
		"HistoryTooLong": {
			reason: "Not one that would use up the vault's budget.",
			text:   one("objectVersionHistory: 501"),
			want:   []string{"objects[0].objectVersionHistory (line 5) 501 is out of range" + history},
		},
		"HistoryTooLongForAnInteger": {
			reason: "Not one that no machine can count to.",
			text:   one("objectVersionHistory: 99999999999999999999"),
			want:   []string{"objects[0].objectVersionHistory (line 5) \"99999999999999999999\" is not a whole number" + history},
		},
		"Format": {
			reason: "There are two formats.",
			text:   one("objectFormat: der"),
			want: []string{"objects[0].objectFormat (line 5) \"der\" is not a format; set it to pem or pfx, or remove it for " +
				"pem"},
		},
		"PFXOfACertificate": {
			reason: "A PFX is for a key and its certificate; a certificate alone has none.",
			text:   entry("objectName: db", "objectType: cert", "objectFormat: pfx"),
			want: []string{"objects[0].objectFormat (line 5) pfx is for objectType secret only; remove it, or set objectType to " +
				"secret for the certificate with its private key"},
		},
		"Encoding": {
			reason: "There are three encodings.",
			text:   one("objectEncoding: base32"),
			want: []string{"objects[0].objectEncoding (line 5) \"base32\" is not an encoding; set it to utf-8, base64 or hex, or " +
				"remove it for the value as it is"},
		},
		"EncodingOfAKey": {
			reason: "Keys and certificates have one form.",
			text:   entry("objectName: db", "objectType: key", "objectEncoding: utf-8"),
			want:   []string{"objects[0].objectEncoding (line 5) is for objectType secret only; remove it"},
		},
		"Permission": {
			reason: "File permissions are octal.",
			text:   one("filePermission: rw-r--r--"),
			want: []string{"objects[0].filePermission (line 5) \"rw-r--r--\" is not a file permission; set it to octal digits such " +
				"as 0644, or remove it"},
		},
		"NotText": {
			reason: "A list is no name.",
			text:   entry("objectName: db", "objectType: secret", "objectAlias: [a, b]"),
			want:   []string{"objects[0].objectAlias (line 5) is not text; write one value on the line of the field"},
		},
		"SamePath": {
			reason: "Of two objects under one path one would be lost; both are named.",
			text:   oneEntry + "  - |\n    objectName: db\n    objectType: cert\n",
			want: []string{"objects[1] (line 5) gives the source path \"db\", as objects[0] (line 2) does; set objectAlias of one of " +
				"them to another name"},
		},
		"SamePathInAHistory": {
			reason: "So it is where one of them comes from a history.",
			text:   one("objectVersionHistory: 3") + "  - |\n    objectName: x\n    objectType: secret\n    objectAlias: db/2\n",
			want: []string{"objects[1] (line 6) gives the source path \"db/2\", as objects[0] (line 2) does; set objectAlias of one " +
				"of them to another name"},
		},
		"AllMistakesAtOnce": {
			reason: "Whoever corrects a manifest wants to do it once.",
			text:   "array:\n  - |\n    objectType: x\n  - objectName: y\n  - |\n    objectName: z!\n    objectType: key\n",
			want: []string{
				"objects[0].objectName (line 3) is not set" + nameCure,
				"objects[0].objectType (line 3) \"x\" is not an object type" + typeCure,
				"objects[1] (line 4) is not a string; write `- |` instead of `-` and put the object's fields on the lines below, " +
					"further in",
				"objects[2].objectName (line 6) \"z!\" is not the name of a Key Vault object" + nameCure,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := spcparams.ParseObjects(tc.text)
			if diff := cmp.Diff(tc.want, texts(err)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
