package integration

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// TestPartialSync takes objects away one after the other, and brings them back.
//
//covers:field SecretSync.status.lastSuccessfulSyncTime setting.enablePartialSecretSync
//covers:reason PartialSync Synced
//covers:fault object-deleted object-disabled
func TestPartialSync(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	s := e.sync("app", "vault", "plain=a", "other=b", "off=c")
	e.create(t, e.class("vault", "secret plain", "secret other", "secret off"), s)

	update := e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonPartialSync)
	type item struct{ SourcePath, TargetKey, State, Error string }
	var items []item
	if err := json.Unmarshal([]byte(update.Message), &items); err != nil {
		t.Fatalf("%q: %v", update.Message, err)
	}
	if len(items) != 3 || items[0].State != "updated" || items[2].State != "missing" || !strings.Contains(items[2].Error, "disabled") {
		t.Errorf("items %+v", items)
	}
	want := map[string]string{"a": canary + "-plain", "b": canary + "-other"}
	if diff := cmp.Diff(want, e.data(t, "app")); diff != "" {
		t.Errorf("what is there was not written (-want +got):\n%s", diff)
	}
	if ready := e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonPartialSync); ready.Status != metav1.ConditionFalse {
		t.Errorf("Ready is %s though a key is missing", ready.Status)
	}
	if s.Status.LastSuccessfulSyncTime != nil {
		t.Errorf("lastSuccessfulSyncTime is %v though not all was synced", s.Status.LastSuccessfulSyncTime)
	}

	// A value that is there stays when its object goes, beside another that changes.
	edit(t, e, s, func(s *v1alpha1.SecretSync) { s.Spec.SecretObject.Data = s.Spec.SecretObject.Data[:2] })
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	e.remove(t, "other")
	e.set(t, "plain", canary+"-new")
	e.force(t, s)
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonPartialSync)
	if ready := e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonPartialSync); ready.Status != metav1.ConditionTrue {
		t.Errorf("Ready is %s though every key has a value", ready.Status)
	}
	want = map[string]string{"a": canary + "-new", "b": canary + "-other"}
	if diff := cmp.Diff(want, e.data(t, "app")); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}
