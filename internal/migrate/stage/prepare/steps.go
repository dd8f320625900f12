package prepare

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"secretstore/internal/migrate/model"
)

// groupWord is the resource group of an identity, as commands write it.
func (p *planner) groupWord(id *identity) string {
	if id.number > 0 {
		return p.group()
	}
	return reference("IDENTITY_RESOURCE_GROUP" + id.suffix())
}

// principalWord is the object ID of an identity's principal, as commands write it. Roles are given to it, not to the client ID.
func (id *identity) principalWord() string { return reference(varPrincipalID + id.suffix()) }

// identitySteps make the identities that are missing and read what later steps need of them.
func (p *planner) identitySteps() {
	for _, id := range p.identities {
		switch {
		case id.all(isProven) || id.all(isForeign):
		case id.number == 0:
			p.findIdentity(id)
		default:
			p.makeIdentity(id)
		}
	}
}

// makeIdentity makes a managed identity. Making it again changes nothing.
func (p *planner) makeIdentity(id *identity) {
	where := []string{"--name", id.name, "--resource-group", p.group(), "--subscription", p.subscription()}
	c := p.step(orderIdentity, model.Run, "identity", id.name)
	c.Command = append([]string{"az", "identity", "create", "--location", p.location()}, where...)
	c.Summary = fmt.Sprintf("Make the managed identity %s, which reads %s for %s.", id.name, joined(id.vaults()),
		model.Counted(p.spread(id), "namespace"))
	c.Undo = "az identity delete --name " + id.name + " --resource-group " + p.group() + " --subscription " + p.subscription()
	p.azure(c)
	for _, value := range []struct{ field, variable string }{{"clientId", varClientID}, {"principalId", varPrincipalID}} {
		r := p.step(orderIdentityRead, model.Run, value.field, id.name)
		r.Command = slices.Concat([]string{"az", "identity", "show"}, where, []string{"--query", value.field, "--output", "tsv"})
		r.Sets = value.variable + id.suffix()
		r.Summary = "Read the " + value.field + " of " + id.name + "."
		r.Needs, r.Undo = []string{c.ID}, "Nothing is changed by reading."
		p.azure(r)
	}
}

// spread counts the namespaces that an identity serves.
func (p *planner) spread(id *identity) int {
	var namespaces []string
	for _, u := range id.units {
		namespaces = append(namespaces, u.namespace)
	}
	slices.Sort(namespaces)
	return len(slices.Compact(namespaces))
}

// findIdentity finds an identity of which only the client ID is known.
func (p *planner) findIdentity(id *identity) {
	for _, value := range []struct{ field, variable string }{
		{"name", "USER_ASSIGNED_IDENTITY_NAME"}, {"resourceGroup", "IDENTITY_RESOURCE_GROUP"}, {"principalId", varPrincipalID},
	} {
		c := p.step(orderIdentityRead, model.Run, value.field, id.client)
		c.Command = []string{
			"az", "identity", "list", "--subscription", p.subscription(), "--query",
			"[?clientId=='" + id.client + "']." + value.field + " | [0]", "--output", "tsv",
		}
		c.Sets = value.variable + id.suffix()
		c.Summary = "Find the " + value.field + " of the managed identity with the client ID " + id.client + "."
		c.Needs = []string{"the identity is in this subscription; if it is not, name its own"}
		c.Undo = "Nothing is changed by reading."
		p.azure(c)
	}
}

// accountSteps make service accounts, and the credentials by which identities trust them.
func (p *planner) accountSteps() {
	for _, id := range p.identities {
		for i, u := range id.units {
			if u.proven {
				continue
			}
			p.account(u)
			p.credential(id, u, i)
			p.exchange(id, u)
		}
	}
}

// account makes a service account, where there is none of the name. One that exists is not changed.
func (p *planner) account(u *unit) {
	if slices.Contains(p.survey.ServiceAccounts[u.namespace], u.account) {
		return
	}
	ref := model.Ref{APIVersion: "v1", Kind: "ServiceAccount", Namespace: u.namespace, Name: u.account}
	metadata := map[string]any{"name": u.account}
	if u.namespace != "" {
		metadata["namespace"] = u.namespace
	}
	c := p.step(orderAccount, model.Create, ref.Kind, ref.Namespace, ref.Name)
	c.Object, c.Place = ref, p.firstPlace(u.namespace)
	c.Content = map[string]any{
		// No pod runs as it, so that none needs its token.
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": false,
	}
	c.Summary = "Make the service account " + cmp.Or(u.namespace, varNamespace) + "/" + u.account +
		", which SecretSyncs of the namespace sign in with."
	c.Undo = "kubectl delete serviceaccount " + u.account + " --namespace " + cmp.Or(u.namespace, varNamespace)
	p.add(c)
}

// firstPlace is where a folder's first class of a namespace stands.
func (p *planner) firstPlace(namespace string) model.Place {
	for _, c := range p.survey.Classes {
		if c.Object.Namespace == namespace && !c.Object.Partial {
			return c.Object.Place
		}
	}
	return model.Place{}
}

// credential has an identity trust a service account. The i-th of an identity comes after those before it, since Azure answers
// 409 to writes at the same time.
func (p *planner) credential(id *identity, u *unit, i int) {
	c := p.step(orderCredential+min(i, maxCredentials), model.Run, "credential", id.name, u.credential)
	c.Summary = "Have " + id.name + " trust tokens of " + subject(u) + "."
	c.Risk = "Issuer, subject and audience are compared letter by letter, with the case."
	if u.foreign {
		p.foreignCredential(u, c)
		return
	}
	c.Command = []string{
		"az", "identity", "federated-credential", "create", "--name", u.credential, "--identity-name", id.name, "--resource-group",
		p.groupWord(id), "--subscription", p.subscription(), "--issuer", p.issuerWord(), "--subject", subject(u), "--audiences",
		audience(u.cloud),
	}
	c.Undo = "az identity federated-credential delete --name " + u.credential + " --identity-name " + id.name + " " +
		"--resource-group " +
		p.groupWord(id) + " --subscription " + p.subscription() + " --yes"
	p.azure(c)
}

// foreignCredential is a credential of an app registration of another tenant or cloud.
func (p *planner) foreignCredential(u *unit, c model.Change) {
	parameters, err := json.Marshal(map[string]any{
		"name": u.credential, "issuer": p.issuerWord(), "subject": subject(u), "audiences": []string{audience(u.cloud)},
	})
	if err != nil { // text alone does not fail
		return
	}
	c.Command = []string{"az", "ad", "app", "federated-credential", "create", "--id", u.client, "--parameters", string(parameters)}
	c.Summary = "Have the identity " + u.client + " of the vault's own tenant and cloud trust tokens of " + subject(u) + ". (The " +
		"command is for an app registration; a managed identity there has az identity federated-credential create.)"
	c.ByHand = "The identity is in another tenant or cloud: whoever signs in there (az cloud set, az login --tenant) does it."
	c.Undo = "az ad app federated-credential delete --id " + u.client + " --federated-credential-id " + u.credential
	p.add(c)
}

// exchange waits until Entra knows a credential, by exchanging a real token: no other sign is reliable.
func (p *planner) exchange(id *identity, u *unit) {
	c := p.step(orderExchange, model.Check, "exchange", cmp.Or(u.namespace, varNamespace), u.account)
	c.Command = []string{
		"az", "login", "--service-principal", "--username", id.client, "--tenant", p.tenantOf(id), "--allow-no-subscriptions",
		"--output", "none", "--federated-token", reference(model.VariableToken),
	}
	c.Token = &model.Token{Namespace: cmp.Or(u.namespace, varNamespace), Account: u.account, Audience: audience(u.cloud)}
	c.Gate = &model.Gate{Kind: model.GateExchange, Client: id.client, Tenant: p.tenantOf(id)}
	c.Summary = "Entra gives a token for one of " + subject(u) + ": tried again until it does, for some minutes after the " +
		"credential " +
		"was written and up to 10 for roles."
	c.Undo = "Nothing is changed by looking; the login is kept in a folder of its own and thrown away."
	if u.foreign {
		c.ByHand = "The identity is in another tenant or cloud: whoever signs in there (az cloud set, az login --tenant) does it."
	}
	p.azure(c)
}

// joined lists names for a sentence.
func joined(names []string) string {
	switch len(names) {
	case 0:
		return "no vault"
	case 1:
		return names[0]
	}
	return fmt.Sprintf("%d vaults", len(names))
}
