// Package source is the port behind which secrets are kept: controllers ask a [Source], and know neither Key Vault nor
// Entra.
//
// A Source answers object by object, so that one that is missing or disabled does not take the others with it. Every
// failure is a [secretstore/internal/fault.Error]. Values travel in redacting types.
package source

import (
	"context"
	"time"

	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// Source fetches objects from where they are kept.
type Source interface {
	// Fetch answers for the request's objects. It is called once for each check of a SecretSync, concurrently for different
	// ones, and gives one answer for each object, in their order. Where too many are being answered already, all answers
	// fail with a fault of kind Deferred, and the request's Wake is called when it is worth asking again.
	Fetch(ctx context.Context, req Request) []Answer

	// Expect tells when the request's objects will be asked for next. It is called after each check, so that a Source can judge
	// whether to ask for them one by one or all together.
	Expect(req Request, at time.Time)

	// Forget drops all that is held for the service account (tokens, connections, answers). It is called when the account is
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
	// Seen are the stamps that earlier answers gave, in the order of Objects. An object that is as it was then is answered
	// as Unchanged, without its value. Nil, or a zero stamp, wants the value in any case.
	Seen []Stamp
	// NotBefore is the age that answers may have: one that was read before it is not good enough. The zero time takes any that
	// is held, which is none older than half a minute.
	NotBefore time.Time
	// Edited is when somebody last changed what is asked for: what was refused before that may be granted now.
	Edited time.Time
	// Who names the caller, as no other is named: one that asks again after a Deferred answer keeps its turn.
	Who string
	// Wake is called, once at most, after a Deferred answer when there is room. It must not block.
	Wake func()
}

// Answer is what became of one object.
type Answer struct {
	// Result is the versions that the object asks for, each with its own failure, or why there are none.
	secretdata.Result
	// Stamp stands for the object's state, for Request.Seen; zero if it cannot be told.
	Stamp Stamp
	// Unchanged says that the object is in the state of the stamp that was seen; Result is empty.
	Unchanged bool
	// Read is when reading began, by the clock of this process; of an object that is unchanged, when that was learnt.
	Read time.Time
}

// Stamp stands for the state in which an object was read; the zero Stamp for none. Only the Source that gave it can compare it
// with another: two that are equal need not mean the same value.
type Stamp struct {
	// Versions tells the object's versions from others.
	Versions string
	// Updated is when the latest of them was changed, and Read when they were read, both by the clock of the vault, in seconds
	// since 1970.
	Updated, Read int64
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
