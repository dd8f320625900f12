package chart_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	v1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
	"secretstore/internal/kube"
	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/source"
	"secretstore/test/chart"
)

// installNarrow installs the chart once more, elsewhere, for one namespace and without policies, which are the cluster's: what
// is refused then is refused by the Roles. It returns where.
func installNarrow(t *testing.T, only string, settings ...any) string {
	t.Helper()
	release := chart.Release{Namespace: "narrow-" + only, Kubernetes: "v1.34.4", Cluster: shared.Config()}
	manifests := must(release.Render(t.Context(), values(append(settings, "namespaces", []any{only},
		"validatingAdmissionPolicies", map[string]any{"applyPolicies": false})...)))(t)
	if err := shared.Apply(t.Context(), namespace(release.Namespace), manifests); err != nil {
		t.Fatal(err)
	}
	return release.Namespace
}

func TestTheControllerReadsNoSecrets(t *testing.T) {
	r := newRoom(t)
	r.create(t, secretNamed("theirs"))
	for kind, release := range map[string]string{"ClusterRole": chart.Namespace, "Role": installNarrow(t, r.namespace)} {
		core := must(kubernetes.NewForConfig(controllerConfig(t, release)))(t).CoreV1()
		for verb, try := range map[string]func(v1.SecretInterface) error{
			"get":   func(s v1.SecretInterface) error { return second(s.Get(t.Context(), "theirs", metav1.GetOptions{})) },
			"list":  func(s v1.SecretInterface) error { return second(s.List(t.Context(), metav1.ListOptions{})) },
			"watch": func(s v1.SecretInterface) error { return second(s.Watch(t.Context(), metav1.ListOptions{})) },
			"update": func(s v1.SecretInterface) error {
				return second(s.Update(t.Context(), secretNamed("theirs"), metav1.UpdateOptions{}))
			},
			"delete": func(s v1.SecretInterface) error { return s.Delete(t.Context(), "theirs", metav1.DeleteOptions{}) },
			"delete collection": func(s v1.SecretInterface) error {
				return s.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{})
			},
		} {
			if err := try(core.Secrets(r.namespace)); !apierrors.IsForbidden(err) {
				t.Errorf("%s: %s: %v", kind, verb, err)
			}
		}
		if err := second(core.Secrets("").List(t.Context(), metav1.ListOptions{})); !apierrors.IsForbidden(err) {
			t.Errorf("%s: list all: %v", kind, err)
		}
	}
}

// TestWatchingReadsTheSecretsOfTheNamespaces asks as a controller that may watch Secrets of one namespace: it may read all of these,
// as SECURITY.md says, and none of others.
func TestWatchingReadsTheSecretsOfTheNamespaces(t *testing.T) {
	inside, outside := newRoom(t), newRoom(t)
	inside.create(t, secretNamed("theirs"))
	release := installNarrow(t, inside.namespace, "driftDetection", "watch")
	core := must(kubernetes.NewForConfig(controllerConfig(t, release)))(t).CoreV1()
	if list, err := core.Secrets(inside.namespace).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) != 1 {
		t.Errorf("inside: %v, %v", list, err)
	}
	for place, namespace := range map[string]string{"outside": outside.namespace, "everywhere": ""} {
		if err := second(core.Secrets(namespace).List(t.Context(), metav1.ListOptions{})); !apierrors.IsForbidden(err) {
			t.Errorf("%s: list: %v", place, err)
		}
		if err := second(core.Secrets(namespace).Watch(t.Context(), metav1.ListOptions{})); !apierrors.IsForbidden(err) {
			t.Errorf("%s: watch: %v", place, err)
		}
	}
	if err := second(core.Secrets(inside.namespace).Get(t.Context(), "theirs", metav1.GetOptions{})); !apierrors.IsForbidden(err) {
		t.Errorf("get: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// copies is a JSON patch that copies a value into a label, where it is invalid.
func copies() client.Patch {
	return client.RawPatch(types.JSONPatchType, []byte(`[{"op":"add","path":"/metadata/labels","value":{}},
		{"op":"copy","from":"/data/password","path":"/metadata/labels/x"}]`))
}

// guesses is a JSON patch that is only applied if the value is a guess.
func guesses(value string) client.Patch {
	return client.RawPatch(types.JSONPatchType, fmt.Appendf(nil, `[{"op":"test","path":"/data/password","value":"%s"}]`, value))
}

// TestKnownLimitPatchesLeakThroughErrors records what policies cannot stop: the API server applies a patch and validates the
// outcome before it asks them. If this fails because nothing leaks, a limit is gone: SECURITY.md should say so.
func TestKnownLimitPatchesLeakThroughErrors(t *testing.T) {
	inside, outside := newRoom(t), newRoom(t)
	narrow := newClient(t, controllerConfig(t, installNarrow(t, inside.namespace)))
	value := base64.StdEncoding.EncodeToString([]byte(canary))
	for _, r := range []room{inside, outside} {
		r.create(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "theirs"}, Data: map[string][]byte{"password": []byte(canary)}})
	}
	table := map[string]struct {
		reason string
		by     client.Client
		in     room
		leaks  bool
	}{
		"ClusterRole":    {reason: "the policies come too late", by: outside.controller, in: outside, leaks: true},
		"Role, inside":   {reason: "the namespaces that are served are no better off", by: narrow, in: inside, leaks: true},
		"Roles, outside": {reason: "RBAC comes first", by: narrow, in: outside},
	}
	for name, tc := range table {
		t.Run(name, func(t *testing.T) {
			try := func(patch client.Patch) string {
				theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: tc.in.namespace, Name: "theirs"}}
				err := tc.by.Patch(t.Context(), theirs, patch, client.DryRunAll)
				if forbidden := apierrors.IsForbidden(err); forbidden == tc.leaks {
					t.Errorf("%s: forbidden is %v: %v", tc.reason, forbidden, err)
				}
				return fmt.Sprint(err)
			}
			if leaks := strings.Contains(try(copies()), value); leaks != tc.leaks {
				t.Errorf("%s: an error holds the value: %v", tc.reason, leaks)
			}
			if differ := try(guesses(value)) != try(guesses("d3Jvbmc=")); tc.leaks && !differ || !tc.leaks && differ {
				t.Errorf("%s: a right guess is told from a wrong one: %v", tc.reason, differ)
			}
		})
	}
}

// TestTheControllersOwnRequestsPass takes every request that the controller makes through the policies and its role.
func TestTheControllersOwnRequestsPass(t *testing.T) {
	r := newRoom(t)
	typed := must(kubernetes.NewForConfig(controllerConfig(t, chart.Namespace)))(t)
	secrets := kube.NewSecrets(typed.CoreV1())
	ref := r.sync(t, "ours")
	owner := kube.Owner{Namespace: r.namespace, Name: "ours", UID: string(ref.UID)}
	write(t, secrets, owner, "1", kube.Created)
	write(t, secrets, owner, "1", kube.Unchanged)
	write(t, secrets, owner, "2", kube.ValueChanged)
	// Secrets that another controller of SecretSyncs made are ours to look at and to write, though their references lack
	// "controller". Where OwnerReferencesPermissionEnforcement is on, as here, the reference must stay as it is.
	other := r.sync(t, "adopted")
	other.Controller = nil
	r.create(t, secret("adopted", other))
	if _, err := secrets.Look(t.Context(), kube.Owner{Namespace: r.namespace, Name: "adopted", UID: string(other.UID)}); err != nil {
		t.Error(err)
	}
	if err := r.patching(t, secretNamed("adopted"), map[string]any{"data": map[string]any{"password": "Mg=="}})(); err != nil {
		t.Error(err)
	}

	account := source.ServiceAccount{Namespace: r.namespace, Name: "default"}
	for _, audience := range []string{"", "USGov", "China"} {
		if _, err := kube.NewTokens(typed.CoreV1()).Request(t.Context(), account, "api://AzureADTokenExchange"+audience); err != nil {
			t.Error(err)
		}
	}
	checkGenerating(t, r)
}

func write(t *testing.T, secrets *kube.Secrets, owner kube.Owner, value string, want kube.Change) {
	t.Helper()
	live, err := secrets.Look(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	desired := kube.Desired{
		Owner: owner, Type: corev1.SecretTypeOpaque, Data: map[string]redact.Bytes{"password": redact.FromString(value)},
	}
	if got, err := secrets.Write(t.Context(), live, desired); err != nil || got != want {
		t.Errorf("writing %s: %v, %v; want %v", owner.Name, got, err, want)
	}
}

// checkGenerating does what an AKVSync asks for.
func checkGenerating(t *testing.T, r room) {
	t.Helper()
	owner := r.akvSync(t, "shop")
	made := class("shop", owner)
	made.Namespace = r.namespace
	if err := r.controller.Create(t.Context(), made); err != nil {
		t.Error(err)
	}
	before := made.DeepCopy()
	made.Spec.Parameters = map[string]string{"keyvaultName": "shop"}
	if err := r.controller.Patch(t.Context(), made, client.MergeFrom(before)); err != nil {
		t.Error(err)
	}
	r.sync(t, "generated", owner)
	var s v1alpha1.SecretSync
	if err := r.controller.Get(t.Context(), client.ObjectKey{Namespace: r.namespace, Name: "generated"}, &s); err != nil {
		t.Fatal(err)
	}
	old := s.DeepCopy()
	s.Status.SyncHash = "x"
	if err := r.controller.Status().Patch(t.Context(), &s, client.MergeFrom(old)); err != nil {
		t.Error(err)
	}
	if err := r.controller.Delete(t.Context(), &s); err != nil {
		t.Error(err)
	}
}

// TestLookingByAnEmptyPatch holds the API server to what the controller relies on: for its own Secrets an empty patch answers, for
// others it is refused, and for none it says so; and nothing changes.
func TestLookingByAnEmptyPatch(t *testing.T) {
	r := newRoom(t)
	owner := r.sync(t, "ours")
	theirs := secretNamed("theirs")
	theirs.Data = map[string][]byte{"password": []byte(canary)}
	mine := secret("ours", owner)
	r.create(t, mine, theirs)
	secrets := kube.NewSecrets(must(kubernetes.NewForConfig(controllerConfig(t, chart.Namespace)))(t).CoreV1())

	live, err := secrets.Look(t.Context(), kube.Owner{Namespace: r.namespace, Name: "ours", UID: string(owner.UID)})
	if value, ok := live.Value("password"); err != nil || !ok || string(value.Reveal()) != canary {
		t.Errorf("ours: %v", err)
	}
	if live, err := secrets.Look(t.Context(), kube.Owner{Namespace: r.namespace, Name: "none"}); live != nil || err != nil {
		t.Errorf("none: %v, %v", live, err)
	}
	_, err = secrets.Look(t.Context(), kube.Owner{Namespace: r.namespace, Name: "theirs"})
	if f := fault.Of(err); f == nil || f.Kind != fault.SecretForeign || !apierrors.IsInvalid(f.Detail) || strings.Contains(f.Detail.Error(), canary) {
		t.Errorf("theirs: %v", err)
	}
	for _, before := range []*corev1.Secret{mine, theirs} {
		after := secretNamed("")
		if err := r.admin.Get(t.Context(), client.ObjectKeyFromObject(before), after); err != nil {
			t.Fatal(err)
		}
		if before.ResourceVersion != after.ResourceVersion {
			t.Errorf("%s was changed by looking", before.Name)
		}
	}
}

// TestTheTypesAreTheControllers compares the policy's list with the code's.
func TestTheTypesAreTheControllers(t *testing.T) {
	policy := policies(t, newRoom(t))["secretstore-secret-types"]
	quoted := strings.Split(policy.Spec.Validations[0].Expression, "'")
	var got []string
	for i := 1; i < len(quoted); i += 2 {
		got = append(got, quoted[i])
	}
	var want []string
	for _, secretType := range secretdata.Types() {
		want = append(want, string(secretType))
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-code +policy):\n%s", diff)
	}
}
