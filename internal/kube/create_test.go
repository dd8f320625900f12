package kube_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/internal/kube"
)

// TestCreate makes a Secret in one request, and leaves every one that is there alone, without any policy's help.
func TestCreate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var seen []string
	f.secrets.Seen = func(_ kube.Owner, version string) { seen = append(seen, version) }
	made, err := f.secrets.Create(t.Context(), f.desired(map[string]string{"k": "1"}))
	if err != nil || !made {
		t.Fatalf("made %v, %v", made, err)
	}
	first := f.get(t)
	if diff := cmp.Diff(map[string]string{"k": "1"}, text(first.Data)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{first.ResourceVersion}, seen); diff != "" {
		t.Errorf("versions told (-want +got):\n%s", diff)
	}
	if entries := first.ManagedFields; len(entries) != 1 || entries[0].Operation != metav1.ManagedFieldsOperationApply {
		t.Errorf("managed fields %v: a later apply would leave keys with two managers", entries)
	}
	made, err = f.secrets.Create(t.Context(), f.desired(map[string]string{"k": "2", "l": "3"}))
	if err != nil || made {
		t.Errorf("of one that is there: made %v, %v", made, err)
	}
	if diff := cmp.Diff(first, f.get(t)); diff != "" {
		t.Errorf("one that is there was changed (-before +after):\n%s", diff)
	}
	// The ordinary way goes on from there.
	f.mustWrite(t, f.desired(map[string]string{"l": "3"}), kube.ValueChanged)
	if diff := cmp.Diff(map[string]string{"l": "3"}, text(f.get(t).Data)); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

func TestCreateLeavesAForeignSecretAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	foreign, err := f.admin.CoreV1().Secrets(f.owner.Namespace).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: f.owner.Name}, Data: map[string][]byte{"theirs": []byte("kept")},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if made, err := f.secrets.Create(t.Context(), f.desired(map[string]string{"k": "1"})); made || err != nil {
		t.Errorf("made %v, %v", made, err)
	}
	if diff := cmp.Diff(foreign, f.get(t)); diff != "" {
		t.Errorf("it was changed (-before +after):\n%s", diff)
	}
}
