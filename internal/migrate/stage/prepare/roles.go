package prepare

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/spcparams"
)

// Built-in roles of Azure, by the names that its commands take.
const (
	roleReader       = "Key Vault Reader"
	roleSecrets      = "Key Vault Secrets User"
	roleCertificates = "Key Vault Certificate User"
)

// The answers to the question how far a role reaches.
const (
	answerVault  = "vault"
	answerSecret = "secret"
)

// need is what an identity has to read of one vault.
type need struct {
	vault        string // as the first class writes it
	subscription string // of the vault, where a class says it
	kinds        map[spcparams.ObjectType]bool
	listed       map[spcparams.ObjectType]bool // those of which a history is asked for
	secrets      []string
}

// needs are those of an identity, by vault, sorted.
func needs(id *identity) []*need {
	var all []*need
	for _, u := range id.units {
		for _, c := range slices.Concat(u.classes, u.pieces) {
			if c.Params.VaultName == "" {
				continue
			}
			at := slices.IndexFunc(all, func(n *need) bool { return lowerVault(n.vault) == lowerVault(c.Params.VaultName) })
			if at < 0 {
				at = len(all)
				all = append(all, &need{
					vault: c.Params.VaultName, kinds: map[spcparams.ObjectType]bool{}, listed: map[spcparams.ObjectType]bool{},
				})
			}
			all[at].add(c)
		}
	}
	slices.SortFunc(all, func(a, b *need) int { return strings.Compare(lowerVault(a.vault), lowerVault(b.vault)) })
	return all
}

// add adds what a class reads.
func (n *need) add(c model.Class) {
	n.subscription = cmp.Or(n.subscription, strings.TrimSpace(c.Parameters["subscriptionId"]))
	for _, o := range c.Params.Objects {
		n.kinds[o.Type] = true
		n.listed[o.Type] = n.listed[o.Type] || o.History > 1
		if o.Type == spcparams.TypeSecret {
			n.secrets = append(n.secrets, o.Name)
		}
	}
	slices.Sort(n.secrets)
	n.secrets = slices.Compact(n.secrets)
}

// roles are those that an identity needs on the vault.
func (n *need) roles(choice model.Roles) []string {
	secrets := n.kinds[spcparams.TypeSecret]
	others := n.kinds[spcparams.TypeCert] || n.kinds[spcparams.TypeKey]
	switch {
	case choice == model.RolesGuide:
		return []string{roleReader, roleSecrets}
	case secrets && others:
		return []string{roleCertificates}
	case others:
		return []string{roleReader} // certificates and public keys, no value of a secret
	}
	return []string{roleSecrets}
}

// permissions are the arguments of an access policy.
func (n *need) permissions(choice model.Roles) []string {
	var words []string
	for _, kind := range []struct {
		of   spcparams.ObjectType
		flag string
	}{
		{spcparams.TypeSecret, "--secret-permissions"},
		{spcparams.TypeCert, "--certificate-permissions"},
		{spcparams.TypeKey, "--key-permissions"},
	} {
		if choice != model.RolesGuide && !n.kinds[kind.of] {
			continue
		}
		words = append(words, kind.flag, "get")
		if n.listed[kind.of] {
			words = append(words, "list")
		}
	}
	return words
}

// vaultSteps give the identities their rights. Those that exist already and are kept have theirs.
func (p *planner) vaultSteps() {
	read := map[string]bool{}
	for _, id := range p.identities {
		if id.all(isProven) || id.all(isKept) {
			continue
		}
		for _, n := range needs(id) {
			scope := p.scope(n, read)
			vault, known := p.vault(n.vault)
			if !known || vault.RBAC {
				p.assignRoles(id, n, scope, known)
			}
			if !known || !vault.RBAC {
				p.setPolicy(id, n, known)
			}
		}
	}
}

// vault is what ARM told of a vault, if it was asked and knows it.
func (p *planner) vault(name string) (model.Vault, bool) {
	if p.survey.Azure == nil {
		return model.Vault{}, false
	}
	for _, v := range p.survey.Azure.Vaults {
		if strings.EqualFold(v.Name, name) {
			return v, true
		}
	}
	return model.Vault{}, false
}

// scope is the vault's ARM ID, looked up by its name: a vault need not be in the cluster's resource group.
func (p *planner) scope(n *need, read map[string]bool) string {
	vault, known := p.vault(n.vault)
	if known && vault.ID != "" {
		p.tellPolicies(n, vault, read)
		return vault.ID
	}
	variable := "KEYVAULT_ID_" + model.Variable(strings.Trim(n.vault, "${}"))
	if read[variable] {
		return reference(variable)
	}
	read[variable] = true
	code := codeVaultRead
	if p.survey.Azure != nil {
		code = codeVaultGone
	}
	p.tell(code, clusterObject(), "What the vault %s is like, and who decides about access to it, was not seen.", n.vault)
	p.readVault(n, "id", variable)
	p.readVault(n, "properties.enableRbacAuthorization", n.rbacVariable())
	return reference(variable)
}

// rbacVariable is `true` where roles rule the vault.
func (n *need) rbacVariable() string {
	return "KEYVAULT_RBAC_" + model.Variable(strings.Trim(n.vault, "${}"))
}

// readVault reads a field of a vault, which is found by its name.
func (p *planner) readVault(n *need, field, variable string) {
	c := p.step(orderVaultRead, model.Run, "vault", n.vault, field)
	c.Command = []string{"az", "keyvault", "show", "--name", n.vault, "--query", field, "--output", "tsv"}
	if n.subscription != "" {
		c.Command = append(c.Command, "--subscription", n.subscription)
	}
	c.Sets = variable
	c.Summary = "Look the vault " + n.vault + " up by its name (" + field + ")."
	c.Needs = []string{"the vault is in the subscription that az uses; if it is not, add --subscription"}
	c.Undo = "Nothing is changed by reading."
	p.azure(c)
}

// tellPolicies says once of a vault that access policies rule it.
func (p *planner) tellPolicies(n *need, vault model.Vault, told map[string]bool) {
	if !vault.RBAC && !told[vault.ID] {
		told[vault.ID] = true
		p.tell(codePolicies, clusterObject(), "The vault %s is ruled by access policies, not by roles.", n.vault)
	}
}

// assignRoles gives roles on a vault, or on single secrets where that was asked for.
func (p *planner) assignRoles(id *identity, n *need, scope string, known bool) {
	scopes := []string{scope}
	roles := n.roles(p.options.Roles)
	if p.narrow(id, n, roles) {
		scopes = nil
		for _, secret := range n.secrets {
			scopes = append(scopes, scope+"/secrets/"+secret)
		}
	}
	for _, role := range roles {
		for _, s := range scopes {
			c := p.assignRole(id, n.vault, role, s)
			if !known {
				c.When = n.rbacVariable() + "=true"
			}
			p.azure(c)
		}
	}
}

// narrow asks whether each secret gets a role of its own. The vault as a whole is what the plan takes otherwise.
func (p *planner) narrow(id *identity, n *need, roles []string) bool {
	if p.options.Roles == model.RolesGuide || !slices.Equal(roles, []string{roleSecrets}) || len(n.secrets) == 0 {
		return false
	}
	answer, _ := p.plan.Ask(p.options, model.Decision{
		ID: string(codeScope) + "/" + id.key() + "/" + n.vault, Code: codeScope,
		Question: "Shall " + id.name + " read the whole vault " + n.vault + ", or only the secrets that its classes name?",
		Options: []model.Option{
			{Answer: answerVault, Means: "One role assignment; classes may name further secrets without another."},
			{Answer: answerSecret, Means: "One role assignment for each secret; the vault cannot be listed, so that every check " +
				"reads each secret, and a new secret needs a new assignment."},
		},
		Proposal: answerVault,
	}, model.Finding{})
	return answer == answerSecret
}

// assignRole gives one role at one scope. Giving it again changes nothing.
func (p *planner) assignRole(id *identity, vault, role, scope string) model.Change {
	what := []string{"role", id.name, vault, strings.ReplaceAll(role, " ", "-")}
	if _, secret, single := strings.Cut(scope, "/secrets/"); single {
		what = append(what, secret)
	}
	c := p.step(orderRole, model.Run, what...)
	c.Command = []string{
		"az", "role", "assignment", "create", "--role", role, "--assignee-object-id", id.principalWord(),
		"--assignee-principal-type", "ServicePrincipal", "--scope", scope,
	}
	c.Summary = "Let " + id.name + " read the vault " + vault + " as " + role + "; it takes up to 10 minutes until that is known " +
		"everywhere."
	c.Needs = []string{"the right to assign roles on the vault"}
	c.Undo = "az role assignment delete --assignee " + id.principalWord() + " --role '" + role + "' --scope \"" + scope + "\""
	return c
}

// setPolicy gives an access policy.
func (p *planner) setPolicy(id *identity, n *need, known bool) {
	c := p.step(orderRole, model.Run, "policy", id.name, n.vault)
	c.Command = append([]string{
		"az", "keyvault", "set-policy", "--name", n.vault, "--object-id", id.principalWord(),
	}, n.permissions(p.options.Roles)...)
	if n.subscription != "" {
		c.Command = append(c.Command, "--subscription", n.subscription)
	}
	c.Summary = "Let " + id.name + " read the vault " + n.vault + " by an access policy."
	if !known {
		c.When = n.rbacVariable() + "!=true"
		c.Summary += " (Only if access policies rule it: with roles, the command is refused, and the role assignments do.)"
	}
	c.Needs = []string{"the right to write access policies of the vault"}
	c.Undo = "az keyvault delete-policy --name " + n.vault + " --object-id " + id.principalWord()
	p.azure(c)
}
