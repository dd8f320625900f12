// Package prepare plans what has to be there before anything is moved: the operator's consent, managed identities that read the
// vaults, service accounts that they trust, rights on the vaults, and a cluster whose tokens Entra can check.
//
// Promises: every class in use that is not broken, and about which nothing is undecided, has exactly one account, unless the
// operator refuses that values lie in etcd: then none has; no identity gets more than 20 federated credentials; names are legal
// and unique; what an earlier run arranged (a successor of the class that exists already) keeps its identity and account, and
// asks for no further step once its SecretSync has succeeded.
//
// It is pure. What Azure has already cannot be seen here: its steps are such that doing them again changes nothing.
package prepare

import (
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// Places of the steps within the stage.
const (
	orderConsent = iota
	orderCertsBackup
	orderCertsRemove
	orderCertsInstall
	orderIssuerOn
	orderIssuerRead
	orderFlags
	orderIssuerCheck
	orderIdentity
	orderIdentityRead
	orderVaultRead
	orderRole
	orderAccount
	orderTokenCheck
	// orderCredential counts up within an identity, whose credentials have to be written one after the other.
	orderCredential
	// orderExchange comes after the last credential that an identity may have.
	orderExchange = orderCredential + maxCredentials + 1
)

// Plan says how the cluster and Azure are prepared for the classes of a survey, and who reads each of them afterwards.
func Plan(s model.Survey, o model.Options) (model.Plan, model.Identities) {
	p := &planner{survey: s, options: o}
	accepted := p.consent()
	p.version()
	p.assign()
	if accepted {
		p.certificates()
		p.issuer()
		p.identitySteps()
		p.vaultSteps()
		p.accountSteps()
	} else {
		p.units, p.identities = nil, nil // nobody reads a vault, so that no later stage makes a Secret of it
	}
	p.plan.Changes = model.SortChanges(p.plan.Changes)
	p.plan.Findings = model.SortFindings(p.plan.Findings)
	slices.SortStableFunc(p.plan.Decisions, func(a, b model.Decision) int { return strings.Compare(a.ID, b.ID) })
	return p.plan, p.result()
}

// A planner collects the plan.
type planner struct {
	survey  model.Survey
	options model.Options
	plan    model.Plan
	// tenant and cloud are the cluster's own, as far as they are known.
	tenant, cloud string
	units         []*unit
	identities    []*identity
	// waiting are the classes whose identity is asked for.
	waiting []model.Ref
}

// tell adds a finding; the zero object is the cluster.
func (p *planner) tell(code model.Code, about model.Object, message string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, model.Find(code, about, "", message, args...))
}

// step begins a step. What names it tells it from others of its verb.
func (p *planner) step(order int, verb model.Verb, what ...string) model.Change {
	plain := strings.NewReplacer("${", "", "}", "")
	id := strings.Join(append([]string{string(model.Prepare), string(verb)}, what...), "/")
	return model.Change{
		ID: strings.ToLower(plain.Replace(id)), Stage: model.Prepare, Order: model.OrderPrepare + order, Verb: verb,
	}
}

// azure finishes a step that is done in Azure.
func (p *planner) azure(c model.Change) {
	if p.options.NoAzure && c.ByHand == "" {
		c.ByHand = model.LeftToOthers
	}
	p.add(c)
}

func (p *planner) add(c model.Change) { p.plan.Changes = append(p.plan.Changes, c) }

// result is what the other stages need to know.
func (p *planner) result() model.Identities {
	ids := model.Identities{Identities: []model.Identity{}, Accounts: []model.Account{}, Waiting: p.waiting}
	for _, id := range p.identities {
		ids.Identities = append(ids.Identities, model.Identity{
			Key: id.key(), Name: id.name, ClientID: id.client, Tenant: p.tenantOf(id), Vaults: id.vaults(),
		})
		for _, u := range id.units {
			ids.Accounts = append(ids.Accounts, model.Account{
				Namespace: u.namespace, Name: u.account, Identity: id.key(), Credential: u.credential,
				Principal: u.servicePrincipal(), Classes: u.classNames(),
			})
		}
	}
	slices.SortFunc(ids.Accounts, func(a, b model.Account) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return ids
}
