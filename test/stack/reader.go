package stack

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// Reader reads the objects of one vault as one principal with a client secret, as the Azure provider of the Secrets Store CSI
// driver does with a service principal's. It keeps its token.
type Reader struct {
	secrets      *azsecrets.Client
	keys         *azkeys.Client
	certificates *azcertificates.Client
}

// Reader makes a reader of a vault. Nothing is asked before its first read.
func (s *Stack) Reader(vault string, o Operator) (*Reader, error) {
	credential, options, err := s.signIn(o)
	if err != nil {
		return nil, err
	}
	r := &Reader{}
	secrets := &azsecrets.ClientOptions{ClientOptions: options}
	if r.secrets, err = azsecrets.NewClient(vaultURL(vault), credential, secrets); err != nil {
		return nil, fmt.Errorf("making a client of vault %s: %w", vault, err)
	}
	if r.keys, err = azkeys.NewClient(vaultURL(vault), credential, &azkeys.ClientOptions{ClientOptions: options}); err != nil {
		return nil, fmt.Errorf("making a client of vault %s: %w", vault, err)
	}
	certificates := &azcertificates.ClientOptions{ClientOptions: options}
	if r.certificates, err = azcertificates.NewClient(vaultURL(vault), credential, certificates); err != nil {
		return nil, fmt.Errorf("making a client of vault %s: %w", vault, err)
	}
	return r, nil
}

// Read gives an object's version, or the latest one, and after it the enabled ones before, newest first, n in all if there are so
// many. Of keys and certificates it reads one version only.
func (r *Reader) Read(ctx context.Context, o spcparams.Object, n int) ([]secretdata.Fetched, error) {
	versions := []string{o.Version}
	if n > 1 && o.Type == spcparams.TypeSecret {
		var err error
		if versions, err = r.history(ctx, o.Name, n); err != nil {
			return nil, fmt.Errorf("listing versions of secret %s: %w", o.Name, err)
		}
	}
	var found []secretdata.Fetched
	for _, version := range versions {
		one, err := r.one(ctx, o, version)
		if err != nil {
			return nil, fmt.Errorf("reading %s %s: %w", o.Type, o.Name, err)
		}
		found = append(found, one)
	}
	return found, nil
}

// one reads a version of an object.
func (r *Reader) one(ctx context.Context, o spcparams.Object, version string) (secretdata.Fetched, error) {
	switch o.Type {
	case spcparams.TypeKey:
		answer, err := r.keys.GetKey(ctx, o.Name, version, nil)
		if err != nil {
			return secretdata.Fetched{}, err
		}
		key, err := publicKey(answer.Key)
		return secretdata.Fetched{Version: answer.Key.KID.Version(), Key: key}, err
	case spcparams.TypeCert:
		answer, err := r.certificates.GetCertificate(ctx, o.Name, version, nil)
		if err != nil {
			return secretdata.Fetched{}, err
		}
		return secretdata.Fetched{Version: answer.ID.Version(), CER: answer.CER}, nil
	default:
		answer, err := r.secrets.GetSecret(ctx, o.Name, version, nil)
		if err != nil {
			return secretdata.Fetched{}, err
		}
		f := secretdata.Fetched{Version: answer.ID.Version(), HasKey: answer.KID != nil, Value: redact.New([]byte(*answer.Value))}
		if answer.ContentType != nil {
			f.ContentType = *answer.ContentType
		}
		return f, nil
	}
}

// history lists the newest n enabled versions of a secret.
func (r *Reader) history(ctx context.Context, name string, n int) ([]string, error) {
	type version struct {
		id      string
		created time.Time
	}
	var all []version
	for pager := r.secrets.NewListSecretPropertiesVersionsPager(name, nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Value {
			if *item.Attributes.Enabled {
				all = append(all, version{item.ID.Version(), *item.Attributes.Created})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b version) int { return b.created.Compare(a.created) })
	ids := make([]string, 0, n)
	for _, v := range all[:min(n, len(all))] {
		ids = append(ids, v.id)
	}
	return ids, nil
}
