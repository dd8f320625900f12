package entra

import (
	"context"
	"errors"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"secretstore/internal/fault"
)

// Prove asks Entra once for a token for vaults, which is thrown away: whether it takes the service account's token cannot be
// known in another way. Its errors are faults.
func (c *Credential) Prove(ctx context.Context) error {
	_, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}})
	return err
}

// MayPass tells whether the same exchange may succeed some minutes later though nobody does anything: Entra was not reached or
// throttles, or refuses in a way in which it also refuses while a new identity or credential is not known everywhere.
func MayPass(err error) bool {
	found, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return false
	}
	refused, ok := errors.AsType[*refusedError](found.Detail)
	if !ok || found.Kind != fault.IdentityRejected {
		return found.Kind == fault.Throttled || found.Kind == fault.Unreachable || found.Kind == fault.Deferred
	}
	late := []int{codeNoMatch, codeNoCredentials, codeWrongIssuer, codeWrongSubject, codeUnknownClient}
	return len(refused.body.Codes) > 0 && slices.Contains(late, refused.body.Codes[0])
}
