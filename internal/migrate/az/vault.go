package az

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/azure/arm"
)

// vaultCommands are those about vaults and their access policies.
func vaultCommands() []command {
	subscription := []string{"--subscription"}
	return []command{
		{
			words: "keyvault show", needs: []string{"--name"}, flags: subscription, run: showVault, queries: []string{
				"(id)", `properties\.(enableRbacAuthorization|tenantId)`,
				`properties\.(accessPolicies)\[\?objectId=='([^']+)'\]\.permissions \| \[0\]`,
			},
		},
		{
			words: "keyvault set-policy", needs: []string{"--name", "--object-id"}, run: setPolicy,
			flags: []string{"--subscription", "--secret-permissions", "--certificate-permissions", "--key-permissions"},
		},
		{words: "keyvault delete-policy", needs: []string{"--name", "--object-id"}, flags: subscription, run: deletePolicy},
	}
}

// findVault looks in every subscription that the login sees, unless one is named.
func (r *Runner) findVault(ctx context.Context, a arguments) (arm.Vault, error) {
	return r.ARM.FindVault(ctx, a.one("--name"), a.one("--subscription"))
}

func showVault(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	vault, err := r.findVault(ctx, a)
	if err != nil {
		return "", false, err
	}
	switch a.query[1] {
	case "enableRbacAuthorization":
		return strconv.FormatBool(vault.RBAC), false, nil
	case "tenantId":
		return vault.Tenant, false, nil
	case "accessPolicies":
		text, err := permissions(vault, a.query[2])
		return text, false, err
	}
	return vault.ID, false, nil
}

// permissions are a principal's as JSON, empty if it has none.
func permissions(v arm.Vault, object string) (string, error) {
	at := slices.IndexFunc(v.AccessPolicies, func(p arm.AccessPolicy) bool { return strings.EqualFold(p.ObjectID, object) })
	if at < 0 {
		return "", nil
	}
	text, err := json.Marshal(v.AccessPolicies[at].Permissions)
	return string(text), err
}

// setPolicy adds permissions; unlike az it takes none that are there.
func setPolicy(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	vault, err := r.findVault(ctx, a)
	if err != nil {
		return "", false, err
	}
	did, err := r.ARM.AddPolicy(ctx, vault, a.one("--object-id"), arm.Permissions{
		Secrets: a.flags["--secret-permissions"], Certificates: a.flags["--certificate-permissions"],
		Keys: a.flags["--key-permissions"],
	})
	return "", did, err
}

func deletePolicy(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	vault, err := r.findVault(ctx, a)
	if err != nil {
		return "", false, err
	}
	did, err := r.ARM.RemovePolicy(ctx, vault, a.one("--object-id"))
	return "", did, err
}
