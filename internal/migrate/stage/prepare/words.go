package prepare

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
)

// The guide's variables, which stand for what was not told.
const (
	varSubscription   = "${SUBSCRIPTION}"
	varGroup          = "${RESOURCE_GROUP}"
	varCluster        = "${CLUSTER_NAME}"
	varLocation       = "${LOCATION}"
	varTenant         = "${AZURE_TENANT_ID}"
	varIdentity       = "${USER_ASSIGNED_IDENTITY_NAME}"
	varClientID       = "USER_ASSIGNED_CLIENT_ID"
	varPrincipalID    = "USER_ASSIGNED_PRINCIPAL_ID"
	varIssuer         = "SERVICE_ACCOUNT_ISSUER"
	varNamespace      = "${KUBERNETES_NAMESPACE}"
	defaultAccount    = "secretstore"
	maxCredentialName = 120
)

func (p *planner) subscription() string { return cmp.Or(p.options.Azure.Subscription, varSubscription) }
func (p *planner) group() string        { return cmp.Or(p.options.Azure.ResourceGroup, varGroup) }
func (p *planner) cluster() string      { return cmp.Or(p.options.Azure.Cluster, varCluster) }
func (p *planner) location() string     { return cmp.Or(p.options.Azure.Location, varLocation) }

// tenantOf is the tenant that an identity signs in to.
func (p *planner) tenantOf(id *identity) string {
	for _, u := range id.units {
		if u.tenant != "" {
			return u.tenant
		}
	}
	return cmp.Or(p.options.Azure.Tenant, varTenant)
}

// numbered is a name, or the name of a variable, for the n-th of its kind.
func numbered(name, separator string, n int) string {
	if n < 2 {
		return name
	}
	return name + separator + strconv.Itoa(n)
}

// reference is how a variable is used.
func reference(variable string) string { return "${" + variable + "}" }

// isVariable tells whether a text is a variable that a pipeline fills in.
func isVariable(text string) bool {
	return strings.HasPrefix(text, "${") && strings.HasSuffix(text, "}")
}

// numberOf is the n of the variable that stands for the n-th identity's client ID, 0 for anything else.
func numberOf(client string) int {
	if client == reference(varClientID) {
		return 1
	}
	rest, found := strings.CutPrefix(client, "${"+varClientID+"_")
	n, err := strconv.Atoi(strings.TrimSuffix(rest, "}"))
	if !found || err != nil || n < 2 {
		return 0
	}
	return n
}

// credentialName is `<cluster>-<namespace>-<account>`, as Azure allows it: 3 to 120 letters, digits, hyphens and underscores,
// the first of them a letter or a digit. What had to be changed or cut ends with a digest of the whole, so that it stays unique.
func credentialName(cluster, namespace, account string) string {
	whole := namespace + "-" + account
	if cluster != "" {
		whole = cluster + "-" + whole
	}
	changed := outsideVariables(whole, func(r rune) rune {
		if strings.ContainsRune("-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", r) {
			return r
		}
		return '-'
	})
	changed = strings.TrimLeft(changed, "-_")
	if changed == whole && len(changed) >= 3 && len(changed) <= maxCredentialName {
		return changed
	}
	// The parts are kept apart in the digest: `a-b`, `c` and `a`, `b-c` would be one name otherwise.
	sum := sha256.Sum256([]byte(strings.Join([]string{cluster, namespace, account}, "\x00")))
	end := "-" + hex.EncodeToString(sum[:])[:8]
	return cmp.Or(changed[:min(len(changed), maxCredentialName-len(end))], "c") + end
}

// outsideVariables maps the characters that stand outside of ${…}.
func outsideVariables(text string, change func(rune) rune) string {
	var b strings.Builder
	for text != "" {
		start := strings.Index(text, "${")
		end := strings.Index(text, "}")
		if start < 0 || end < start {
			break
		}
		b.WriteString(strings.Map(change, text[:start]) + text[start:end+1])
		text = text[end+1:]
	}
	return b.String() + strings.Map(change, text)
}

// subject is how Entra names a service account.
func subject(u *unit) string {
	return "system:serviceaccount:" + cmp.Or(u.namespace, varNamespace) + ":" + u.account
}

// audience is what Entra of a cloud wants tokens to be for.
func audience(cloud string) string {
	switch cloud {
	case "azureusgovernmentcloud", "azureusgovernment":
		return "api://AzureADTokenExchangeUSGov"
	case "azurechinacloud":
		return "api://AzureADTokenExchangeChina"
	}
	return "api://AzureADTokenExchange"
}

// cloudOf is a class's cloud in lower case; the public one is empty, however it is written.
func cloudOf(c model.Class) string {
	name := strings.ToLower(strings.TrimSpace(c.Params.CloudName))
	if name == "azurepubliccloud" || name == "azurecloud" {
		return ""
	}
	return name
}

// text is a string within an object, empty where there is none.
func text(o model.Object, path ...any) string {
	value, _ := model.Path(path).Get(o.Content)
	s, _ := value.(string)
	return s
}
