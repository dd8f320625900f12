// Package secretdata turns what a vault returned into the data of a Kubernetes Secret.
//
// The way is: [Fetched] versions of objects -> [Collect] -> [Files], a value or the reason for its absence at every source
// path -> [Build] -> the data of one Secret and an [ItemError] for each item that has none -> [CheckData] -> [Digest].
// [Validate] judges what a user asked for before any of that.
//
// Promises: the same input gives the same bytes, whatever the order of certificates in the vault; one bad item spoils no
// other; a certificate never comes with another's private key; and no error holds a value or any part of one, which is
// why errors of parsers are replaced here and never passed on: a JSON parser quotes the character that it stumbled over.
//
// It fails item by item with an [*Error], whose kind says who can cure it. It is pure: no clock, no chance, no network.
package secretdata

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/redact"
	"secretstore/internal/spcparams"
)

// Content types that Key Vault gives the secret of a certificate.
const (
	contentTypePEM = "application/x-pem-file"
	contentTypePFX = "application/x-pkcs12"
)

// Fetched is one version of one object, as a vault returned it.
type Fetched struct {
	// Version is the version's identifier.
	Version string
	// Err is why this version could not be read; the fields below are then empty.
	Err error
	// Value is the value of a secret.
	Value redact.Bytes
	// ContentType is the content type of a secret.
	ContentType string
	// HasKey says that the secret carries a `kid`, by which Key Vault marks the secret of a certificate.
	HasKey bool
	// CER is a certificate, DER.
	CER []byte
	// Key is the public half of a key; see [JWK.PublicKey].
	Key crypto.PublicKey
}

// Result is what came of asking for one object.
type Result struct {
	// Versions are the enabled versions, newest first, beginning with the one that was asked for.
	Versions []Fetched
	// Err is why there are none, or why there are not more of them.
	Err error
}

// File is a value, or the reason why there is none.
type File struct {
	// Value is what the source path gives. Meaningless if Err is set.
	Value redact.Bytes
	// Err is why the source path gives nothing: an [*Error], or what the source of the objects reported.
	Err error
}

// Files maps source paths, in all their spellings, onto what they give.
type Files map[string]File

// Collect renders the objects of a SecretProviderClass that were asked for, results being by index into p.Objects. Where
// two objects could give a path, it holds what [spcparams.Params.Resolve] decides.
func Collect(p spcparams.Params, results map[int]Result) Files {
	files := Files{}
	for _, i := range slices.Sorted(maps.Keys(results)) {
		for path, file := range Render(p.Objects[i], results[i]) {
			if ref, err := p.Resolve(path); err == nil && ref.Object == i {
				files[path] = file
			}
		}
	}
	return files
}

// Render gives every source path of one object its value, or the reason why it has none.
func Render(o spcparams.Object, result Result) Files {
	versions := make([]parts, o.Versions())
	for i := range versions {
		switch {
		case i < len(result.Versions):
			versions[i] = render(o, result.Versions[i])
		case result.Err != nil:
			versions[i] = absent(result.Err)
		default:
			versions[i] = absent(missingVersion(o, len(result.Versions)))
		}
	}
	files := Files{}
	for path, at := range o.Paths() {
		files[path] = versions[at.Version][at.Part]
	}
	return files
}

// parts are the files of one version, by [spcparams.Part].
type parts [3]File

// absent is a version of which there is nothing, for one reason.
func absent(err error) parts {
	return parts{{Err: err}, {Err: err}, {Err: err}}
}

func missingVersion(o spcparams.Object, have int) *Error {
	if have == 0 {
		return problem(KindAbsent, o, "has no enabled version in the vault", "enable or create one")
	}
	return problem(KindAbsent, o, fmt.Sprintf("has only %d of the %d versions asked for in the vault, disabled ones not counted",
		have, o.Versions()), "lower objectVersionHistory, or map fewer versions")
}

// render gives the parts of one version.
func render(o spcparams.Object, f Fetched) parts {
	switch {
	case f.Err != nil:
		return absent(f.Err)
	case o.Type == spcparams.TypeCert:
		return renderCertificate(o, f.CER)
	case o.Type == spcparams.TypeKey:
		return parts{publicKeyFile(o, f.Key)}
	case !f.HasKey:
		return renderSecret(o, f.Value)
	}
	switch mediaType(f.ContentType) {
	case contentTypePEM:
		return renderPEM(o, f.Value.Reveal())
	case contentTypePFX:
		return renderPFX(o, f.Value.Reveal())
	}
	// Key Vault knows no third type today. The value is still what was asked for; only its parts are not known.
	return renderSecret(o, f.Value)
}

// mediaType is a content type without its case and parameters.
func mediaType(contentType string) string {
	name, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(name))
}

// renderSecret gives a secret that belongs to no certificate; it has a whole only.
func renderSecret(o spcparams.Object, value redact.Bytes) parts {
	p := absent(problem(KindAbsent, o, "is not the secret of a certificate, so it has no tls.crt and no tls.key",
		"map "+strconv.Quote(o.Base())+" itself; in a Secret of type kubernetes.io/tls each key takes its part of it"))
	p[spcparams.PartWhole] = decode(o, value)
	return p
}

// renderPEM gives a certificate that the vault holds as PEM. The whole stays byte for byte what was uploaded, even where
// its parts cannot be told.
func renderPEM(o spcparams.Object, value []byte) parts {
	b, err := readPEM(value)
	p := b.parts(o, err)
	if o.Format == spcparams.FormatPFX {
		p[spcparams.PartWhole] = decodeFile(o, b.pfxFile(o, err))
	} else {
		p[spcparams.PartWhole] = decode(o, redact.New(value))
	}
	return p
}

// renderPFX gives a certificate that the vault holds as the base64 text of a PFX.
func renderPFX(o spcparams.Object, value []byte) parts {
	b, err := readPFX(value)
	p := b.parts(o, err)
	if o.Format == spcparams.FormatPFX {
		p[spcparams.PartWhole] = decode(o, redact.New(value))
	} else {
		p[spcparams.PartWhole] = decodeFile(o, b.wholeFile(o, err))
	}
	return p
}

// renderCertificate gives a certificate alone.
func renderCertificate(o spcparams.Object, der []byte) parts {
	if len(der) == 0 {
		return absent(problem(KindAbsent, o, "came without its certificate", "look at it in the vault: it may still be pending"))
	}
	file := File{Value: redact.New(encodePEM(certificateBlock(der)))}
	return parts{file, file}
}

// encodePEM writes blocks without headers, for which encoding cannot fail.
func encodePEM(blocks ...*pem.Block) []byte {
	var b bytes.Buffer
	for _, block := range blocks {
		b.Write(pem.EncodeToMemory(block))
	}
	return b.Bytes()
}

// decodeFile is decode for a value that may be absent.
func decodeFile(o spcparams.Object, f File) File {
	if f.Err != nil {
		return f
	}
	return decode(o, f.Value)
}

// decode undoes the encoding that the object says its value has. Blanks around the value are ignored; so are line breaks
// within base64, which tools break into lines.
func decode(o spcparams.Object, value redact.Bytes) File {
	var decoded []byte
	var err error
	switch o.Encoding {
	case spcparams.EncodingBase64:
		decoded, err = base64.StdEncoding.DecodeString(trimmed(value.Reveal()))
	case spcparams.EncodingHex:
		decoded, err = hex.DecodeString(trimmed(value.Reveal()))
	default:
		return File{Value: value}
	}
	if err != nil {
		return File{Err: problem(KindValue, o, "has a value that is not "+string(o.Encoding),
			"remove objectEncoding to take it as it is, or store it in that encoding")}
	}
	return File{Value: redact.New(decoded)}
}

func trimmed(value []byte) string { return string(bytes.TrimSpace(value)) }
