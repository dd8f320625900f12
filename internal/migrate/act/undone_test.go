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
	for _, r := range []model.Ref{ref("Deployment", "web"), ref("Deployment", "api"), ref("SecretProviderClass", "db"), ref("Secret", "creds"), ref("SecretProviderClassPodStatus", "p")} {
		found.Found = append(found.Found, act.FoundObject{Ref: r, Outcome: model.Translated})
	}
	class, gone := create("x"), remove()
	class.For, gone.Object = ref("SecretProviderClass", "db"), ref("Secret", "creds")
	entries := []act.Entry{found, {What: act.Made, Change: edit()}, {What: act.Made, Change: class}, {What: act.Made, Change: gone}}
	there := map[model.Ref]bool{ref("Deployment", "web"): true, ref("Deployment", "api"): true, ref("SecretProviderClass", "db"): true}
	for name, c := range map[string]struct {
		absent model.Ref
		sums   map[act.Fate]int
		lost   bool
	}{
		"whole":             {sums: map[act.Fate]int{act.TakenOver: 2, act.AsItWas: 1, act.Removed: 2}},
		"one is lost":       {absent: ref("Deployment", "api"), sums: map[act.Fate]int{act.TakenOver: 2, act.Removed: 2, act.Lost: 1}, lost: true},
		"an edited is lost": {absent: ref("Deployment", "web"), sums: map[act.Fate]int{act.TakenOver: 1, act.AsItWas: 1, act.Removed: 2, act.Lost: 1}, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accounts, err := act.AccountFor(entries, func(r model.Ref) bool { return there[r] && r != c.absent })
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
