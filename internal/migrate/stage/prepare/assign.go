package prepare

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// The answers to this stage's questions.
const (
	answerKeep = "keep"
	answerNew  = "new"
)

// assign finds out who reads each class: first the classes whose identity is settled, then the others, which join them where
// they can.
func (p *planner) assign() {
	p.findHome()
	var open []*unit
	for _, c := range p.survey.Classes {
		if u := p.unitOf(c); u != nil && u.client != "" {
			p.join(u, true)
		} else if u != nil {
			open = append(open, u)
		}
	}
	for _, u := range open {
		p.join(u, false)
	}
	p.nameAccounts()
	p.fill()
}

// unitOf is a unit of one class, or nil where the class needs none, or none yet.
func (p *planner) unitOf(c model.Class) *unit {
	made, found := p.successorOf(c)
	if !wanted(c, found) {
		return nil
	}
	u := &unit{
		namespace: c.Object.Namespace, tenant: c.Params.TenantID, cloud: cloudOf(c), classes: []model.Class{c},
		pieces: p.piecesOf(c),
	}
	if found {
		u.client, u.account, u.proven = made.client, made.account, made.proven
	}
	decided := p.findPrincipal(u)
	switch {
	case found:
		return u
	case !decided:
		return nil
	case c.Params.ClientID != "" && p.keeps(u, c):
		u.client, u.kept = c.Params.ClientID, true
		return u
	case p.isForeign(u):
		return p.askForeign(u, c)
	}
	return u
}

// piecesOf are the patches of a class by kustomizations.
func (p *planner) piecesOf(c model.Class) []model.Class {
	var pieces []model.Class
	for _, piece := range p.survey.Classes {
		patch := piece.Object.Patch
		if patch != nil && patch.Base != nil && patch.Base.Place == c.Object.Place {
			pieces = append(pieces, piece)
		}
	}
	return pieces
}

// wanted tells whether somebody has to read a class: if it is mounted, or was until an earlier run changed its workloads. One
// that nobody mounts and that a SecretSync reads is of the new way itself.
func wanted(c model.Class, followed bool) bool {
	return !c.Broken && !c.Object.Partial && (len(c.UsedBy) > 0 || followed && len(c.Syncs) == 0)
}

// findPrincipal finds whose place is taken, and whether that is decided. Stage inventory asks where volumes differ.
func (p *planner) findPrincipal(u *unit) bool {
	c := u.classes[0]
	principals := p.principals(c)
	if len(principals) < 2 {
		u.principal = strings.Join(principals, "")
		if u.principal == model.AnswerNoCredential {
			u.principal = managedIdentity(c)
		}
		return true
	}
	answer := p.options.Decisions[model.DecisionID(model.CodeCredentials, c.Object.Ref)]
	u.principal = answer
	return slices.Contains(principals, answer)
}

// managedIdentity tells the managed identities apart that a class may sign in as.
func managedIdentity(c model.Class) string {
	if id := strings.TrimSpace(c.Parameters["userAssignedIdentityID"]); id != "" {
		return model.AnswerNoCredential + "/" + strings.ToLower(id)
	}
	return model.AnswerNoCredential
}

// keeps asks whether a class that uses workload identity already keeps its identity.
func (p *planner) keeps(u *unit, c model.Class) bool {
	answer, _ := p.plan.Ask(p.options, model.Decision{
		ID: model.DecisionID(codeClientID, c.Object.Ref), Code: codeClientID, Object: c.Object.Ref,
		Question: "The class " + c.Object.Name + " names the identity " + c.Params.ClientID + ". Keep it?",
		Options: []model.Option{
			{Answer: answerKeep, Means: "The identity stays and gets one more federated credential, for the new service account."},
			{Answer: answerNew, Means: "The class is read by an identity that this migration makes."},
		},
		Proposal: answerKeep,
	}, model.Finding{})
	if answer != answerKeep {
		return false
	}
	p.tell(codeClientID, c.Object, "%s keeps the identity %s, which has to trust %s as well.", c.Object.Ref, c.Params.ClientID,
		"a service account of namespace "+cmp.Or(u.namespace, varNamespace))
	return true
}

// findHome finds the tenant and the cloud in which the cluster's identities are: what was told, else what most classes name.
func (p *planner) findHome() {
	tenants, clouds := map[string]int{}, map[string]int{}
	for _, c := range p.survey.Classes {
		if len(c.UsedBy) == 0 || c.Broken {
			continue
		}
		clouds[cloudOf(c)]++
		if tenant := c.Params.TenantID; tenant != "" && !isVariable(tenant) {
			tenants[strings.ToLower(tenant)]++
		}
	}
	p.tenant, p.cloud = cmp.Or(strings.ToLower(p.options.Azure.Tenant), most(tenants)), most(clouds)
}

// most is the text that was counted most often, of several the first.
func most(counts map[string]int) string {
	best, found := "", false
	for text, n := range counts {
		if !found || n > counts[best] || n == counts[best] && text < best {
			best, found = text, true
		}
	}
	return best
}

// isForeign tells whether a vault is out of reach of the identities of the cluster's tenant and cloud. A domain and a GUID may be
// the same tenant; what cannot be compared counts as the same.
func (p *planner) isForeign(u *unit) bool {
	if u.cloud != p.cloud {
		return true
	}
	tenant := strings.ToLower(u.tenant)
	return tenant != "" && p.tenant != "" && tenant != p.tenant && !isVariable(u.tenant) && !isVariable(p.tenant) &&
		isClientID(tenant) == isClientID(p.tenant)
}

// askForeign asks for an identity of another tenant or cloud. It is nil while there is none.
func (p *planner) askForeign(u *unit, c model.Class) *unit {
	code, where := codeTenant, "tenant "+u.tenant
	if u.cloud != p.cloud {
		code, where = codeCloud, "cloud "+cmp.Or(c.Params.CloudName, "AzurePublicCloud")
	}
	answer, decided := p.plan.Ask(p.options, model.Decision{
		ID: model.DecisionID(code, c.Object.Ref), Code: code, Object: c.Object.Ref,
		Question: "Which identity of " + where + " shall read the vault " + c.Params.VaultName + "? Answer its client ID.",
		Options: []model.Option{
			{Answer: model.AnswerLeave, Means: "The class is left as it is, and so are the workloads that mount it."},
		},
		Free: true, Required: true, Proposal: model.AnswerLeave,
	}, model.Find(code, c.Object, "", "%s reads the vault %s of %s, which no managed identity of the cluster's own reaches.",
		c.Object.Ref, c.Params.VaultName, where))
	switch {
	case !decided:
		p.waiting = append(p.waiting, c.Object.Ref)
		return nil
	case !isClientID(answer) && !isVariable(answer):
		p.tell(codeLeft, c.Object, "By the answer %q no identity of %s reads the vault of %s.", answer, where, c.Object.Ref)
		return nil
	}
	u.client, u.foreign = answer, true
	return u
}

// join puts a unit of one class together with others of its namespace that the same identity reads.
func (p *planner) join(u *unit, settled bool) {
	at := slices.IndexFunc(p.units, func(o *unit) bool { return o.namespace == u.namespace && o.takes(u, settled) })
	if at < 0 {
		p.units = append(p.units, u)
		return
	}
	o := p.units[at]
	o.classes = append(o.classes, u.classes...)
	o.pieces = append(o.pieces, u.pieces...)
	o.principal, o.tenant = cmp.Or(o.principal, u.principal), cmp.Or(o.tenant, u.tenant)
	o.proven = o.proven && u.proven
}

// takes tells whether a unit may have the classes of another.
func (u *unit) takes(other *unit, settled bool) bool {
	switch {
	case settled:
		return u.client == other.client && (u.account == other.account || u.account == "" || other.account == "")
	case u.kept || u.foreign:
		return false
	case u.principal == "": // the workloads that told it are changed already
		vaults := u.vaults()
		return !slices.ContainsFunc(other.vaults(), func(v string) bool { return !slices.Contains(vaults, v) })
	}
	return strings.EqualFold(u.principal, other.principal) && u.cloud == other.cloud && sameTenant(u.tenant, other.tenant)
}

// sameTenant compares tenants; one that is not said is any.
func sameTenant(a, b string) bool { return a == "" || b == "" || strings.EqualFold(a, b) }

// nameAccounts gives each unit a service account of its own in its namespace.
func (p *planner) nameAccounts() {
	taken := map[string]bool{}
	for _, u := range p.units {
		taken[u.namespace+"/"+u.account] = true
	}
	slices.SortStableFunc(p.units, compareUnits)
	for _, u := range p.units {
		for n := 1; u.account == ""; n++ {
			name := numbered(cmp.Or(p.options.Azure.ServiceAccount, defaultAccount), "-", n)
			if !taken[u.namespace+"/"+name] {
				u.account = name
				taken[u.namespace+"/"+name] = true
			}
		}
		for _, c := range u.classes { // overlays bring the account into each of their namespaces
			for _, namespace := range c.Object.Namespaces {
				taken[namespace+"/"+u.account] = true
			}
		}
		u.credential = credentialName(p.options.Azure.Cluster, cmp.Or(u.namespace, varNamespace), u.account)
	}
}

// compareUnits orders units by namespace, then so that the ones that this migration makes identities for come first.
func compareUnits(a, b *unit) int {
	return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.account, b.account), cmp.Compare(a.client, b.client),
		cmp.Compare(len(b.classes), len(a.classes)), cmp.Compare(a.principal, b.principal), cmp.Compare(a.tenant, b.tenant))
}
