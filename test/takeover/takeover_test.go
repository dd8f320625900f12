package takeover_test

import (
	"strings"
	"testing"

	"secretstore/test/rig"
)

// allOfTheShop are the operator's answers for the shop.
func allOfTheShop() map[string]string {
	return map[string]string{"M202/etcd": "accept", "M517/shop-tools/console/Pod": "recreate"}
}

// apply are the arguments that take all of a cluster over.
func applyAll() []string {
	return []string{"run", "--apply", "--yes-irreversible", "--image", "registry.example.com/secretstore:v1"}
}

// The shop is taken over by the program, to the end: nobody who reads a Secret is without it for a moment, no workload falls below its
// strategy, everything is accounted for, and nothing of the old way is left.
func TestShopIsTakenOver(t *testing.T) {
	objects := load(t, shopDir)
	w := newWorld(t, objects)
	recorder := w.record()
	gives := w.oldWay()
	planned := w.migrate("plan")
	w.answer(allOfTheShop())
	done := w.migrate(applyAll()...)
	if done.code != 0 || len(done.Left) > 0 {
		t.Fatalf("exit code %d, and left is %v", done.code, done.Left)
	}
	if next := strings.Join(done.Next, " "); !strings.Contains(next, "rollback has ended") {
		t.Errorf("the way back is offered: %s", next)
	}
	w.expectAccounts(planned, done)
	w.expectContents(gives)
	w.expectNothingOld()
	w.expectNoValueShown()
	if again := w.migrate(applyAll()...); again.code != 0 || again.Made != 0 {
		t.Errorf("again: exit code %d, %d steps made", again.code, again.Made)
	}
	w.pruneWhatIsOver()
	expectNone(t, recorder)
}

// record records what happens on the world's cluster, until the test ends.
func (w *world) record() *rig.Recorder {
	w.t.Helper()
	recorder, err := w.Record(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(recorder.Stop)
	return recorder
}

// expectNone fails for every violation.
func expectNone(t *testing.T, recorder *rig.Recorder) {
	t.Helper()
	violations, err := recorder.Violations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		// The driver and the controller come and go on purpose.
		if !strings.HasPrefix(v.What, "DaemonSet kube-system/") && !strings.HasPrefix(v.What, "Deployment secretstore-system/") {
			t.Error(v)
		}
	}
}
