package akv

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
)

// reader is what the three clients of the Azure SDK have in common for us.
type reader interface {
	// get reads one version, the latest if version is "".
	get(ctx context.Context, name, version string) (reading, error)
	// versions lists what versions of an object there are, in any order, never their values.
	versions(ctx context.Context, name string) ([]entry, error)
	// list lists all objects of the kind with the attributes of their current versions, never their values. If that takes more
	// pages than most it gives up with errTooLong. It gives how many it read.
	list(ctx context.Context, most int) (entries []entry, pages int, err error)
}

// entry is one line of a list: a version of an object, or an object with the attributes of its current version.
type entry struct {
	name, version string
	state
	enabled bool
}

// state is when a version was made and last changed, by the vault's clock, in seconds since 1970: Key Vault knows no finer time.
type state struct{ created, updated int64 }

// String tells a state from others.
func (s state) String() string {
	return strconv.FormatInt(s.created, 36) + "/" + strconv.FormatInt(s.updated, 36)
}

// reading is one version that was read, its state, and when that was by the vault's clock.
type reading struct {
	secretdata.Fetched
	state
	at int64
}

// capture lets the answer's headers be read afterwards, which the SDK's own types leave out.
func capture(ctx context.Context) (captured context.Context, date func() int64) {
	var response *http.Response
	return policy.WithCaptureResponse(ctx, &response), func() int64 {
		if response == nil {
			return 0
		}
		at, err := http.ParseTime(response.Header.Get("Date"))
		if err != nil {
			return 0 // nothing can be told from it: the object is read anew each time
		}
		return at.Unix()
	}
}

type secretReader struct{ client *azsecrets.Client }

func (r secretReader) get(ctx context.Context, name, version string) (reading, error) {
	ctx, date := capture(ctx)
	answer, err := r.client.GetSecret(ctx, name, version, nil)
	if err != nil {
		return reading{}, err
	}
	if answer.ID == nil || answer.Value == nil {
		return reading{}, errIncomplete
	}
	found := reading{at: date(), Fetched: secretdata.Fetched{
		Version:     answer.ID.Version(),
		Value:       redact.FromString(*answer.Value),
		ContentType: value(answer.ContentType),
		HasKey:      answer.KID != nil,
	}}
	if a := answer.Attributes; a != nil {
		found.state = stateOf(a.Created, a.Updated)
	}
	return found, nil
}

func (r secretReader) versions(ctx context.Context, name string) ([]entry, error) {
	entries, _, err := collect(ctx, allPages, r.client.NewListSecretPropertiesVersionsPager(name, nil),
		func(page azsecrets.ListSecretPropertiesVersionsResponse) []entry { return secretEntries(page.Value) })
	return entries, err
}

func (r secretReader) list(ctx context.Context, most int) ([]entry, int, error) {
	return collect(ctx, most, r.client.NewListSecretPropertiesPager(nil),
		func(page azsecrets.ListSecretPropertiesResponse) []entry { return secretEntries(page.Value) })
}

func secretEntries(items []*azsecrets.SecretProperties) (entries []entry) {
	for _, item := range items {
		if item.ID != nil && item.Attributes != nil {
			a := item.Attributes
			entries = append(entries, newEntry(item.ID.Name(), item.ID.Version(), a.Created, a.Updated, a.Enabled))
		}
	}
	return entries
}

type certificateReader struct{ client *azcertificates.Client }

func (r certificateReader) get(ctx context.Context, name, version string) (reading, error) {
	ctx, date := capture(ctx)
	answer, err := r.client.GetCertificate(ctx, name, version, nil)
	if err != nil {
		return reading{}, err
	}
	if answer.ID == nil || len(answer.CER) == 0 {
		return reading{}, errIncomplete
	}
	found := reading{at: date(), Fetched: secretdata.Fetched{Version: answer.ID.Version(), CER: answer.CER}}
	if a := answer.Attributes; a != nil {
		if !enabled(a.Enabled) {
			return reading{}, errDisabled
		}
		found.state = stateOf(a.Created, a.Updated)
	}
	return found, nil
}

func (r certificateReader) versions(ctx context.Context, name string) ([]entry, error) {
	entries, _, err := collect(ctx, allPages, r.client.NewListCertificatePropertiesVersionsPager(name, nil),
		func(page azcertificates.ListCertificatePropertiesVersionsResponse) []entry {
			return certificateEntries(page.Value)
		})
	return entries, err
}

func (r certificateReader) list(ctx context.Context, most int) ([]entry, int, error) {
	return collect(ctx, most, r.client.NewListCertificatePropertiesPager(nil),
		func(page azcertificates.ListCertificatePropertiesResponse) []entry {
			return certificateEntries(page.Value)
		})
}

func certificateEntries(items []*azcertificates.CertificateProperties) (entries []entry) {
	for _, item := range items {
		if item.ID != nil && item.Attributes != nil {
			a := item.Attributes
			entries = append(entries, newEntry(item.ID.Name(), item.ID.Version(), a.Created, a.Updated, a.Enabled))
		}
	}
	return entries
}

type keyReader struct{ client *azkeys.Client }

func (r keyReader) get(ctx context.Context, name, version string) (reading, error) {
	ctx, date := capture(ctx)
	answer, err := r.client.GetKey(ctx, name, version, nil)
	if err != nil {
		return reading{}, err
	}
	if answer.Key == nil || answer.Key.KID == nil || answer.Key.Kty == nil {
		return reading{}, errIncomplete
	}
	found := reading{at: date(), Fetched: secretdata.Fetched{Version: answer.Key.KID.Version()}}
	if a := answer.Attributes; a != nil {
		if !enabled(a.Enabled) {
			return reading{}, errDisabled
		}
		found.state = stateOf(a.Created, a.Updated)
	}
	found.Key, err = publicKey(answer.Key)
	return found, err
}

func publicKey(jwk *azkeys.JSONWebKey) (any, error) {
	public := secretdata.JWK{
		Type: string(*jwk.Kty), Curve: string(value(jwk.Crv)), N: jwk.N, E: jwk.E, X: jwk.X, Y: jwk.Y,
	}
	key, err := public.PublicKey()
	if err != nil {
		return nil, unusable{err}
	}
	return key, nil
}

func (r keyReader) versions(ctx context.Context, name string) ([]entry, error) {
	entries, _, err := collect(ctx, allPages, r.client.NewListKeyPropertiesVersionsPager(name, nil),
		func(page azkeys.ListKeyPropertiesVersionsResponse) []entry { return keyEntries(page.Value) })
	return entries, err
}

func (r keyReader) list(ctx context.Context, most int) ([]entry, int, error) {
	return collect(ctx, most, r.client.NewListKeyPropertiesPager(nil),
		func(page azkeys.ListKeyPropertiesResponse) []entry { return keyEntries(page.Value) })
}

func keyEntries(items []*azkeys.KeyProperties) (entries []entry) {
	for _, item := range items {
		if item.KID != nil && item.Attributes != nil {
			a := item.Attributes
			entries = append(entries, newEntry(item.KID.Name(), item.KID.Version(), a.Created, a.Updated, a.Enabled))
		}
	}
	return entries
}

// errTooLong says that a list has more pages than it is worth.
var errTooLong = errors.New("the list is too long to be worth reading")

// allPages is more pages than any list has: an object has as many versions as somebody has made.
const allPages = math.MaxInt

// collect reads the pages of a list, but not more than most.
func collect[T any](ctx context.Context, most int, pager *runtime.Pager[T], entries func(T) []entry,
) (all []entry, pages int, err error) {
	for pager.More() {
		if pages == most {
			return nil, pages, errTooLong
		}
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, pages, err
		}
		all = append(all, entries(page)...)
		pages++
	}
	return all, pages, nil
}

func newEntry(name, version string, created, updated *time.Time, isEnabled *bool) entry {
	return entry{name: name, version: version, state: stateOf(created, updated), enabled: enabled(isEnabled)}
}

func stateOf(created, updated *time.Time) state {
	s := state{}
	if created != nil {
		s.created = created.Unix()
	}
	if updated != nil {
		s.updated = updated.Unix()
	}
	return s
}

// enabled reads the attribute as Key Vault does: what does not say that it is disabled is enabled.
func enabled(attribute *bool) bool { return attribute == nil || *attribute }

// value is what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
