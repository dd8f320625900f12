package kube_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/internal/kube"
)

// TestEveryVersionIsSeen holds the writer to telling of each version that it reads or writes.
func TestEveryVersionIsSeen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var seen []string
	f.secrets.Seen = func(owner kube.Owner, version string) {
		if owner != f.owner {
			t.Errorf("of %v", owner)
		}
		seen = append(seen, version)
	}
	version := func() string {
		secret, err := f.admin.CoreV1().Secrets(f.owner.Namespace).Get(t.Context(), f.owner.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return secret.ResourceVersion
	}
	want := []string{""} // there is none at first
	for _, value := range []string{"1", "1", "2"} {
		if _, err := f.write(t, f.desired(map[string]string{"k": value})); err != nil {
			t.Fatal(err)
		}
		want = append(want, version())
	}
	// Written, looked at and found good, looked at again and written.
	want = []string{want[0], want[1], want[2], want[2], want[3]}
	if diff := cmp.Diff(want, seen); diff != "" || want[3] == want[4] {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}
