package kube_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
	"secretstore/internal/kube"
)

// neighboursSecret is what another controller applies for the SecretSync: as the public one does, with a label and an owner
// reference that lacks "controller".
func (f fixture) neighboursSecret(data map[string]string) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": encoded(data),
		"metadata": map[string]any{
			"name": f.owner.Name, "namespace": f.owner.Namespace,
			"labels": map[string]any{v1alpha1.SecretLabel: ""},
			"ownerReferences": []any{map[string]any{
				"apiVersion": v1alpha1.GroupVersion().String(), "kind": "SecretSync", "name": f.owner.Name, "uid": f.owner.UID,
			}},
		},
	}
}

func encoded(data map[string]string) map[string][]byte {
	out := map[string][]byte{}
	for key, value := range data {
		out[key] = []byte(value)
	}
	return out
}

// hold makes a Secret that the garbage collector cannot take, whose owner does not exist.
func (f fixture) hold(t *testing.T) {
	t.Helper()
	held := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: f.owner.Name, Finalizers: []string{"test.secretstore/hold"}}}
	if _, err := f.admin.CoreV1().Secrets(f.owner.Namespace).Create(t.Context(), held, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// apply applies a Secret as a field manager, without force.
func (f fixture) apply(t *testing.T, manager string, secret map[string]any) {
	t.Helper()
	if err := f.tryApply(t, manager, secret); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) tryApply(t *testing.T, manager string, secret map[string]any) error {
	t.Helper()
	body, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.admin.CoreV1().Secrets(f.owner.Namespace).Patch(t.Context(), f.owner.Name, types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: manager})
	return err
}

// keyManagers lists who manages each data key, as "manager Operation".
func keyManagers(t *testing.T, secret *corev1.Secret) map[string][]string {
	t.Helper()
	managers := map[string][]string{}
	for _, entry := range secret.ManagedFields {
		var fields struct {
			Data map[string]any `json:"f:data"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			t.Fatal(err)
		}
		for field := range fields.Data {
			if key, ok := strings.CutPrefix(field, "f:"); ok {
				managers[key] = append(managers[key], fmt.Sprintf("%s %s", entry.Manager, entry.Operation))
			}
		}
	}
	return managers
}

const (
	publicManager = "secrets-store-sync-controller"
	olderManager  = "v1-secrets-store-sync-controller" // v0.0.1 to v0.0.4
)

// TestAdoptionLeavesOneManager takes over what the neighbours made, with the controller's own rights.
func TestAdoptionLeavesOneManager(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		manager string
		change  kube.Change // by the first write, which wants the same values
	}{
		"Public": {"the same manager: there is nothing to take over", publicManager, kube.Unchanged},
		"Older":  {"up to v0.0.4 the manager had another name", olderManager, kube.MetadataChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.hold(t)
			f.apply(t, tc.manager, f.neighboursSecret(map[string]string{"a": "1", "b": "2"}))
			f.secrets = f.narrow(t)
			f.mustWrite(t, f.desired(map[string]string{"a": "1", "b": "2"}), tc.change)
			f.mustWrite(t, f.desired(map[string]string{"a": "1", "b": "2"}), kube.Unchanged)
			ours := []string{kube.FieldManager + " Apply"}
			if diff := cmp.Diff(map[string][]string{"a": ours, "b": ours}, keyManagers(t, f.get(t))); diff != "" {
				t.Errorf("%s: managers of the keys (-want +got):\n%s", tc.reason, diff)
			}

			f.mustWrite(t, f.desired(map[string]string{"a": "new"}), kube.ValueChanged)
			secret := f.get(t)
			if diff := cmp.Diff(map[string]string{"a": "new"}, text(secret.Data)); diff != "" {
				t.Errorf("%s: a key that is no longer wanted stays (-want +got):\n%s", tc.reason, diff)
			}
			if len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].Controller != nil {
				t.Errorf("%s: owner references %+v", tc.reason, secret.OwnerReferences)
			}
		})
	}
}

// TestAdoptionTakesTheOlderManagersRestAway has keys, labels and the old annotation that the SecretSync does not ask for, beside
// what somebody else added.
func TestAdoptionTakesTheOlderManagersRestAway(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	theirs := f.neighboursSecret(map[string]string{"a": "1", "old": "2"})
	metadata := theirs["metadata"].(map[string]any)
	metadata["annotations"] = map[string]any{v1alpha1.SecretLabel: ""}
	metadata["labels"] = map[string]any{v1alpha1.SecretLabel: "", "old": "x"}
	f.hold(t)
	f.apply(t, olderManager, theirs)
	f.edit(t, func(s *corev1.Secret) {
		s.Data["added"], s.Labels["added"] = []byte("kept"), "kept"
	})
	f.secrets = f.narrow(t)
	f.mustWrite(t, f.desired(map[string]string{"a": "new"}), kube.ValueChanged)
	secret := f.get(t)
	if diff := cmp.Diff(map[string]string{"a": "new", "added": "kept"}, text(secret.Data)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{v1alpha1.SecretLabel: "", "added": "kept"}, secret.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if len(secret.Annotations) > 0 {
		t.Errorf("annotations %v", secret.Annotations)
	}
	if managers := slices.Sorted(maps.Keys(keyManagers(t, secret))); !slices.Equal(managers, []string{"a", "added"}) {
		t.Errorf("managed keys %v", managers)
	}
}

// TestThePublicControllerCanHaveItBack applies, without force, a new value over what ours wrote. docs/guide/adopt.md says what
// comes of it.
func TestThePublicControllerCanHaveItBack(t *testing.T) {
	t.Parallel()
	for manager, refused := range map[string]bool{publicManager: false, olderManager: true} {
		f := newFixture(t)
		f.hold(t)
		f.apply(t, publicManager, f.neighboursSecret(map[string]string{"a": "1"}))
		f.mustWrite(t, f.desired(map[string]string{"a": "ours"}), kube.ValueChanged)
		err := f.tryApply(t, manager, f.neighboursSecret(map[string]string{"a": "theirs"}))
		if apierrors.IsConflict(err) != refused || !refused && err != nil {
			t.Errorf("%s: %v, want refused: %v", manager, err, refused)
		}
	}
}

// TestASecretWithoutTheLabelIsAdoptedByTheCommandThatIsSaid has one of a version that set an annotation only.
func TestASecretWithoutTheLabelIsAdoptedByTheCommandThatIsSaid(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	theirs := f.neighboursSecret(map[string]string{"a": "1", "b": "2"})
	metadata := theirs["metadata"].(map[string]any)
	delete(metadata, "labels")
	metadata["annotations"] = map[string]any{v1alpha1.SecretLabel: ""}
	f.hold(t)
	f.apply(t, olderManager, theirs)
	admin := f.secrets
	f.secrets = f.narrow(t)
	_, err := f.secrets.Look(t.Context(), f.owner)
	if err == nil || fault.Of(err).Kind != fault.SecretForeign {
		t.Fatalf("a Secret without the label: %v", err)
	}
	_, command, found := strings.Cut(err.Error(), "add it: ")
	if !found {
		t.Fatalf("%q says no command", err)
	}
	f.kubectl(t, strings.Fields(command)...)
	f.mustWrite(t, f.desired(map[string]string{"a": "1"}), kube.MetadataChanged)
	f.secrets = admin
	secret := f.get(t)
	if diff := cmp.Diff(map[string]string{"a": "1"}, text(secret.Data)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{"a": {kube.FieldManager + " Apply"}}, keyManagers(t, secret)); diff != "" {
		t.Errorf("managers of the keys (-want +got):\n%s", diff)
	}
	if len(secret.Annotations) > 0 {
		t.Errorf("the old annotation stays: %v", secret.Annotations)
	}
}

// kubectl runs a command that begins with "kubectl", as the administrator.
func (f fixture) kubectl(t *testing.T, words ...string) {
	t.Helper()
	if len(words) == 0 || words[0] != "kubectl" {
		t.Fatalf("%q is no command of kubectl", words)
	}
	config, err := shared.KubeconfigFile("admin-"+f.owner.Namespace, shared.Config())
	if err != nil {
		t.Fatal(err)
	}
	program, err := shared.Binary("kubectl")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, append([]string{"--kubeconfig", config}, words[1:]...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v: %s", words, err, out)
	}
}
