package verify

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// principal is an old service principal.
type principal struct {
	client  string
	secrets []model.Ref // that hold its credentials
	vaults  []string    // that classes read with it
	// used says that something else refers to its credentials, busy that volumes still will.
	used, busy bool
}

// principals decides about the old service principals and their rights.
func (p *planner) principals() {
	found := p.findPrincipals()
	for _, old := range found {
		if old.busy {
			continue // stage by stage: its Secret stays, a finding says why
		}
		answer := p.askPrincipal(old)
		if answer == answerKeep {
			continue
		}
		for _, vault := range old.vaults {
			p.revoke(old, vault)
		}
		p.end(old, answer)
	}
	p.tellManaged()
}

// findPrincipals lists the principals of the credentials, sorted by client ID.
func (p *planner) findPrincipals() []*principal {
	var found []*principal
	for _, c := range p.survey.Credentials {
		if c.ClientID == "" || !c.Exists {
			continue
		}
		at := slices.IndexFunc(found, func(o *principal) bool { return strings.EqualFold(o.client, c.ClientID) })
		if at < 0 {
			found = append(found, &principal{client: c.ClientID, vaults: p.vaultsOf(c.ClientID)})
			at = len(found) - 1
		}
		found[at].add(p, c)
	}
	slices.SortFunc(found, func(a, b *principal) int { return strings.Compare(a.client, b.client) })
	return found
}

// add notes a Secret of the principal.
func (old *principal) add(p *planner, c model.Credential) {
	old.secrets = append(old.secrets, c.Ref)
	if len(c.ReadBy) > 0 && p.options.Decisions[model.DecisionID(codeCredUsed, c.Ref)] != answerDelete {
		old.used = true
	}
	for _, ref := range c.UsedBy {
		if w, known := p.workload(ref); !known || !p.done(w) {
			old.busy = true
		}
	}
}

// vaultsOf are the vaults that classes read as a principal, sorted, as they are written.
func (p *planner) vaultsOf(client string) []string {
	var vaults []string
	for _, a := range p.ids.Accounts {
		if !strings.EqualFold(a.Principal, client) {
			continue
		}
		for _, c := range p.survey.Classes {
			if c.Object.Namespace == a.Namespace && slices.Contains(a.Classes, c.Object.Name) && c.Params.VaultName != "" {
				vaults = append(vaults, strings.ToLower(c.Params.VaultName))
			}
		}
	}
	slices.Sort(vaults)
	return slices.Compact(vaults)
}

// askPrincipal asks how far the end of a principal goes. What was not answered is revoked, unless the cluster itself shows that
// something else uses it.
func (p *planner) askPrincipal(old *principal) string {
	d := model.Decision{
		ID: string(codePrincipal) + "/" + old.client, Code: codePrincipal,
		Question: "Do other clusters, pipelines or people use the service principal " + old.client + "? What becomes of it?",
		Options: []model.Option{
			{Answer: answerKeep, Means: "It is used elsewhere: nothing in Azure is changed."},
			{Answer: answerRevoke, Means: "Its rights on the vaults of this cluster are revoked, last of all; it stays otherwise."},
			{Answer: answerDisable, Means: "Its rights are revoked, and nobody can sign in as it any more until it is enabled again."},
			{Answer: answerDelete, Means: "Its rights are revoked, and its app registration is deleted (restorable for 30 days)."},
		},
		Proposal: answerRevoke,
	}
	if old.used {
		d.Proposal = answerKeep
	}
	answer, _ := p.plan.Ask(p.options, d, model.Finding{})
	p.tell(codePrincipal, model.Object{}, "The service principal %s of %s: "+
		"%s.", old.client, model.Counted(len(old.secrets), "Secret"), map[string]string{
		answerKeep: "stays as it is", answerRevoke: "its rights are revoked last", answerDisable: "is disabled last",
		answerDelete: "is deleted last",
	}[answer])
	return answer
}

// end disables or deletes a principal.
func (p *planner) end(old *principal, answer string) {
	c := step(model.OrderCleanup+cleanPrincipal, model.Run, "principal", old.client)
	c.Irreversible = true
	c.Needs = []string{"nobody else uses the principal: its sign-in log in Entra is empty for some weeks"}
	switch answer {
	case answerDisable:
		c.Command = []string{"az", "ad", "sp", "update", "--id", old.client, "--set", "accountEnabled=false"}
		c.Summary = "Disable the service principal " + old.client + "."
		c.Undo = "az ad sp update --id " + old.client + " --set accountEnabled=true"
	case answerDelete:
		c.Command = []string{"az", "ad", "app", "delete", "--id", old.client}
		c.Summary = "Delete the app registration of the service principal " + old.client + "."
		c.Undo = "Within 30 days, with the object ID that `az ad app show --id " + old.client + " --query id` gave before: az rest " +
			"--method POST --url https://graph.microsoft.com/v1.0/directory/deletedItems/OBJECT_ID/restore; then give the rights again."
	default:
		return
	}
	c.Risk = "Everything that signs in as it stops: other clusters, pipelines, people."
	p.azure(c)
}

// revoke takes a principal's rights on a vault, by roles or by the access policy, after writing down what they were.
func (p *planner) revoke(old *principal, vault string) {
	known := p.vault(vault)
	mark := model.Variable(strings.Trim(vault, "${}"))
	scope, when := "${KEYVAULT_ID_"+mark+"}", ""
	if known == nil {
		when = "KEYVAULT_RBAC_" + mark
		p.read("vault", vault, "id", "KEYVAULT_ID_"+mark)
		p.read("vault", vault, "properties.enableRbacAuthorization", when)
	} else {
		scope = known.ID
	}
	if known == nil || known.RBAC {
		p.revokeRoles(old, vault, scope, when)
	}
	if known == nil || !known.RBAC {
		p.revokePolicy(old, vault, when)
	}
}

// vault is what ARM told of a vault, nil if nothing.
func (p *planner) vault(name string) *model.Vault {
	if p.survey.Azure == nil {
		return nil
	}
	at := slices.IndexFunc(p.survey.Azure.Vaults, func(v model.Vault) bool { return strings.EqualFold(v.Name, name) && v.ID != "" })
	if at < 0 {
		return nil
	}
	return &p.survey.Azure.Vaults[at]
}

// read reads a field of a vault, once.
func (p *planner) read(what, vault, field, variable string) {
	c := step(model.OrderCleanup+cleanRead, model.Run, what, vault, field)
	if slices.ContainsFunc(p.plan.Changes, func(o model.Change) bool { return o.ID == c.ID }) {
		return
	}
	c.Command = []string{"az", "keyvault", "show", "--name", vault, "--query", field, "--output", "tsv"}
	c.Sets, c.Summary, c.Undo = variable, "Look the vault "+vault+" up by its name ("+field+").", "Nothing is changed by reading."
	p.azure(c)
}

// revokeRoles takes the role assignments on the vault itself.
func (p *planner) revokeRoles(old *principal, vault, scope, when string) {
	if when != "" {
		when += "=true"
	}
	variable := "OLD_ROLES_" + model.Variable(vault+"_"+old.client)
	saved := step(model.OrderCleanup+cleanSave, model.Run, "roles", vault, old.client)
	saved.Command = []string{
		"az", "role", "assignment", "list", "--assignee", old.client, "--scope", scope, "--query", "[].roleDefinitionName",
		"--output", "tsv",
	}
	saved.Sets, saved.When = variable, when
	saved.Summary = "Write down the roles that " + old.client + " has on the vault " + vault + "."
	saved.Undo = "Nothing is changed by reading."
	p.azure(saved)
	c := step(model.OrderCleanup+cleanRights, model.Run, "roles-revoked", vault, old.client)
	c.Command = []string{"az", "role", "assignment", "delete", "--assignee", old.client, "--scope", scope}
	c.When, c.Irreversible, c.Needs = when, true, []string{saved.ID}
	c.Summary = "Revoke the roles of the old principal " + old.client + " on the vault " + vault + ". (Those of its group " +
		"or subscription are " +
		"inherited and stay.)"
	c.Risk = "Whatever else reads the vault as this principal stops."
	c.Undo = `printf '%s\n' "${` + variable + `}" | while IFS= read -r role; do az role assignment create --assignee ` + old.client +
		` --role "$role" --scope "` + scope + `"; done`
	p.azure(c)
}

// revokePolicy takes the access policy.
func (p *planner) revokePolicy(old *principal, vault, when string) {
	if when != "" {
		when += "!=true"
	}
	variable := "OLD_POLICY_" + model.Variable(vault+"_"+old.client)
	id := "OLD_OBJECT_ID_" + model.Variable(old.client)
	p.objectID(old, id)
	saved := step(model.OrderCleanup+cleanSave, model.Run, "policy", vault, old.client)
	saved.Command = []string{
		"az", "keyvault", "show", "--name", vault, "--query", "properties.accessPolicies[?objectId=='${" + id + "}'].permissions | [0]",
		"--output", "json",
	}
	saved.Sets, saved.When = variable, when
	saved.Summary = "Write down the access policy that " + old.client + " has on the vault " + vault + "."
	saved.Undo = "Nothing is changed by reading."
	p.azure(saved)
	c := step(model.OrderCleanup+cleanRights, model.Run, "policy-revoked", vault, old.client)
	c.Command = []string{"az", "keyvault", "delete-policy", "--name", vault, "--object-id", "${" + id + "}"}
	c.When, c.Irreversible, c.Needs = when, true, []string{saved.ID}
	c.Summary = "Revoke the access policy of the old principal " + old.client + " on the vault " + vault + "."
	c.Risk = "Whatever else reads the vault as this principal stops."
	c.Undo = "az keyvault update --name " + vault + ` --add properties.accessPolicies "{\"tenantId\": \"` + p.tenant(vault) +
		`\", \"objectId\": \"${` + id + `}\", \"permissions\": ${` + variable + `}}"`
	p.azure(c)
}

// tenant is the one that a vault trusts, or the variable that stands for it.
func (p *planner) tenant(vault string) string {
	if known := p.vault(vault); known != nil && known.Tenant != "" {
		return known.Tenant
	}
	return cmp.Or(p.options.Azure.Tenant, "${AZURE_TENANT_ID}")
}

// objectID reads the object ID of a principal, once.
func (p *planner) objectID(old *principal, variable string) {
	c := step(model.OrderCleanup+cleanRead, model.Run, "principal-id", old.client)
	if slices.ContainsFunc(p.plan.Changes, func(o model.Change) bool { return o.ID == c.ID }) {
		return
	}
	c.Command = []string{"az", "ad", "sp", "show", "--id", old.client, "--query", "id", "--output", "tsv"}
	c.Sets, c.Summary, c.Undo = variable, "Read the object ID of "+old.client+".", "Nothing is changed by reading."
	p.azure(c)
}

// tellManaged says that the rights of managed identities stay.
func (p *planner) tellManaged() {
	for _, w := range p.survey.Workloads {
		if slices.ContainsFunc(w.Volumes, func(v model.Volume) bool { return v.Credential == "" }) {
			p.tell(codeManaged, model.Object{}, "Some volumes sign in as managed identities, whose rights on the vaults are not touched.")
			return
		}
	}
}
