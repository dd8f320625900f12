package az

import (
	"context"
	"fmt"
	"slices"

	"secretstore/internal/azure/entra"
	"secretstore/internal/migrate/model"
)

// Exchange does once what a plan's login with a federated token is for: it trades a service account's token for one of the
// identity, and throws that away. The error says Entra's reason and the cure; [entra.MayPass] tells whether time cures it.
func (r *Runner) Exchange(ctx context.Context, gate model.Gate, of model.Token, token string) error {
	all := r.Clouds.All()
	if unnamed, err := r.Clouds.Named(""); err == nil { // the operator's own may share an audience with one of Azure's
		all = append([]entra.Cloud{unnamed}, all...)
	}
	at := slices.IndexFunc(all, func(c entra.Cloud) bool { return c.TokenAudience == of.Audience })
	if at < 0 {
		return fmt.Errorf("waiting until Entra takes tokens of %s/%s: no cloud has the audience %s", of.Namespace, of.Account,
			of.Audience)
	}
	credential, err := entra.NewCredential(all[at], r.Transport, entra.Subject{
		TenantID: gate.Tenant, ClientID: gate.Client, Namespace: of.Namespace, ServiceAccount: of.Account,
	}, func(context.Context, string) (string, error) { return token, nil })
	if err != nil {
		return err
	}
	if err := credential.Prove(ctx); err != nil {
		return fmt.Errorf("waiting until Entra takes tokens of %s/%s: %w", of.Namespace, of.Account, err)
	}
	return nil
}
