package vault

import (
	"crypto/sha1" //nolint:gosec // Azure's thumbprints are SHA-1
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"secretstore/internal/emulator/state"
)

// view is an object as an answer shows it. Each kind fills what it has.
type view struct {
	ID             string            `json:"id,omitempty"`
	KID            string            `json:"kid,omitempty"`
	SID            string            `json:"sid,omitempty"`
	Value          *string           `json:"value,omitempty"`
	ContentType    string            `json:"contentType,omitempty"`
	Key            map[string]any    `json:"key,omitempty"`
	CER            string            `json:"cer,omitempty"`
	X5T            string            `json:"x5t,omitempty"`
	Subject        string            `json:"subject,omitempty"`
	Policy         *policy           `json:"policy,omitempty"`
	Managed        bool              `json:"managed,omitempty"`
	Attributes     attributes        `json:"attributes"`
	Tags           map[string]string `json:"tags,omitempty"`
	RecoveryID     string            `json:"recoveryId,omitempty"`
	DeletedDate    int64             `json:"deletedDate,omitempty"`
	ScheduledPurge int64             `json:"scheduledPurgeDate,omitempty"`
}

// attributes are in seconds since 1970.
type attributes struct {
	Enabled         bool   `json:"enabled"`
	NotBefore       int64  `json:"nbf,omitempty"`
	Expires         int64  `json:"exp,omitempty"`
	Created         int64  `json:"created"`
	Updated         int64  `json:"updated"`
	RecoveryLevel   string `json:"recoveryLevel"`
	RecoverableDays int    `json:"recoverableDays"`
}

// policy is how a certificate is made, as requests and answers have it.
type policy struct {
	ID         string         `json:"id,omitempty"`
	Key        policyKey      `json:"key_props"`
	Secret     policySecret   `json:"secret_props"`
	X509       policyX509     `json:"x509_props"`
	Issuer     policyIssuer   `json:"issuer"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

type policyKey struct {
	Exportable bool   `json:"exportable"`
	Type       string `json:"kty,omitempty"`
	Size       int    `json:"key_size,omitempty"`
	Curve      string `json:"crv,omitempty"`
	Reuse      bool   `json:"reuse_key"`
}

type policySecret struct {
	ContentType string `json:"contentType,omitempty"`
}

type policyX509 struct {
	Subject  string     `json:"subject,omitempty"`
	SANs     policySANs `json:"sans"`
	Validity int        `json:"validity_months,omitempty"`
}

type policySANs struct {
	DNSNames []string `json:"dns_names,omitempty"`
}

type policyIssuer struct {
	Name string `json:"name,omitempty"`
}

// id is the URL of an object or, with a version, of that.
func (s *Service) id(kind state.Kind, name, version string) string {
	id := fmt.Sprintf("https://%s.%s/%s/%s", s.vault.Name, s.state.VaultDNSSuffix, kind, name)
	if version != "" {
		id += "/" + version
	}
	return id
}

// base is what lists and answers have in common.
func (s *Service) base(kind state.Kind, item state.Item) view {
	v := view{
		Managed: item.Managed, Tags: item.Tags,
		Attributes: attributes{
			Enabled: item.Enabled, NotBefore: unix(item.NotBefore), Expires: unix(item.Expires), Created: unix(item.Created),
			Updated: unix(item.Updated), RecoveryLevel: "Recoverable+Purgeable", RecoverableDays: int(state.Retention / (24 * time.Hour)),
		},
		DeletedDate: unix(item.Deleted), ScheduledPurge: unix(item.Purged),
	}
	if !item.Deleted.IsZero() {
		v.RecoveryID = s.id("deleted"+kind, item.Name, "")
	}
	if kind == state.Secrets {
		v.ContentType = item.ContentType
	}
	if kind == state.Certificates {
		digest := sha1.Sum(item.Certificate.Raw) //nolint:gosec // see the import
		v.X5T = base64.RawURLEncoding.EncodeToString(digest[:])
	}
	return v
}

// listed is an object, or a version of it, in a list: never with a value.
func (s *Service) listed(kind state.Kind, item state.Item, version string) view {
	v := s.base(kind, item)
	id := s.id(kind, item.Name, version)
	if kind == state.Keys {
		v.KID = id
	} else {
		v.ID = id
	}
	if kind == state.Certificates {
		v.Subject = item.Policy.Subject
	}
	return v
}

// bundle is one version of an object, a secret without its value.
func (s *Service) bundle(kind state.Kind, item state.Item) view {
	v := s.base(kind, item)
	switch kind {
	case state.Keys:
		v.Key = jsonWebKey(s.id(kind, item.Name, item.ID), item.Key)
	case state.Secrets:
		v.ID = s.id(kind, item.Name, item.ID)
		if item.Managed {
			v.KID = s.id(state.Keys, item.Name, item.ID)
		}
	case state.Certificates:
		v.ID = s.id(kind, item.Name, item.ID)
		v.KID, v.SID = s.id(state.Keys, item.Name, item.ID), s.id(state.Secrets, item.Name, item.ID)
		v.CER = base64.StdEncoding.EncodeToString(item.Certificate.Raw)
		v.Policy = s.policy(item)
	}
	return v
}

func (s *Service) policy(item state.Item) *policy {
	p := item.Policy
	return &policy{
		ID:         s.id(state.Certificates, item.Name, "policy"),
		Key:        policyKey{Exportable: true, Type: p.KeyType, Size: p.KeySize, Curve: p.Curve},
		Secret:     policySecret{ContentType: p.ContentType},
		X509:       policyX509{Subject: p.Subject, SANs: policySANs{DNSNames: p.DNSNames}, Validity: p.ValidityMonths},
		Issuer:     policyIssuer{Name: p.Issuer},
		Attributes: map[string]any{"enabled": true, "created": unix(item.Created), "updated": unix(item.Updated)},
	}
}

// jsonWebKey is a public key with the members that Key Vault adds.
func jsonWebKey(id string, key state.Key) map[string]any {
	members := map[string]any{}
	encoded, err := (&jose.JSONWebKey{Key: key.Public}).MarshalJSON()
	if err == nil { // all keys of the state are RSA or EC, which cannot fail
		err = json.Unmarshal(encoded, &members)
	}
	if err != nil {
		members["error"] = err.Error()
	}
	members["kid"], members["kty"], members["key_ops"] = id, key.Type, key.Operations
	return members
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
