package akv

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"secretstore/internal/azure/entra"
	"secretstore/internal/fault"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// vault is one vault as one identity sees it.
type vault struct {
	name  string
	kinds map[spcparams.ObjectType]*kindClient
}

// kindClient reads one kind of object.
type kindClient struct {
	reader reader
	gate   gate
}

// reader is what the three clients of the Azure SDK have in common for us.
type reader interface {
	// get reads one version, the latest if version is "".
	get(ctx context.Context, name, version string) (secretdata.Fetched, error)
	// versions lists what versions there are, in any order, never their values.
	versions(ctx context.Context, name string) ([]versionInfo, error)
}

func newVault(cloud entra.Cloud, client *http.Client, credential azcore.TokenCredential, name string) (*vault, error) {
	url, options := cloud.VaultURL(name), cloud.ClientOptions(client)
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
	return &vault{name: name, kinds: map[spcparams.ObjectType]*kindClient{
		spcparams.TypeSecret: {reader: secretReader{secrets}},
		spcparams.TypeCert:   {reader: certificateReader{certificates}},
		spcparams.TypeKey:    {reader: keyReader{keys}},
	}}, nil
}

// read fetches the versions that an object asks for. All its errors are faults.
func (v *vault) read(ctx context.Context, object spcparams.Object) secretdata.Result {
	kind, ok := v.kinds[object.Type]
	if !ok {
		return secretdata.Result{Err: fault.New(fault.ClassInvalid, "object %s: there are no objects of type %q",
			object.Name, object.Type)}
	}
	versions, err := v.wanted(ctx, kind, object)
	if err != nil {
		return secretdata.Result{Err: err}
	}
	var result secretdata.Result
	for _, version := range versions {
		var one secretdata.Fetched
		err := kind.gate.do(func() (err error) {
			one, err = kind.reader.get(ctx, object.Name, version)
			return err
		})
		if err != nil {
			op := operation{vault: v.name, object: object, version: version}
			one = secretdata.Fetched{Version: version, Err: explain(err, op)}
		}
		result.Versions = append(result.Versions, one)
	}
	return result
}

// wanted lists the versions to read, the latest first.
func (v *vault) wanted(ctx context.Context, kind *kindClient, object spcparams.Object) ([]string, error) {
	if object.History <= 1 {
		return []string{object.Version}, nil
	}
	var infos []versionInfo
	err := kind.gate.do(func() (err error) {
		infos, err = kind.reader.versions(ctx, object.Name)
		return err
	})
	if err != nil {
		return nil, explain(err, operation{vault: v.name, object: object, listing: true})
	}
	picked, err := pick(infos, object)
	if err != nil {
		return nil, err
	}
	return picked, nil
}

// gate lets the first call through alone. A client learns from the answer to its first call where to get its token;
// calls made meanwhile would each be sent back to learn it again.
type gate struct {
	mu   sync.Mutex
	open bool
}

func (g *gate) do(call func() error) error {
	g.mu.Lock()
	if g.open {
		g.mu.Unlock()
		return call()
	}
	defer g.mu.Unlock()
	err := call()
	g.open = err == nil
	return err
}
