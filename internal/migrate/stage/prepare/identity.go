package prepare

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// The room of a managed identity.
const (
	// maxCredentials is how many federated credentials Azure allows on one identity.
	maxCredentials = 20
	// planned is how many of them a plan uses: two places stay free, one for a namespace that comes later and one for a
	// credential that is replaced (a new issuer needs the new one beside the old one for a while).
	planned = 18
)

// identity is a managed identity, or an app registration of another tenant.
type identity struct {
	// number counts the identities that this migration makes, from 1; 0 is one that exists by its client ID.
	number int
	// name and client are as commands write them.
	name, client string
	units        []*unit
}

func (id *identity) key() string { return strings.ToLower(strings.Trim(id.client, "${}")) }

// vaults are those that the identity reads, sorted.
func (id *identity) vaults() []string {
	vaults := []string{}
	for _, u := range id.units {
		vaults = append(vaults, u.vaults()...)
	}
	slices.Sort(vaults)
	return slices.Compact(vaults)
}

// suffix tells the variables of the identity apart from those of others.
func (id *identity) suffix() string {
	switch {
	case id.number == 1:
		return ""
	case id.number > 1:
		return numbered("", "_", id.number)
	case isVariable(id.client):
		return "_" + model.Variable(strings.Trim(id.client, "${}"))
	}
	return "_" + model.Variable(id.client[:min(8, len(id.client))])
}

// all tells whether each of the identity's units is such.
func (id *identity) all(such func(*unit) bool) bool {
	return !slices.ContainsFunc(id.units, func(u *unit) bool { return !such(u) })
}

func isProven(u *unit) bool  { return u.proven }
func isForeign(u *unit) bool { return u.foreign }
func isKept(u *unit) bool    { return u.kept || u.foreign }

// fill distributes the units over identities: one for each old principal and set of vaults, and another one wherever an
// identity has no room for more credentials.
func (p *planner) fill() {
	var open []*unit
	for _, u := range p.units {
		if u.client == "" || !p.settle(u) {
			open = append(open, u)
		}
	}
	slices.SortStableFunc(open, func(a, b *unit) int { return cmp.Or(cmp.Compare(group(a), group(b)), compareUnits(a, b)) })
	for _, u := range open {
		u.client = ""
		id := p.roomFor(u)
		id.units = append(id.units, u)
	}
	slices.SortStableFunc(p.identities, func(a, b *identity) int {
		return cmp.Or(cmp.Compare(min(b.number, 1), min(a.number, 1)), cmp.Compare(a.number, b.number), cmp.Compare(a.client, b.client))
	})
	p.tellShards()
}

// group tells units apart that must not share an identity.
func group(u *unit) string {
	return strings.Join(append([]string{strings.ToLower(u.tenant), u.cloud, strings.ToLower(u.principal)}, u.vaults()...), "\x00")
}

// settle puts a unit to the identity that it has already. It is false where a kept one would have no room for it.
func (p *planner) settle(u *unit) bool {
	at := slices.IndexFunc(p.identities, func(id *identity) bool { return strings.EqualFold(id.client, u.client) })
	if at < 0 {
		p.identities = append(p.identities, p.existing(u.client))
		at = len(p.identities) - 1
	}
	id := p.identities[at]
	if u.kept && len(id.units) >= planned {
		u.kept = false
		return false
	}
	id.units = append(id.units, u)
	return true
}

// existing is an identity that is known by its client ID, or by the variable that an earlier run wrote.
func (p *planner) existing(client string) *identity {
	id := &identity{number: numberOf(client), client: client}
	id.name = p.identityName(id.number)
	if id.number == 0 {
		id.name = reference("USER_ASSIGNED_IDENTITY_NAME" + id.suffix())
	}
	return id
}

func (p *planner) identityName(n int) string {
	return numbered(cmp.Or(p.options.Azure.Identity, varIdentity), "-", n)
}

// roomFor is the first identity of a unit's group with room, or a new one.
func (p *planner) roomFor(u *unit) *identity {
	for _, id := range p.identities {
		inGroup := func(o *unit) bool { return group(o) == group(u) && !o.kept && !o.foreign }
		if len(id.units) < planned && slices.ContainsFunc(id.units, inGroup) {
			return id
		}
	}
	n := p.nextNumber()
	id := &identity{number: n, name: p.identityName(n), client: reference(numbered(varClientID, "_", n))}
	p.identities = append(p.identities, id)
	return id
}

// nextNumber is the first that no identity has. Identities that an earlier run made are known by client IDs, which do not tell
// their numbers: as many of the first numbers are left out, so that none of them gets more credentials than it has room for.
func (p *planner) nextNumber() int {
	first := 1
	taken := map[int]bool{}
	for _, id := range p.identities {
		taken[id.number] = true
		if id.number == 0 && !id.all(isKept) {
			first++
		}
	}
	for taken[first] {
		first++
	}
	return first
}

// tellShards says why there is more than one identity for one group.
func (p *planner) tellShards() {
	count := map[string]int{}
	for _, id := range p.identities {
		if id.number > 0 {
			count[group(id.units[0])]++
		}
	}
	names := []string{}
	for _, id := range p.identities {
		if id.number > 0 && count[group(id.units[0])] > 1 {
			names = append(names, id.name)
		}
	}
	if len(names) > 0 {
		p.tell(codeShards, clusterObject(), "The identities %s share the work of one: Azure allows %d federated credentials on "+
			"an identity, of which %d are used.", strings.Join(names, ", "), maxCredentials, planned)
	}
}
