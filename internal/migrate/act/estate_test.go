package act_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
)

// estate is the fixture of 248 objects, in memory, as a cluster would have it.
type estate struct {
	input   model.Input
	options model.Options
	objects map[model.Ref]map[string]any
	ids     map[string]string
}

// readEstate reads the fixture, or some namespaces of it, and answers what is asked by what is proposed.
func readEstate(t testing.TB, strategy model.Strategy, namespaces ...string) *estate {
	t.Helper()
	s, err := read.Folder(t.Context(), os.DirFS("../../../test/migration/testdata/estate"), "estate", read.FolderOptions{
		Digest: func([]byte) string { return "digest" }, Namespaces: namespaces,
	})
	if err != nil {
		t.Fatal(err)
	}
	e := &estate{
		input:   model.Input{Cluster: "uid", Server: "https://cluster.example", Version: "v1.34.4", Issuer: "https://old.example/"},
		objects: map[model.Ref]map[string]any{}, ids: s.ClientIDs,
		options: model.Options{
			Strategy: strategy, Target: model.TargetSecretStore, Style: model.StyleDirect, Roles: model.RolesLeast, ForceLive: true,
			Decisions: map[string]string{}, Azure: model.AzureInputs{
				Subscription: "sub", ResourceGroup: "rg", Cluster: "arc", Location: "westeurope", Tenant: "tenant", Identity: "id",
			},
		},
	}
	for _, o := range s.Objects {
		w := cluster{serial: len(e.objects)}
		o.Content = fields(o.Content)
		delete(o.Content, "stringData")
		if w.stamp(o.Content); !o.Partial {
			e.objects[o.Ref] = o.Content
		}
	}
	for range 3 { // answers ask more questions
		for _, d := range e.plan(e.world().snapshot(e.input, e.ids), nil).Decisions {
			if d.Required && e.options.Decisions[d.ID] == "" {
				e.options.Decisions[d.ID] = d.Proposal
			}
			if strings.HasPrefix(d.ID, "M301/") {
				e.options.Decisions[d.ID] = "accept"
			}
		}
	}
	return e
}

// world is the estate before the migration.
func (e *estate) world() *cluster {
	w := &cluster{objects: map[model.Ref]map[string]any{}, serial: 10_000, dies: -1, gates: map[string][]error{}}
	for ref, content := range e.objects {
		w.objects[ref] = fields(content)
	}
	w.journal = &memory{world: w, full: -1}
	return w
}

// plan is the whole migration, whatever of it is done.
func (e *estate) plan(s model.Snapshot, entries []act.Entry) model.Report {
	return migrate.Plan(act.Undone(s, entries), e.options)
}

// attempt is a migration that may be killed and gone on with.
type attempt struct {
	*estate
	world *cluster
	azure *azure
}

func (e *estate) attempt() *attempt {
	a := &attempt{estate: e, world: e.world()}
	a.azure = &azure{world: a.world, made: map[string]bool{}, driver: map[model.Ref]map[string]any{}}
	for ref, content := range e.objects {
		part := ref.Kind == "DaemonSet" && ref.Namespace == "kube-system" || ref.Kind == "ExtensionConfig"
		if part && strings.Contains(fmt.Sprint(content), "secrets-store") {
			a.azure.driver[ref] = content
		}
	}
	return a
}

// runner is what carries out the plan of now.
func (a *attempt) runner(report model.Report, s model.Snapshot) act.Runner {
	store := model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "secretstore-system", Name: "secretstore-controller"}
	done := map[string]bool{}
	for _, c := range report.Changes { // what only people do is done
		done[c.ID] = c.Verb == model.Run && c.ByHand == "" && len(c.Command) > 0 && c.Command[0] != "az" && !strings.HasSuffix(c.ID, "/secretstore")
	}
	return act.Runner{
		Cluster: a.world, Azure: a.azure, Journal: a.world.journal, Clock: newClock(), Found: act.Find(s, report),
		Install: installer(a.world, store, true), Remove: installer(a.world, store, false),
		Options: act.Options{Who: "test", Irreversible: true, Answers: a.options.Decisions, Done: done, Variables: map[string]string{
			"USER_ASSIGNED_IDENTITY_NAME": "id", "SERVICE_ACCOUNT_ISSUER": issuer, "SECRETSTORE_IMAGE_REPOSITORY": "r", "SECRETSTORE_IMAGE_DIGEST": "d",
		}},
	}
}

// run goes on with the migration, up to a step if one is named.
func (a *attempt) run(t testing.TB, keep func(model.Change) bool) (act.Summary, error) {
	s := a.world.snapshot(a.input, a.ids)
	report := a.plan(s, a.world.journal.entries)
	changes := slices.DeleteFunc(slices.Clone(report.Changes), func(c model.Change) bool { return !keep(c) })
	return a.runner(report, s).Run(t.Context(), changes, slices.Clone(a.world.journal.entries))
}

// end is the state of the cluster and of Azure, without what the API server counts.
func (a *attempt) end() map[string]any {
	end := map[string]any{"azure": slices.Sorted(maps.Keys(a.azure.made))}
	for ref, content := range a.world.objects {
		b := bare(content)
		metadata, _ := b["metadata"].(map[string]any)
		owners, _ := metadata["ownerReferences"].([]any)
		for _, o := range owners {
			if owner, _ := o.(map[string]any); owner["kind"] == "SecretSync" {
				delete(owner, "uid")
			}
		}
		end[ref.String()] = b
	}
	return end
}

func all(model.Change) bool { return true }

// reversible keeps what can be taken back.
func reversible(c model.Change) bool { return !c.Irreversible }

// ids are those of steps, in order.
func ids(changes []model.Change) []string {
	list := make([]string, 0, len(changes))
	for _, c := range changes {
		list = append(list, c.ID)
	}
	return list
}

var errTooOften = errors.New("it does not come to its end")

// finish runs until the end, as an operator would who runs again after each kill.
func (a *attempt) finish(t testing.TB, keep func(model.Change) bool) error {
	for range 3 {
		a.world.dies, a.world.dead, a.world.holder = -1, false, ""
		if _, err := a.run(t, keep); err == nil {
			return nil
		} else if !errors.Is(err, errKilled) {
			return err
		}
	}
	return errTooOften
}

// TestEstateIsTakenOver: twice is once, and every object of the first inventory is accounted for.
func TestEstateIsTakenOver(t *testing.T) {
	t.Parallel()
	for _, strategy := range []model.Strategy{model.ZeroDowntime, model.Guide} {
		t.Run(string(strategy), func(t *testing.T) {
			t.Parallel()
			a := readEstate(t, strategy).attempt()
			first, err := a.run(t, all)
			if err != nil {
				t.Fatal(err)
			}
			end, calls := a.end(), a.world.calls
			second, err := a.run(t, all)
			if err != nil || second.Made != 0 || first.Made < 100 {
				t.Errorf("first %+v, second %+v, %v", first, second, err)
			}
			if diff := cmp.Diff(end, a.end()); diff != "" {
				t.Errorf("the second run changed something:\n%s", diff)
			}
			runner := act.Runner{Cluster: a.world}
			there, err := runner.There(t.Context(), a.world.journal.entries, a.world.snapshot(a.input, a.ids))
			if err != nil {
				t.Fatal(err)
			}
			accounts, err := act.AccountFor(a.world.journal.entries, there)
			sum := 0
			for _, n := range accounts.Sums {
				sum += n
			}
			if err != nil || sum != len(accounts.Objects) || sum < 100 || accounts.Sums[act.TakenOver] < 50 {
				t.Errorf("%v, %v", accounts.Sums, err)
			}
			t.Logf("%+v in %d calls; %v", first.Made, calls, accounts.Sums)
		})
	}
}

// onlyAzure takes the other providers out, for whose sake the driver would stay.
func (e *estate) onlyAzure() {
	maps.DeleteFunc(e.objects, func(ref model.Ref, content map[string]any) bool {
		other := ref.Kind == "SecretProviderClass" && text(content, "spec", "provider") != model.ProviderAzure
		meets := strings.Contains(fmt.Sprint(content), "secrets-store-csi-providers")
		azure := strings.Contains(fmt.Sprint(content), "provider-azure") || strings.Contains(fmt.Sprint(content), "secrets-store/driver")
		return other || ref.Kind == "DaemonSet" && meets && !azure
	})
}

// whole are the steps that have to be in every plan. Not so the removal of what the driver tells of pods: rolled pods take that
// with them, and what is gone needs no step.
func whole(r model.Report) []string {
	return slices.DeleteFunc(ids(r.Changes), func(id string) bool {
		return strings.HasPrefix(id, "cleanup/delete/secretproviderclasspodstatus/")
	})
}

// TestPlanIsAlwaysWhole applies the plan up to a random place, as pods are replaced; the plan of what is undone is the first one
// then.
func TestPlanIsAlwaysWhole(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2))
	for _, strategy := range []model.Strategy{model.ZeroDowntime, model.Guide} {
		e := readEstate(t, strategy)
		e.onlyAzure()
		first := e.plan(e.world().snapshot(e.input, e.ids), nil)
		want, replaced := whole(first), 0
		if !slices.Contains(want, "switchover/run/uninstall") {
			t.Fatal("the driver is not removed: the test shows little")
		}
		for range 12 {
			a := e.attempt()
			a.world.dies, a.world.rolling = chance.IntN(4_000), true
			_, err := a.run(t, all)
			if err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			replaced += a.world.replaced
			known := e.ids
			if len(a.world.journal.entries) > 0 {
				known = nil // volumes that named the credentials are gone, and so nobody read who they are
			}
			got := whole(e.plan(a.world.snapshot(e.input, known), a.world.journal.entries))
			if diff := differ(want, got); diff != "" {
				t.Fatalf("%s, after %d calls and %d entries:\n%s", strategy, a.world.calls, len(a.world.journal.entries), diff)
			}
		}
		if replaced == 0 {
			t.Error("no pod was replaced: the test shows little")
		}
	}
}
