package lifecycle

import (
	"errors"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

// TestJitter has an hour of jitter: one SecretSync is edited, and another, after it, is asked for a check. Only the latter is checked.
//
//covers:field setting.jitterSeconds SecretSync.spec.forceSynchronization
func TestJitter(t *testing.T) {
	e := newEnv(t, "--namespaces=NAMESPACE")
	edited, forced := e.sync(t, "edited"), e.sync(t, "forced")
	e.await(t, edited, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	e.await(t, forced, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	if err := e.stack.Controller.Stop(); err != nil {
		t.Fatal(err)
	}
	controller, err := e.stack.StartReplica(t.Context(), "--jitterSeconds=3600", "--namespaces="+e.namespace)
	if err != nil {
		t.Fatal(err)
	}
	e.stack.Controller = controller
	before := edited.Generation
	edited.Spec.SecretObject.Labels = map[string]string{"team": "shop"}
	if err := e.client.Update(t.Context(), edited); err != nil {
		t.Fatal(err)
	}
	fresh := e.sync(t, "new") // which waits as well
	forced.Spec.ForceSynchronization = "now"
	if err := e.client.Update(t.Context(), forced); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(forced), forced); err != nil {
			return err
		}
		if forced.Status.ObservedForceSynchronization != "now" {
			return errors.New("who asks for a check waits")
		}
		return nil
	})
	for _, s := range []*v1alpha1.SecretSync{edited, fresh} {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			t.Fatal(err)
		}
		if s.Status.ObservedGeneration == s.Generation {
			t.Errorf("%s was checked at once (generation %d, before %d)", s.Name, s.Generation, before)
		}
	}
}
