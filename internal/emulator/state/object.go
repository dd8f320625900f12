package state

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind is a kind of object in a vault, as it stands in URLs.
type Kind string

// The kinds of object.
const (
	Secrets      Kind = "secrets"
	Keys         Kind = "keys"
	Certificates Kind = "certificates"
)

// Why an operation on an object is not possible.
var (
	// ErrNotFound says that there is no such object or version, or that it is deleted.
	ErrNotFound = errors.New("not found")
	// ErrDeleted says that an object of that name is deleted, but can still be recovered or purged.
	ErrDeleted = errors.New("deleted but recoverable")
	// ErrManaged says that the key or secret belongs to a certificate, through which alone it changes.
	ErrManaged = errors.New("managed by a certificate")
	// ErrTaken says that a key or secret of its own has the name that a certificate would take.
	ErrTaken = errors.New("the name is taken by a key or a secret")
)

// Retention is for how long a deleted object can be recovered.
const Retention = 90 * 24 * time.Hour

// MaxValueBytes is the size of a secret's value at most (learn.microsoft.com, key-vault/secrets/about-secrets).
const MaxValueBytes = 25 * 1024

// ValidName says whether an object of any kind may have the name: 1 to 127 letters, digits and hyphens. It is asked with every
// request, so that a regular expression made for it each time would be a quarter of the emulator's work.
func ValidName(name string) bool {
	const most, allowed = 127, "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return name != "" && len(name) <= most && strings.Trim(name, allowed) == ""
}

// Version is one version of an object. That of a certificate has its key and its secret in it: all three are one.
type Version struct {
	// ID is 32 hexadecimal digits.
	ID      string
	Enabled bool
	// Times are in whole seconds; NotBefore and Expires are zero if they are not set.
	Created, Updated, NotBefore, Expires time.Time
	// Tags are never changed, only replaced.
	Tags map[string]string

	// Value and ContentType are of a secret.
	Value, ContentType string
	// Key is of a key.
	Key Key
	// Certificate and Policy are of a certificate.
	Certificate *x509.Certificate
	Policy      Policy
}

// Key is the public half of a key; the vault of the emulator signs and decrypts nothing.
type Key struct {
	// Type is RSA, RSA-HSM, EC or EC-HSM.
	Type       string
	Public     crypto.PublicKey
	Operations []string
}

// Policy is how a certificate was made.
type Policy struct {
	// Issuer is "Self" for one that the vault made and "Unknown" for an imported one.
	Issuer         string
	Subject        string
	DNSNames       []string
	KeyType        string
	KeySize        int
	Curve          string
	ContentType    string
	ValidityMonths int
}

// Item is a version of an object as an answer shows it.
type Item struct {
	Name string
	// Managed is true for the key and the secret of a certificate.
	Managed bool
	// Deleted and Purged are when the object was deleted and will be gone; zero for one that is there.
	Deleted, Purged time.Time
	Version
}

// object is a name in a vault. A certificate's is the same object among the certificates, the keys and the secrets.
type object struct {
	name     string
	kind     Kind
	versions []*Version // as they were made; the last is the current one
	deleted  time.Time
}

func (o *object) item(kind Kind, v *Version) Item {
	item := Item{Name: o.name, Managed: o.kind != kind, Version: *v}
	if !o.deleted.IsZero() {
		item.Deleted, item.Purged = o.deleted, o.deleted.Add(Retention)
	}
	return item
}

func (o *object) current() *Version { return o.versions[len(o.versions)-1] }

// version finds a version; the empty one is the current.
func (o *object) version(id string) (*Version, error) {
	if id == "" {
		return o.current(), nil
	}
	for _, v := range o.versions {
		if v.ID == id {
			return v, nil
		}
	}
	return nil, fmt.Errorf("version %s: %w", id, ErrNotFound)
}

// places are the kinds among which an object of a kind appears.
func places(kind Kind) []Kind {
	if kind == Certificates {
		return []Kind{Certificates, Keys, Secrets}
	}
	return []Kind{kind}
}
