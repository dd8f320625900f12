package model

import (
	"slices"
	"strings"
)

// What stands in a plan for what is known only when a step is carried out.
const (
	// VariableToken is the name of the variable for a token that is minted anew with each try, and written nowhere.
	VariableToken = "FEDERATED_TOKEN"
	// UIDOfSync stands in an owner reference for the UID that the API server gives the SecretSync when it is made.
	UIDOfSync = "${UID_OF_SECRETSYNC}"
	// UIDOfClass stands in one for that of a SecretProviderClass.
	UIDOfClass = "${UID_OF_CLASS}"
)

// Variable makes of any text what may be part of the name of a shell's variable: capitals, digits and underscores.
func Variable(text string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, strings.ToUpper(text)), "_")
}

// IsPlans tells the variables that plans themselves use: those of Microsoft's guide, and those that are named after an identity
// or a vault. Any other is a text that somebody put into an object of the cluster, and means nothing to this program: the
// operator's environment, which may hold the secret of a login, is not looked into for it.
func IsPlans(name string) bool {
	whole := []string{
		"SUBSCRIPTION", "RESOURCE_GROUP", "CLUSTER_NAME", "LOCATION", "AZURE_TENANT_ID", "SERVICE_ACCOUNT_NAME",
		"SERVICE_ACCOUNT_ISSUER", "AKV_SPE_EXTENSION_NAME", "HELM_RELEASE", "HELM_NAMESPACE", "SECRETSTORE_IMAGE_REPOSITORY",
		"SECRETSTORE_IMAGE_DIGEST", "USER_ASSIGNED_IDENTITY_NAME", "USER_ASSIGNED_CLIENT_ID", "USER_ASSIGNED_PRINCIPAL_ID",
		"IDENTITY_RESOURCE_GROUP",
	}
	numbered := []string{
		"USER_ASSIGNED_IDENTITY_NAME_", "USER_ASSIGNED_CLIENT_ID_", "USER_ASSIGNED_PRINCIPAL_ID_", "IDENTITY_RESOURCE_GROUP_",
		"KEYVAULT_ID_", "KEYVAULT_RBAC_", "OLD_OBJECT_ID_", "OLD_ROLES_", "OLD_POLICY_",
	}
	begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	return slices.Contains(whole, name) || slices.ContainsFunc(numbered, begins)
}
