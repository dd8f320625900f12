package az

import (
	"context"

	"secretstore/internal/azure/arm"
)

// identityCommands are those about managed identities and what they trust.
func identityCommands() []command {
	group := []string{"--name", "--resource-group"}
	credential := []string{"--name", "--identity-name", "--resource-group"}
	subscription := []string{"--subscription"}
	return []command{
		{words: "identity create", needs: append(group, "--location"), flags: subscription, run: createIdentity},
		{
			words: "identity show", needs: group, flags: subscription, run: showIdentity,
			queries: []string{"(clientId|principalId|tenantId|id|name|resourceGroup)"},
		},
		{
			words: "identity list", needs: subscription, run: findIdentity,
			queries: []string{`\[\?clientId=='([^']+)'\]\.(clientId|principalId|tenantId|id|name|resourceGroup) \| \[0\]`},
		},
		{words: "identity delete", needs: group, flags: subscription, run: deleteIdentity},
		{
			words: "identity federated-credential create", needs: append(credential, "--issuer", "--subject", "--audiences"),
			flags: subscription, run: createCredential,
		},
		{words: "identity federated-credential delete", needs: credential, flags: subscription, run: deleteCredential},
	}
}

func createIdentity(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	_, did, err := r.ARM.MakeIdentity(ctx, r.group(a), a.one("--name"), a.one("--location"))
	return "", did, err
}

func showIdentity(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	identity, err := r.ARM.Identity(ctx, r.group(a), a.one("--name"))
	return identityField(identity, a.query[1]), false, err
}

// findIdentity prints nothing where there is none, as az does.
func findIdentity(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	identity, _, err := r.ARM.IdentityByClient(ctx, a.one("--subscription"), a.query[1])
	return identityField(identity, a.query[2]), false, err
}

func identityField(i arm.Identity, name string) string {
	return map[string]string{
		"clientId": i.ClientID, "principalId": i.PrincipalID, "tenantId": i.TenantID, "id": i.ID, "name": i.Name,
		"resourceGroup": i.ResourceGroup(),
	}[name]
}

func deleteIdentity(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	did, err := r.ARM.DeleteIdentity(ctx, r.group(a), a.one("--name"))
	return "", did, err
}

func createCredential(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	did, err := r.ARM.MakeFederatedCredential(ctx, r.group(a), a.one("--identity-name"), arm.FederatedCredential{
		Name: a.one("--name"), Issuer: a.one("--issuer"), Subject: a.one("--subject"), Audiences: a.flags["--audiences"],
	})
	return "", did, err
}

func deleteCredential(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	did, err := r.ARM.DeleteFederatedCredential(ctx, r.group(a), a.one("--identity-name"), a.one("--name"))
	return "", did, err
}
