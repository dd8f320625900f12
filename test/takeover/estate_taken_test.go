//go:build long

package takeover_test

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/internal/emulator/state"
	"secretstore/test/cluster"
	"secretstore/test/rig"
	"secretstore/test/rig/connect"
)

// existingIdentity is a managed identity that the large fixture's namespace platform uses already.
const existingIdentity = "44440000-1111-4222-8333-0000000000ee"

// withExistingIdentity adds it to Azure, with its right to read.
func withExistingIdentity(seed *state.Seed) {
	group := connect.Group()
	seed.Applications = append(seed.Applications, state.Application{
		TenantID: tenant, ClientID: existingIdentity, Name: "platform", SubscriptionID: group.Subscription, ResourceGroup: group.Name,
	})
	for i := range seed.Vaults {
		if seed.Vaults[i].TenantID == tenant {
			seed.Vaults[i].RoleAssignments = append(slices.Clone(seed.Vaults[i].RoleAssignments),
				state.RoleAssignment{ClientID: existingIdentity, Role: "Key Vault Secrets User"})
		}
	}
}

// The large fixture is taken over as far as nothing has to be decided: what is blocked or undecided stays on the old way and runs, the
// driver stays with it, and all of it is accounted for.
func TestEstateIsTakenOver(t *testing.T) {
	objects := load(t, "../migration/testdata/estate")
	w := newWorldOf(t, connect.Options{
		Objects: objects, Rig: rig.Options{Nodes: []string{}}, // it brings its own
		Seed: withExistingIdentity,
	}, unwell()...)
	recorder := w.record()
	planned := w.migrate("plan")
	w.answer(map[string]string{"M202/etcd": "accept"})
	done := w.migrate(append(applyAll(), "--skip-undecided")...)
	if done.code != 5 || done.Fates["taken-over"] < 60 || !strings.Contains(done.said, "stopped at workloads/check/csi-volumes") {
		t.Errorf("exit code %d, %v: want a stop at the gate before the driver goes", done.code, done.Fates)
	}
	w.expectAccounts(planned, done)
	if there, err := w.HasExtension(t.Context()); err != nil || !there {
		t.Errorf("the extension is there: %t, %v", there, err)
	}
	// What is paused keeps its old pods.
	if err := w.AwaitRunning(t.Context(), append(unwell(), "Deployment notifications/push")...); err != nil {
		t.Error(err)
	}
	expectNone(t, recorder)
	w.expectNoValueShown()
}

// Those namespaces of the large fixture that nothing blocks are taken over to the very end, all of one old principal: the operator
// answers what is asked, and where pods do not go by themselves does what the findings say between two runs.
func TestEstateIsTakenOverToTheEnd(t *testing.T) {
	all := load(t, "../migration/testdata/estate")
	namespaces := []string{
		"accounts", "analytics", "cart", "catalog", "edge", "email", "fraud", "inventory", "invoicing", "loyalty", "notifications",
		"orders", "payments", "platform", "pricing", "promotions", "recommendations", "reporting", "returns", "reviews", "search",
		"shipping", "storefront", "stores",
	}
	objects := slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool {
		if o.GetKind() == "Namespace" {
			return !slices.Contains(namespaces, o.GetName())
		}
		if o.GetKind() == "Secret" && o.GetName() == "shop-example-com-tls" {
			return true // its text is no certificate: the driver makes it from the vault's
		}
		return o.GetNamespace() != "" && !slices.Contains(namespaces, o.GetNamespace())
	})
	w := newWorldOf(t, connect.Options{Objects: objects, Rig: rig.Options{Nodes: []string{}}, Seed: withExistingIdentity})
	recorder, gives := w.record(), w.oldWay()
	planned := w.migrate("plan", "--force-live")
	w.answer(map[string]string{
		"M202/etcd": "accept",
		"M107/pricing/pricing-rules/SecretProviderClass":       "01d00000-5555-4666-8777-0000000000bb",
		"M108/shipping/shipping-labels/SecretProviderClass":    "translate",
		"M110/recommendations/recommender/Service":             "edit",
		"M110/recommendations/trainer/ScaledJob":               "edit",
		"M110/returns/returns-web/DeploymentConfig":            "edit",
		"M110/search/products/SearchCluster":                   "edit",
		"M417/inventory/inventory-read/inventory-db":           "inventory-db",
		"M417/inventory/inventory-write/inventory-db":          "inventory-db-2",
		"M418/inventory/inventory-legacy/inventory-sftp":       "inventory-sftp-2",
		"M419/fraud/fraud-scores-next/fraud-scores":            "fraud-scores-2",
		"M419/fraud/fraud-scores/Fraud-Scores":                 "fraud-scores-3",
		"M420/inventory/inventory-license/inventory-license":   "inventory-license-2",
		"M420/inventory/inventory-registry/inventory-registry": "inventory-registry-2",
		"M422/storefront/storefront-tls":                       "storefront-tls-sse-2",
		"M515/shipping/shipping-backfill-2026/Job":             "recreate",
		"M517/cart/cart-console/Pod":                           "recreate",
		"M517/payments/payments-debug/Pod":                     "recreate",
	})
	done, run := w.accepting(append(applyAll(), "--force-live"), recorder)
	if done.code != 5 || !strings.Contains(done.said, "stopped at workloads/check/csi-volumes") {
		t.Fatalf("exit code %d, and left is %v: want a stop before the driver goes", done.code, done.Left)
	}
	w.replacePods()
	done, _ = w.accepting(run, recorder)
	if done.code != 0 || len(done.Left) > 0 {
		t.Fatalf("exit code %d, and left is %v", done.code, done.Left)
	}
	w.expectAccounts(planned, done)
	const idle = "payments/payments-shared" // nothing uses it: it is left
	for class := range gives {
		switch class.String() {
		case idle:
			delete(gives, class)
		case "inventory/inventory-license", "inventory/inventory-registry", "inventory/inventory-write", // other Secrets take the place
			"inventory/inventory-legacy", // somebody else's
			"fraud/fraud-scores":         // no Secret can have that name
			gives[class] = given{files: gives[class].files}
		}
	}
	w.expectContents(gives)
	w.expectNothingOld(idle)
	expectNone(t, recorder)
	w.expectNoValueShown()
}

// accepting runs the program, and says again and again, where it stops at Secrets that differ, that what the vault gives is right:
// the first two nothing wrote to any more, being immutable and of another type; of the third two classes were made, which wrote it in
// turns; and no pod has mounted the class of the last for long. It returns the arguments that it came to.
func (w *world) accepting(run []string, recorder *rig.Recorder) (ended, []string) {
	w.t.Helper()
	gate := regexp.MustCompile(`run again with --done ((?:translate|verify)/check/(secretproviderclass|secret)/` +
		`(inventory/inventory-(?:license|registry|read|db)|shipping/shipping-labels)(?:-sse)?)\.`)
	for {
		done := w.migrate(run...)
		stopped := gate.FindStringSubmatch(done.said)
		if stopped == nil {
			return done, run
		}
		run = append(run, "--done", stopped[1])
		if stopped[2] == "secret" { // which is written now
			recorder.Allow(path.Dir(stopped[3]), path.Base(stopped[3]))
		}
	}
}

// replacePods does what the findings about update strategies say (M511 to M514): it resumes what is paused, takes partitions
// away, and deletes what nobody replaces, one pod after the other.
func (w *world) replacePods() {
	w.t.Helper()
	ctx := w.t.Context()
	push := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "notifications", Name: "push"}}
	ledger := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "payments", Name: "payments-ledger"}}
	for object, patch := range map[client.Object]string{
		push: `{"spec":{"paused":false}}`, ledger: `{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}`,
	} {
		if err := w.Client.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
			w.t.Fatal(err)
		}
	}
	for {
		if err := w.AwaitRunning(ctx); err != nil {
			w.t.Fatal(err)
		}
		var pods corev1.PodList
		w.list(&pods)
		next := slices.IndexFunc(pods.Items, func(pod corev1.Pod) bool {
			return strings.Contains(w.text(&pod), `"driver":"secrets-store.csi.k8s.io"`) && !isOver(&pod)
		})
		if next < 0 {
			return
		}
		pod := &pods.Items[next]
		w.t.Logf("deleting pod %s/%s", pod.Namespace, pod.Name)
		if err := w.Client.Delete(ctx, pod); err != nil {
			w.t.Fatal(err)
		}
		cluster.Eventually(w.t, time.Minute, func() error {
			now := &corev1.Pod{}
			err := client.IgnoreNotFound(w.Client.Get(ctx, client.ObjectKeyFromObject(pod), now))
			if err == nil && now.UID == pod.UID {
				return fmt.Errorf("pod %s/%s is there", pod.Namespace, pod.Name)
			}
			return err
		})
	}
}
