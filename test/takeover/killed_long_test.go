//go:build long

package takeover_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	csi "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
	"secretstore/test/rig/connect"
)

// kills is how often TestKilled kills.
const kills = 30

// Killed at 30 random moments and gone on with, a takeover ends as one that nobody kills: the same specs, the same bytes and owners of
// Secrets, the same in Azure.
func TestKilled(t *testing.T) {
	namespaces := []string{"shop-orders", "shop-web", "shop-data", "shop-batch"}
	unbroken := newWorld(t, partOfTheShop(t, namespaces...))
	unbroken.migrate("plan")
	unbroken.answer(map[string]string{"M202/etcd": "accept"})
	unbroken.migrate(applyAll()...).expect(t, 0)
	want, entries := unbroken.endState(), unbroken.journalLines()

	w := newWorld(t, partOfTheShop(t, namespaces...))
	recorder, gives, planned := w.record(), w.oldWay(), w.migrate("plan")
	w.answer(map[string]string{"M202/etcd": "accept"})
	done := w.killedOften(kills, entries/kills)
	done.expect(t, 0)
	if diff := cmp.Diff(want, w.endState()); diff != "" {
		t.Errorf("-unbroken +killed:\n%s", diff)
	}
	w.expectAccounts(planned, done)
	w.expectContents(gives)
	w.expectNothingOld()
	w.expectNoValueShown()
	expectNone(t, recorder)
}

// endState is all that a takeover leaves, by names: what differs from one cluster to the next is put in words that do not.
func (w *world) endState() map[string]string {
	w.t.Helper()
	w.awaitCollected()
	state := map[string]string{}
	lists := append(kindsWithPods(), &csi.SecretProviderClassList{}, &v1alpha1.SecretSyncList{}, &corev1.ServiceAccountList{}, &corev1.SecretList{})
	for _, list := range lists {
		w.list(list)
		w.each(list, func(o client.Object) {
			_, pod := o.(*corev1.Pod)
			_, job := o.(*batchv1.Job)
			made := pod || job && len(o.GetOwnerReferences()) > 0 // by others, under names of chance
			if made || !strings.HasPrefix(o.GetNamespace(), "shop-") {
				return
			}
			state[fmt.Sprintf("%T %s/%s", o, o.GetNamespace(), o.GetName())] = w.wanted(o)
		})
	}
	w.addAzure(state)
	return state
}

// awaitCollected waits until the garbage collector has taken the Secrets of the SecretSyncs that were deleted.
func (w *world) awaitCollected() {
	w.t.Helper()
	cluster.Eventually(w.t, time.Minute, func() error {
		var syncs v1alpha1.SecretSyncList
		w.list(&syncs)
		there := map[types.UID]bool{}
		for i := range syncs.Items {
			there[syncs.Items[i].UID] = true
		}
		var secrets corev1.SecretList
		w.list(&secrets)
		for i := range secrets.Items {
			for _, owner := range secrets.Items[i].OwnerReferences {
				if owner.Kind == "SecretSync" && !there[owner.UID] {
					return fmt.Errorf("secret %s/%s is still there", secrets.Items[i].Namespace, secrets.Items[i].Name)
				}
			}
		}
		return nil
	})
}

// wanted is what of an object somebody wants: its spec, or data, its labels and annotations, and its owners by kind and name.
func (w *world) wanted(o client.Object) string {
	w.t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		w.t.Fatal(err)
	}
	var owners []string
	for _, owner := range o.GetOwnerReferences() {
		owners = append(owners, owner.Kind+" "+owner.Name)
	}
	slices.Sort(owners)
	kept := map[string]any{"owners": owners, "labels": o.GetLabels()}
	for _, field := range []string{"spec", "data", "type", "immutable"} {
		kept[field] = content[field]
	}
	annotations := maps.Clone(o.GetAnnotations())
	delete(annotations, "deployment.kubernetes.io/revision")
	delete(annotations, "deprecated.daemonset.template.generation")
	kept["annotations"] = annotations
	text, err := json.Marshal(kept)
	if err != nil {
		w.t.Fatal(err)
	}
	// A Job's pods are told by its UID.
	return strings.ReplaceAll(w.unnamed(string(text)), string(o.GetUID()), "(its UID)")
}

// unnamed has words in place of what Azure and the cluster gave by chance.
func (w *world) unnamed(text string) string {
	w.t.Helper()
	pairs := []string{w.Cluster.Issuer(), "(the issuer)"}
	for _, name := range w.identities() {
		identity, err := w.Azure.Identity(w.t.Context(), connect.Group(), name)
		if err != nil {
			w.t.Fatal(err)
		}
		pairs = append(pairs, identity.ClientID, "(client of "+name+")")
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// identities are the names of those that a takeover may make.
func (w *world) identities() []string {
	w.t.Helper()
	var names []string
	for _, name := range []string{"shop-secrets", "shop-secrets-2", "shop-secrets-3"} {
		if _, err := w.Azure.Identity(w.t.Context(), connect.Group(), name); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// addAzure adds what is in Azure: identities, what they trust and which roles they have.
func (w *world) addAzure(state map[string]string) {
	w.t.Helper()
	for _, name := range w.identities() {
		identity, err := w.Azure.Identity(w.t.Context(), connect.Group(), name)
		if err != nil {
			w.t.Fatal(err)
		}
		trusts, err := w.Azure.FederatedCredentials(w.t.Context(), connect.Group(), name)
		if err != nil {
			w.t.Fatal(err)
		}
		state["identity "+name] = w.unnamed(w.text(trusts)) + w.text(w.rightsOf(identity.ClientID))
	}
}
