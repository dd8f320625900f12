package akv

import (
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"secretstore/internal/azure/entra"
	"secretstore/internal/azure/pace"
	"secretstore/internal/spcparams"
)

// vault is one vault as one identity sees it.
type vault struct {
	name  string
	host  *pace.Host // one for all identities
	kinds map[spcparams.ObjectType]*kindClient
	// readings and lists are what was read within the last half minute.
	readings *shared[question, reading]
	lists    *shared[question, listing]
}

// kindClient reads one kind of object.
type kindClient struct {
	reader reader
	gate   *gate
	sweep  *sweep
}

// question is what is asked of a vault, whatever it is called in a SecretProviderClass: a version of an object (the current one
// for ""), the list of its versions, or, without a name, the list of all objects of the kind.
type question struct {
	kind          spcparams.ObjectType
	name, version string
}

// listing is a list of versions, or of all objects; then byName has them by name in lower case.
type listing struct {
	entries []entry
	byName  map[string]entry
	err     error
}

// Sizes of what is held are told with a guess at the structures around the values.
const (
	readingOverhead = 300
	entryOverhead   = 200
)

func (r reading) bytes() int { return readingOverhead + r.Value.Len() + len(r.CER) }

func (l listing) bytes() int { return entryOverhead * len(l.entries) }

func (s *Source) newVault(cloud entra.Cloud, credential azcore.TokenCredential, name string) (*vault, error) {
	url := cloud.VaultURL(name)
	host := s.host(url, name)
	options := cloud.ClientOptions(host.Transport(s.clients[cloud.Name]))
	secrets, err := azsecrets.NewClient(url, credential, &azsecrets.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("making the client for secrets: %w", err)
	}
	certificates, err := azcertificates.NewClient(url, credential, &azcertificates.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("making the client for certificates: %w", err)
	}
	keys, err := azkeys.NewClient(url, credential, &azkeys.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("making the client for keys: %w", err)
	}
	kind := func(r reader) *kindClient { return &kindClient{reader: r, gate: newGate(), sweep: newSweep()} }
	return &vault{
		name: name, host: host,
		readings: newShared[question](s.options.Clock, s.held, reading.bytes),
		lists:    newShared[question](s.options.Clock, s.held, listing.bytes),
		kinds: map[spcparams.ObjectType]*kindClient{
			spcparams.TypeSecret: kind(secretReader{secrets}),
			spcparams.TypeCert:   kind(certificateReader{certificates}),
			spcparams.TypeKey:    kind(keyReader{keys}),
		},
	}, nil
}

// drop drops all that is held.
func (v *vault) drop() {
	v.readings.drop()
	v.lists.drop()
}
