//go:build long

package takeover_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The guide's order ends where the other does: the same bytes under the same names, and nothing of the old way. In between pods hang
// that end while their driver is gone, so that somebody lets them go by force; for that window the operator consents to an outage.
func TestShopIsTakenOverInTheGuidesOrder(t *testing.T) {
	objects := load(t, shopDir)
	w := newWorld(t, objects)
	gives := w.oldWay()
	order := "--strategy=guide"
	planned := w.migrate("plan", order)
	answers := allOfTheShop()
	answers["M301/outage"] = "accept"
	w.answer(answers)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.letHangingPodsGo(ctx)
	}()
	done := w.migrate(append(applyAll(), order)...)
	stop()
	<-ended
	if done.code != 0 || len(done.Left) > 0 {
		t.Fatalf("exit code %d, and left is %v", done.code, done.Left)
	}
	w.expectAccounts(planned, done)
	w.expectContents(gives)
	w.expectNothingOld()
	w.expectNoValueShown()
	if again := w.migrate(append(applyAll(), order)...); again.code != 0 || again.Made != 0 {
		t.Errorf("again: exit code %d, %d steps made", again.code, again.Made)
	}
}

// letHangingPodsGo removes, as an operator would, pods that end and cannot be unmounted since their driver is gone.
func (w *world) letHangingPodsGo(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var pods corev1.PodList
		if err := w.Client.List(ctx, &pods); err != nil {
			continue // the test's own steps say what is wrong
		}
		for i := range pods.Items {
			pod := &pods.Items[i]
			if pod.DeletionTimestamp != nil && strings.Contains(w.text(pod), `"driver":"secrets-store.csi.k8s.io"`) {
				_ = w.Client.Delete(ctx, pod, client.GracePeriodSeconds(0)) // tried again
			}
		}
	}
}
