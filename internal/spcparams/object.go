package spcparams

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ObjectType is the kind of a Key Vault object, in the spelling of `objectType`.
type ObjectType string

// The three kinds. A certificate with its private key is read as TypeSecret, alone as TypeCert, its public key as TypeKey.
const (
	TypeSecret ObjectType = "secret"
	TypeKey    ObjectType = "key"
	TypeCert   ObjectType = "cert"
)

// Format is the form in which a certificate read as a secret is given, in the spelling of `objectFormat`, lower case.
type Format string

// FormatPEM is the default, meant by "" as well.
const (
	FormatPEM Format = "pem"
	FormatPFX Format = "pfx"
)

// Encoding is what the vault holds the value in and what is to be undone, in the spelling of `objectEncoding`, lower case.
type Encoding string

// EncodingUTF8 is the default, meant by "" as well: the value as it is.
const (
	EncodingUTF8   Encoding = "utf-8"
	EncodingBase64 Encoding = "base64"
	EncodingHex    Encoding = "hex"
)

// MaxHistory is the longest objectVersionHistory. Every version costs a request at every check, and Key Vault itself stops
// backing up an object beyond 500 versions.
const MaxHistory = 500

// MaxVersions is how many versions all objects of a SecretProviderClass may ask for together: as many requests as a vault
// answers in 10 seconds to all its clients.
const MaxVersions = 4000

// Object is one object of a vault and how it is to be given. Fields that were not written are empty.
type Object struct {
	// Name is objectName: 1 to 127 of [0-9A-Za-z-].
	Name string
	// Type is objectType.
	Type ObjectType
	// Alias is objectAlias: a relative path, which may have directories.
	Alias string
	// Version is objectVersion, empty for the latest (which may be written `latest`); a history counts from it.
	Version string
	// History is objectVersionHistory, 0 to MaxHistory. 0 and 1 mean one version and paths without a number.
	History int
	// Format is objectFormat; other than FormatPEM for secrets only.
	Format Format
	// Encoding is objectEncoding; for secrets only.
	Encoding Encoding
	// FilePermission is filePermission: octal digits, of meaning to mounted volumes only.
	FilePermission string
}

// Base is what the object's source paths begin with: its alias, else its name.
func (o Object) Base() string {
	if o.Alias != "" {
		return o.Alias
	}
	return o.Name
}

// Versions is how many versions of the object are given, at least 1.
func (o Object) Versions() int { return max(1, o.History) }

// A mistake is an [Error] whose place is known as the name of a field only.
type mistake struct{ field, problem, cure string }

// mistakes checks the fields of an object as they stand.
func (o Object) mistakes() []mistake {
	var found []mistake
	for _, check := range []func() (mistake, bool){
		o.checkName, o.checkType, o.checkAlias, o.checkVersion, o.checkHistory, o.checkFormat, o.checkEncoding,
		o.checkFilePermission,
	} {
		if m, ok := check(); !ok {
			found = append(found, m)
		}
	}
	return found
}

func (o Object) checkName() (mistake, bool) {
	const cure = "set it to the object's name in the vault: 1 to 127 letters, digits and hyphens"
	if o.Name == "" {
		return mistake{fieldName, "is not set", cure}, false
	}
	return mistake{fieldName, quote(o.Name) + " is not the name of a Key Vault object", cure},
		len(o.Name) <= 127 && madeOf(o.Name, isNameByte)
}

// checkType is exact about case, as the Azure provider is: a manifest that works here works there.
func (o Object) checkType() (mistake, bool) {
	const cure = "set it to secret (also for a certificate with its private key), key or cert, in lower case"
	switch o.Type {
	case TypeSecret, TypeKey, TypeCert:
		return mistake{}, true
	case "":
		return mistake{fieldType, "is not set", cure}, false
	}
	return mistake{fieldType, quote(string(o.Type)) + " is not an object type", cure}, false
}

// checkAlias refuses what would leave the directory that the objects are given in, or could not be told from another path.
func (o Object) checkAlias() (mistake, bool) {
	bad := !utf8.ValidString(o.Alias) || strings.Contains(o.Alias, "..") ||
		strings.ContainsFunc(o.Alias, func(r rune) bool { return r == '\\' || unicode.IsControl(r) })
	if o.Alias != "" {
		for element := range strings.SplitSeq(o.Alias, "/") {
			bad = bad || element == "" || element == "."
		}
	}
	return mistake{
		fieldAlias, quote(o.Alias) + " is not a relative path",
		"set it to a name such as tls or db/password: no \"..\", no backslash, no slash at its ends",
	}, !bad
}

func (o Object) checkVersion() (mistake, bool) {
	return mistake{
			fieldVersion, quote(o.Version) + " is not a version of a Key Vault object",
			"set it to the version's identifier, 32 hexadecimal digits, or remove it for the latest",
		},
		len(o.Version) <= 127 && madeOf(o.Version, isNameByte)
}

func (o Object) checkHistory() (mistake, bool) {
	return mistake{fieldHistory, strconv.Itoa(o.History) + " is out of range", historyCure()},
		o.History >= 0 && o.History <= MaxHistory
}

func historyCure() string {
	return fmt.Sprintf("set it to the number of versions wanted, 0 to %d: each is one request at every check", MaxHistory)
}

func (o Object) checkFormat() (mistake, bool) {
	switch {
	case o.Format == "", o.Format == FormatPEM, o.Format == FormatPFX && o.Type == TypeSecret:
		return mistake{}, true
	case o.Format == FormatPFX:
		return mistake{
			fieldFormat, "pfx is for objectType secret only",
			"remove it, or set objectType to secret for the certificate with its private key",
		}, false
	}
	return mistake{fieldFormat, quote(string(o.Format)) + " is not a format", "set it to pem or pfx, or remove it for pem"}, false
}

func (o Object) checkEncoding() (mistake, bool) {
	switch o.Encoding {
	case "":
		return mistake{}, true
	case EncodingUTF8, EncodingBase64, EncodingHex:
		return mistake{fieldEncoding, "is for objectType secret only", "remove it"}, o.Type == TypeSecret
	}
	return mistake{
		fieldEncoding, quote(string(o.Encoding)) + " is not an encoding",
		"set it to utf-8, base64 or hex, or remove it for the value as it is",
	}, false
}

func (o Object) checkFilePermission() (mistake, bool) {
	_, err := strconv.ParseUint(o.FilePermission, 8, 12)
	return mistake{
		fieldPermission, quote(o.FilePermission) + " is not a file permission",
		"set it to octal digits such as 0644, or remove it",
	}, o.FilePermission == "" || err == nil
}
