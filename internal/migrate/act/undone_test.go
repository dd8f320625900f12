package act_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// TestUndone: what becomes of one object in a snapshot by what the journal says of it.
func TestUndone(t *testing.T) {
	t.Parallel()
	sync, web, secret := ref("SecretSync", "db"), ref("Deployment", "web"), ref("Secret", "db")
	object := func(r model.Ref, value, uid string, owners ...any) model.Object {
		c := content(r, value)
		metadata, _ := c["metadata"].(map[string]any)
		metadata["uid"] = uid
		if len(owners) > 0 {
			metadata["ownerReferences"] = owners
		}
		return model.Object{Ref: r, Content: c}
	}
	owned := func(uid string) any { return map[string]any{"kind": "SecretSync", "name": "db", "uid": uid} }
	withData := func(o model.Object, digest string) model.Object {
		o.Content["data"] = map[string]any{"k": digest}
		return o
	}
	begun := func(c model.Change, before map[string]any) act.Entry {
		return act.Entry{What: act.Begun, Change: c, Before: before}
	}
	made := func(c model.Change, uid string) act.Entry { return act.Entry{What: act.Made, Change: c, UID: uid} }
	reverted := func(c model.Change) act.Entry { return act.Entry{What: act.Reverted, Change: c} }
	was := object(web, "old", "1").Content
	gone := remove()
	give := edit()
	give.Object, give.ID = secret, "give"
	for name, c := range map[string]struct {
		reason    string
		now, want []model.Object
		entries   []act.Entry
	}{
		"edited":             {now: []model.Object{object(web, "new", "1")}, want: []model.Object{object(web, "old", "1")}, entries: []act.Entry{begun(edit(), was), made(edit(), "1")}},
		"being edited":       {now: []model.Object{object(web, "new", "1")}, want: []model.Object{object(web, "old", "1")}, entries: []act.Entry{begun(edit(), was)}},
		"edited, and gone":   {reason: "somebody else deleted it", entries: []act.Entry{begun(edit(), was), made(edit(), "1")}},
		"edited, taken back": {now: []model.Object{object(web, "mine", "1")}, want: []model.Object{object(web, "mine", "1")}, entries: []act.Entry{begun(edit(), was), made(edit(), "1"), reverted(edit())}},
		"deleted":            {want: []model.Object{object(web, "old", "1")}, entries: []act.Entry{begun(gone, was), made(gone, "")}},
		"deleted, and there": {now: []model.Object{object(web, "mine", "2")}, want: []model.Object{object(web, "mine", "2")}, entries: []act.Entry{begun(gone, was), made(gone, "")}},
		"edited and deleted": {
			reason: "as it was before the edit", want: []model.Object{object(web, "old", "1")},
			entries: []act.Entry{begun(edit(), was), made(edit(), "1"), begun(gone, object(web, "new", "1").Content), made(gone, "")},
		},
		"made":                    {now: []model.Object{object(sync, "x", "7")}, entries: []act.Entry{begun(create("x"), nil), made(create("x"), "7")}},
		"being made":              {now: []model.Object{object(sync, "x", "7")}, entries: []act.Entry{begun(create("x"), nil)}},
		"made by somebody, since": {now: []model.Object{object(sync, "x", "8")}, want: []model.Object{object(sync, "x", "8")}, entries: []act.Entry{begun(create("x"), nil), made(create("x"), "7")}},
		"its Secret": {
			now: []model.Object{object(secret, "x", "9", owned("7")), object(sync, "x", "7")}, entries: []act.Entry{begun(create("x"), nil), made(create("x"), "7")},
		},
		"another's Secret": {
			now:     []model.Object{object(secret, "x", "9", owned("6")), object(sync, "x", "7")},
			want:    []model.Object{object(secret, "x", "9", owned("6"))},
			entries: []act.Entry{begun(create("x"), nil), made(create("x"), "7")},
		},
		"a Secret that another owns as well": {
			now:     []model.Object{object(secret, "x", "9", owned("7"), owned("6")), object(sync, "x", "7")},
			want:    []model.Object{object(secret, "x", "9", owned("7"), owned("6"))},
			entries: []act.Entry{begun(create("x"), nil), made(create("x"), "7")},
		},
		"a Secret that was handed over": {
			reason:  "it has its old owners, and the values of now",
			now:     []model.Object{withData(object(secret, "new", "9", owned("7")), "now"), object(sync, "x", "7")},
			want:    []model.Object{withData(object(secret, "old", "9"), "now")},
			entries: []act.Entry{begun(create("x"), nil), made(create("x"), "7"), begun(give, object(secret, "old", "9").Content), made(give, "9")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := act.Undone(model.Snapshot{Objects: c.now}, c.entries)
			if diff := cmp.Diff(c.want, append([]model.Object(nil), got.Objects...)); diff != "" {
				t.Errorf("%s; -want +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestAccountFor: each object has one fate, and what is gone without a step of ours is lost.
func TestAccountFor(t *testing.T) {
	t.Parallel()
	found := act.Entry{What: act.Found}
	for _, r := range []model.Ref{ref("Deployment", "web"), ref("Deployment", "api"), ref("SecretProviderClass", "db"), ref("Secret", "creds")} {
		found.Found = append(found.Found, act.FoundObject{Ref: r, Outcome: model.Translated})
	}
	found.Found = append(found.Found, act.FoundObject{Ref: ref("SecretProviderClassPodStatus", "p"), Goes: "the end of its pod"})
	class, gone := create("x"), remove()
	class.For, gone.Object = ref("SecretProviderClass", "db"), ref("Secret", "creds")
	entries := []act.Entry{found, {What: act.Made, Change: edit()}, {What: act.Made, Change: class}, {What: act.Made, Change: gone}}
	there := map[model.Ref]bool{ref("Deployment", "web"): true, ref("Deployment", "api"): true, ref("SecretProviderClass", "db"): true}
	for name, c := range map[string]struct {
		absent, there model.Ref
		sums          map[act.Fate]int
		lost          bool
	}{
		"a pod's status is there": {
			there: ref("SecretProviderClassPodStatus", "p"), sums: map[act.Fate]int{act.TakenOver: 2, act.AsItWas: 2, act.Removed: 1},
		},
		"whole":             {sums: map[act.Fate]int{act.TakenOver: 2, act.AsItWas: 1, act.Removed: 2}},
		"one is lost":       {absent: ref("Deployment", "api"), sums: map[act.Fate]int{act.TakenOver: 2, act.Removed: 2, act.Lost: 1}, lost: true},
		"an edited is lost": {absent: ref("Deployment", "web"), sums: map[act.Fate]int{act.TakenOver: 1, act.AsItWas: 1, act.Removed: 2, act.Lost: 1}, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accounts, err := act.AccountFor(entries, func(r model.Ref) bool { return there[r] && r != c.absent || r == c.there })
			if diff := cmp.Diff(c.sums, accounts.Sums); diff != "" {
				t.Error(diff)
			}
			lost := (*act.LostError)(nil)
			if errors.As(err, &lost) != c.lost || c.lost && lost.Objects[0].Ref != c.absent {
				t.Error(err)
			}
		})
	}
}

// TestWhatGoesByItself: a Job whose time is up and what the driver tells of a pod are looked for, and gone they are not lost. A Job
// that stays when it has ended is.
func TestWhatGoesByItself(t *testing.T) {
	t.Parallel()
	w := newShop().world
	job := func(name string, spec map[string]any) model.Ref {
		r := ref("Job", name)
		w.put(r, map[string]any{"kind": "Job", "metadata": map[string]any{"name": name}, "spec": spec})
		return r
	}
	mortal, lasting := job("mortal", map[string]any{"ttlSecondsAfterFinished": int64(0)}), job("lasting", map[string]any{})
	status := ref("SecretProviderClassPodStatus", "p")
	w.put(status, content(status, "x"))
	s, r := w.snapshot(model.Input{}, nil), model.Report{}
	for _, o := range []model.Ref{mortal, lasting, status} {
		r.Objects = append(r.Objects, model.Accounted{Ref: o})
	}
	entries := []act.Entry{act.Find(s, r)}
	fates := func() (all []string, err error) {
		there, err := act.Runner{Cluster: w}.There(t.Context(), entries, model.Snapshot{})
		if err != nil {
			t.Fatal(err)
		}
		accounts, err := act.AccountFor(entries, there)
		for _, a := range accounts.Objects {
			all = append(all, string(a.Fate)+" "+a.Why)
		}
		return all, err
	}
	got, err := fates()
	if diff := cmp.Diff([]string{"as-it-was ", "as-it-was ", "as-it-was "}, got); diff != "" || err != nil {
		t.Errorf("while they are there: %v (-want +got):\n%s", err, diff)
	}
	for _, gone := range []model.Ref{mortal, lasting, status} {
		w.remove(gone)
	}
	got, err = fates()
	want := []string{
		"removed it went by itself, by its own ttlSecondsAfterFinished", "lost no step of the migration took it away",
		"removed it went by itself, by the end of its pod",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("when they are gone (-want +got):\n%s", diff)
	}
	if lost := (*act.LostError)(nil); !errors.As(err, &lost) || len(lost.Objects) != 1 || lost.Objects[0].Ref != lasting {
		t.Error(err)
	}
}

// TestFindKeepsTheDriver, and not the workloads that mount it.
func TestFindKeepsTheDriver(t *testing.T) {
	t.Parallel()
	e := readEstate(t, model.ZeroDowntime)
	s := e.world().snapshot(e.input, e.ids)
	found := act.Find(s, e.plan(s, nil))
	if len(found.Kept.Driver) < 3 || len(found.Kept.ClientIDs) < 20 || len(found.Found) < 100 {
		t.Errorf("%d parts, %d client IDs, %d objects", len(found.Kept.Driver), len(found.Kept.ClientIDs), len(found.Found))
	}
	for _, o := range found.Kept.Driver {
		if o.Kind == "DaemonSet" && o.Namespace != "kube-system" {
			t.Errorf("%s is no part of the driver", o.Ref)
		}
	}
}
