package akv

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
)

type secretReader struct{ client *azsecrets.Client }

func (r secretReader) get(ctx context.Context, name, version string) (secretdata.Fetched, error) {
	answer, err := r.client.GetSecret(ctx, name, version, nil)
	if err != nil {
		return secretdata.Fetched{}, err
	}
	if answer.ID == nil || answer.Value == nil {
		return secretdata.Fetched{}, errIncomplete
	}
	return secretdata.Fetched{
		Version:     answer.ID.Version(),
		Value:       redact.FromString(*answer.Value),
		ContentType: value(answer.ContentType),
		HasKey:      answer.KID != nil,
	}, nil
}

func (r secretReader) versions(ctx context.Context, name string) ([]versionInfo, error) {
	return collect(ctx, r.client.NewListSecretPropertiesVersionsPager(name, nil),
		func(page azsecrets.ListSecretPropertiesVersionsResponse) (infos []versionInfo) {
			for _, item := range page.Value {
				if item.ID != nil && item.Attributes != nil {
					infos = append(infos, info(item.ID.Version(), item.Attributes.Created, item.Attributes.Enabled))
				}
			}
			return infos
		})
}

type certificateReader struct{ client *azcertificates.Client }

func (r certificateReader) get(ctx context.Context, name, version string) (secretdata.Fetched, error) {
	answer, err := r.client.GetCertificate(ctx, name, version, nil)
	if err != nil {
		return secretdata.Fetched{}, err
	}
	if answer.ID == nil || len(answer.CER) == 0 {
		return secretdata.Fetched{}, errIncomplete
	}
	if answer.Attributes != nil && !enabled(answer.Attributes.Enabled) {
		return secretdata.Fetched{}, errDisabled
	}
	return secretdata.Fetched{Version: answer.ID.Version(), CER: answer.CER}, nil
}

func (r certificateReader) versions(ctx context.Context, name string) ([]versionInfo, error) {
	return collect(ctx, r.client.NewListCertificatePropertiesVersionsPager(name, nil),
		func(page azcertificates.ListCertificatePropertiesVersionsResponse) (infos []versionInfo) {
			for _, item := range page.Value {
				if item.ID != nil && item.Attributes != nil {
					infos = append(infos, info(item.ID.Version(), item.Attributes.Created, item.Attributes.Enabled))
				}
			}
			return infos
		})
}

type keyReader struct{ client *azkeys.Client }

func (r keyReader) get(ctx context.Context, name, version string) (secretdata.Fetched, error) {
	answer, err := r.client.GetKey(ctx, name, version, nil)
	if err != nil {
		return secretdata.Fetched{}, err
	}
	if answer.Key == nil || answer.Key.KID == nil || answer.Key.Kty == nil {
		return secretdata.Fetched{}, errIncomplete
	}
	if answer.Attributes != nil && !enabled(answer.Attributes.Enabled) {
		return secretdata.Fetched{}, errDisabled
	}
	jwk := answer.Key
	public := secretdata.JWK{
		Type: string(*jwk.Kty), Curve: string(value(jwk.Crv)), N: jwk.N, E: jwk.E, X: jwk.X, Y: jwk.Y,
	}
	key, err := public.PublicKey()
	if err != nil {
		return secretdata.Fetched{}, unusable{err}
	}
	return secretdata.Fetched{Version: jwk.KID.Version(), Key: key}, nil
}

func (r keyReader) versions(ctx context.Context, name string) ([]versionInfo, error) {
	return collect(ctx, r.client.NewListKeyPropertiesVersionsPager(name, nil),
		func(page azkeys.ListKeyPropertiesVersionsResponse) (infos []versionInfo) {
			for _, item := range page.Value {
				if item.KID != nil && item.Attributes != nil {
					infos = append(infos, info(item.KID.Version(), item.Attributes.Created, item.Attributes.Enabled))
				}
			}
			return infos
		})
}

// collect reads all pages of a list.
func collect[T any](ctx context.Context, pager *runtime.Pager[T], infos func(T) []versionInfo) ([]versionInfo, error) {
	var all []versionInfo
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, infos(page)...)
	}
	return all, nil
}

func info(version string, created *time.Time, isEnabled *bool) versionInfo {
	return versionInfo{version: version, created: value(created), enabled: enabled(isEnabled)}
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
