package prepare_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/prepare"
)

// random is a cluster of up to 80 namespaces on up to three principals and vaults, some of whose names are very long.
func random(r *rand.Rand) estate {
	e := estate{}
	people := []string{principal, second, ""}
	for i := range 1 + r.IntN(80) {
		namespace := fmt.Sprintf("%c%s-%d", 'a'+rune(r.IntN(26)), strings.Repeat("x", r.IntN(55)), i)
		for j := range 1 + r.IntN(3) {
			name, vault := fmt.Sprintf("class-%d", j), fmt.Sprintf("kv-%d", r.IntN(2))
			e.class(namespace, name, vault, people[r.IntN(len(people))], func(c *model.Class) {
				c.Broken = r.IntN(20) == 0
				if r.IntN(10) == 0 {
					c.Params.ClientID = newClient
				}
			})
		}
	}
	return e
}

// TestProperties: whatever the cluster, no identity gets more than 20 credentials, each class in use has an account, names are
// legal and unique, each step says how it is undone, and the plan does not depend on the order of what was read.
func TestProperties(t *testing.T) {
	t.Parallel()
	legal := regexp.MustCompile(`^[a-zA-Z0-9]{1}[a-zA-Z0-9-_]{2,119}$`)
	r := rand.New(rand.NewPCG(1, 2))
	shards := 0
	for range 25 {
		e, o := random(r), options()
		o.Azure.Cluster = strings.Repeat("edge-", r.IntN(10)) + "1"
		o.Azure.ServiceAccount = []string{"", "sa.with.dots", "reader"}[r.IntN(3)]
		plan, ids := prepare.Plan(e.Survey, o)
		credentials, names, accounts := map[string]int{}, map[string]bool{}, map[string]bool{}
		for _, a := range ids.Accounts {
			credentials[a.Identity]++
			if !legal.MatchString(a.Credential) || names[strings.ToLower(a.Credential)] || accounts[a.Namespace+"/"+a.Name] {
				t.Errorf("credential %q of %s/%s is not legal, or not the only one", a.Credential, a.Namespace, a.Name)
			}
			names[strings.ToLower(a.Credential)], accounts[a.Namespace+"/"+a.Name] = true, true
		}
		for id, n := range credentials {
			if n > 20 {
				t.Errorf("%s has %d credentials", id, n)
			}
		}
		shards = max(shards, len(ids.Identities))
		checkClasses(t, e, ids)
		checkSteps(t, plan)
		r.Shuffle(len(e.Workloads), func(i, j int) { e.Workloads[i], e.Workloads[j] = e.Workloads[j], e.Workloads[i] })
		r.Shuffle(len(e.Credentials), func(i, j int) { e.Credentials[i], e.Credentials[j] = e.Credentials[j], e.Credentials[i] })
		again, sameIDs := prepare.Plan(e.Survey, o)
		if diff := cmp.Diff(plan, again) + cmp.Diff(ids, sameIDs); diff != "" {
			t.Fatalf("the same cluster gives another plan:\n%s", diff)
		}
	}
	if shards < 4 {
		t.Errorf("no cluster was large enough: %d identities", shards)
	}
}

// checkClasses: a class in use has one account, and its identity reads its vault.
func checkClasses(t *testing.T, e estate, ids model.Identities) {
	t.Helper()
	for _, c := range e.Classes {
		n := 0
		for _, a := range ids.Accounts {
			if a.Namespace == c.Object.Namespace && slices.Contains(a.Classes, c.Object.Name) {
				n++
			}
		}
		_, id, found := ids.For(c.Object.Namespace, c.Object.Name)
		if c.Broken {
			continue
		}
		if n != 1 || !found || !slices.Contains(id.Vaults, c.Params.VaultName) {
			t.Errorf("%s has %d accounts; identity %+v", c.Object.Ref, n, id)
		}
	}
}

// checkSteps: steps are told apart by their IDs, and credentials of one identity come one after the other.
func checkSteps(t *testing.T, p model.Plan) {
	t.Helper()
	seen, written := map[string]bool{}, map[string]bool{}
	for _, c := range p.Changes {
		if seen[c.ID] || c.Summary == "" || c.Undo == "" || c.Order < model.OrderPrepare || c.Order >= model.OrderUninstallFirst {
			t.Errorf("step %+v is there twice, or incomplete, or out of its place", c)
		}
		seen[c.ID] = true
		if at := slices.Index(c.Command, "--identity-name"); at > 0 {
			place := fmt.Sprint(c.Command[at+1], c.Order)
			if written[place] {
				t.Errorf("two credentials of %s are written at the same time", c.Command[at+1])
			}
			written[place] = true
		}
	}
}

// after is the cluster once a plan was carried out and translated: service accounts, twins of the classes and SecretSyncs that
// have worked. Of the classes only those of which keep is true were taken that far.
func after(e estate, ids model.Identities, client func(model.Identity) string, keep func(int) bool) estate {
	e.Classes, e.Existing = slices.Clone(e.Classes), nil
	e.ServiceAccounts = map[string][]string{}
	for _, a := range ids.Accounts {
		e.ServiceAccounts[a.Namespace] = append(e.ServiceAccounts[a.Namespace], a.Name)
	}
	for i, c := range slices.Clone(e.Classes) {
		account, id, found := ids.For(c.Object.Namespace, c.Object.Name)
		if !found || !keep(i) {
			continue
		}
		twin := model.Object{Ref: classRef(c.Object.Namespace, c.Object.Name+"-sse"), Content: map[string]any{
			"spec": map[string]any{"parameters": map[string]any{"clientID": client(id), "keyvaultName": c.Params.VaultName}},
		}}
		sync := model.Object{
			Ref: model.Ref{
				APIVersion: "secret-sync.x-k8s.io/v1alpha1", Kind: "SecretSync", Namespace: c.Object.Namespace, Name: c.Object.Name + "-files",
			},
			Content: map[string]any{
				"spec":   map[string]any{"secretProviderClassName": twin.Name, "serviceAccountName": account.Name},
				"status": map[string]any{"lastSuccessfulSyncTime": "2026-11-24T10:00:00Z"},
			},
		}
		e.Existing = append(e.Existing, c.Object, twin, sync)
		e.Classes = append(e.Classes, model.Class{
			Object: twin, Params: c.Params, Parameters: c.Parameters, Syncs: []string{sync.Name},
		})
	}
	return e
}

func asPlanned(id model.Identity) string { return id.ClientID }

// TestSecondRun: once all is done nothing is planned, and every class keeps its account and identity.
func TestSecondRun(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 8 {
		e := random(r)
		_, first := prepare.Plan(e.Survey, options())
		done := after(e, first, asPlanned, func(int) bool { return true })
		plan, second := prepare.Plan(done.Survey, options())
		if len(plan.Changes) > 0 {
			t.Fatalf("%d steps are left, the first is %+v", len(plan.Changes), plan.Changes[0])
		}
		for _, c := range e.Classes {
			a, id, _ := first.For(c.Object.Namespace, c.Object.Name)
			b, id2, _ := second.For(c.Object.Namespace, c.Object.Name)
			if a.Name != b.Name || id.ClientID != id2.ClientID || a.Credential != b.Credential {
				t.Errorf("%s is read as %s by %s, no longer as %s by %s", c.Object.Ref, b.Name, id2.ClientID, a.Name, id.ClientID)
			}
		}
	}
}

// TestHalfWay: where a run was interrupted what was done stays as it is, and no identity overflows, whether their client IDs are
// still variables (a folder) or have become known (a cluster).
func TestHalfWay(t *testing.T) {
	t.Parallel()
	known := func(id model.Identity) string {
		if !strings.HasPrefix(id.ClientID, "$") {
			return id.ClientID
		}
		return fmt.Sprintf("%08d-0000-0000-0000-000000000000", len(id.ClientID)*100+int(id.ClientID[len(id.ClientID)-2]))
	}
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 12 {
		e, client := random(r), asPlanned
		if round%2 == 1 {
			client = known
		}
		_, first := prepare.Plan(e.Survey, options())
		half := after(e, first, client, func(i int) bool { return i%2 == 0 })
		_, second := prepare.Plan(half.Survey, options())
		checkClasses(t, e, second)
		credentials := map[string]int{}
		for _, a := range second.Accounts {
			credentials[a.Identity]++
			if credentials[a.Identity] > 20 {
				t.Errorf("%s has more than 20 credentials", a.Identity)
			}
		}
		for i, c := range e.Classes {
			a, id, found := first.For(c.Object.Namespace, c.Object.Name)
			b, id2, _ := second.For(c.Object.Namespace, c.Object.Name)
			if found && i%2 == 0 && (a.Name != b.Name || client(id) != id2.ClientID) {
				t.Errorf("%s was read as %s by %s and is to be read as %s by %s", c.Object.Ref, a.Name, client(id), b.Name, id2.ClientID)
			}
		}
	}
}
