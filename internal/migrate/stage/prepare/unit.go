package prepare

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// unit is a service account to be: what one identity reads in one namespace.
type unit struct {
	namespace string
	tenant    string // as the class writes it, empty where it does not
	cloud     string
	// principal is the old one: a client ID, the name of a Secret whose client ID is not known, model.AnswerNoCredential, or
	// empty where nothing tells it any more.
	principal string
	// client is the client ID that is settled already; kept says that it comes from the old class, foreign that it is an identity
	// of another tenant or cloud, which the operator named.
	client        string
	kept, foreign bool
	// proven says that a SecretSync of the account has succeeded, so that identity, credential and rights are there.
	proven     bool
	account    string
	credential string
	classes    []model.Class
	// pieces are the patches of the classes, which may name other vaults.
	pieces []model.Class
}

func (u *unit) classNames() []string {
	names := make([]string, 0, len(u.classes))
	for _, c := range u.classes {
		names = append(names, c.Object.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// vaults are the vaults that the unit's classes read, in lower case, sorted.
func (u *unit) vaults() []string {
	var vaults []string
	for _, c := range u.classes {
		if name := c.Params.VaultName; name != "" {
			vaults = append(vaults, lowerVault(name))
		}
	}
	slices.Sort(vaults)
	return slices.Compact(vaults)
}

// lowerVault is a vault's name as it is compared. A variable keeps its case.
func lowerVault(name string) string {
	if strings.Contains(name, "${") {
		return name
	}
	return strings.ToLower(name)
}

// servicePrincipal is the client ID of the old principal, empty if there was none or it is not known.
func (u *unit) servicePrincipal() string {
	if !isClientID(u.principal) {
		return ""
	}
	return u.principal
}

// isClientID tells a client ID from the name of a Secret, which may have the same letters but hardly the same form.
func isClientID(s string) bool {
	parts := strings.Split(s, "-")
	return len(s) == 36 && len(parts) == 5 && strings.Trim(strings.ToLower(s), "0123456789abcdef-") == ""
}

// successor is what an earlier run made of a class.
type successor struct {
	client, account string
	proven          bool
}

// successorOf finds what reads a class the new way: the class itself, edited in place, its twin, or an AKVSync in its stead.
func (p *planner) successorOf(c model.Class) (successor, bool) {
	for _, o := range p.survey.Existing {
		if o.Namespace != c.Object.Namespace || !p.follows(c, o) {
			continue
		}
		if o.Kind == "AKVSync" {
			return successor{text(o, "spec", "clientID"), text(o, "spec", "serviceAccountName"), synced(o)}, true
		}
		for _, sync := range p.survey.Existing {
			account := text(sync, "spec", "serviceAccountName")
			client := text(o, "spec", "parameters", "clientID")
			if sync.Kind == "SecretSync" && sync.Namespace == o.Namespace && account != "" && client != "" &&
				text(sync, "spec", "secretProviderClassName") == o.Name {
				return successor{client, account, synced(sync)}, true
			}
		}
	}
	return successor{}, false
}

// follows tells whether an object is a class, or its twin of the same vault.
func (p *planner) follows(c model.Class, o model.Object) bool {
	if o.Name == c.Object.Name {
		return o.Kind == "SecretProviderClass"
	}
	vault := cmp.Or(text(o, "spec", "parameters", "keyvaultName"), text(o, "spec", "keyvaultName"))
	return strings.HasPrefix(o.Name, c.Object.Name+"-sse") && strings.EqualFold(vault, c.Parameters["keyvaultName"]) &&
		!slices.ContainsFunc(p.survey.Classes, func(other model.Class) bool {
			return other.Object.Ref == o.Ref && len(other.UsedBy) > 0
		})
}

// synced tells whether a SecretSync or AKVSync says that it has worked.
func synced(o model.Object) bool {
	if text(o, "status", "lastSuccessfulSyncTime") != "" {
		return true
	}
	objects, _ := model.Path{"status", "objects"}.Get(o.Content)
	list, _ := objects.([]any)
	return slices.ContainsFunc(list, func(entry any) bool {
		time, _ := model.Path{"lastSuccessfulSyncTime"}.Get(entry)
		return time != nil && time != ""
	})
}

// principals are those that a class is mounted as, sorted. Patches do not count, as they do not in stage inventory's question:
// the new identity takes the place of what they name as well.
func (p *planner) principals(c model.Class) []string {
	var found []string
	for _, w := range p.survey.Workloads {
		if w.Object.Namespace != c.Object.Namespace || w.Object.Partial {
			continue
		}
		for _, v := range w.Volumes {
			if v.Class == c.Object.Name {
				found = append(found, p.principalOf(w.Object.Namespace, v.Credential))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// principalOf is who a volume signs in as, as stage inventory names it in its question.
func (p *planner) principalOf(namespace, credential string) string {
	if credential == "" {
		return model.AnswerNoCredential
	}
	for _, c := range p.survey.Credentials {
		if c.Ref.Namespace == namespace && c.Ref.Name == credential && c.ClientID != "" {
			return c.ClientID
		}
	}
	return credential
}
