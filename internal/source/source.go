// Package source is the port behind which secrets are kept: controllers ask a [Source], and know neither Key Vault nor
// Entra.
//
// A Source answers object by object, so that one that is missing or disabled does not take the others with it. Every
// failure is a [secretstore/internal/fault.Error]. Values travel in redacting types.
package source

import (
	"context"

	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// Source fetches objects from where they are kept.
type Source interface {
	// Fetch reads the request's objects. It is called once for each check of a SecretSync, concurrently for different
	// ones, and answers with one result for each object, in their order: the versions that the object asks for, each
	// with its own failure, or why there are none.
	Fetch(ctx context.Context, req Request) []secretdata.Result

	// Forget drops all that is held for the service account (tokens, connections). It is called when the account is
	// gone or has been replaced by another of the same name.
	Forget(account ServiceAccount)
}

// Request says what to fetch, from where, and as whom.
type Request struct {
	// Identity is who asks. Answers and tokens are never shared between two identities.
	Identity Identity
	// Vault is the vault's name, without its DNS suffix.
	Vault string
	// Objects are what to read.
	Objects []spcparams.Object
}

// Identity is who asks a vault: a managed identity, by way of one service account that is federated with it. It is
// comparable, and equal only where every part is.
type Identity struct {
	// Cloud names the Azure cloud, as the SecretProviderClass does; empty for the default.
	Cloud string
	// TenantID is the Entra tenant, by ID or domain.
	TenantID string
	// ClientID is the client ID of the managed identity or application.
	ClientID string
	// Account is whose token is exchanged.
	Account ServiceAccount
}

// ServiceAccount is one life of a Kubernetes service account: one that is deleted and made again has another UID.
type ServiceAccount struct {
	Namespace, Name, UID string
}
