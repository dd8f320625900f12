package takeover_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"secretstore/test/cluster"
	"secretstore/test/rig"
)

// unwell are those of the estate that do not run in reality either.
func unwell() []string {
	return []string{
		"Deployment support/support-chat", // its class is not there
		"Deployment support/support-mail", // its class cannot be read
	}
}

// The large fixture runs, but for what is meant not to: its vaults hold what its classes ask for.
func TestEstateRuns(t *testing.T) {
	objects := load(t, "../migration/testdata/estate")
	definitions, err := cluster.Manifests("charts/secretstore/crds/*.yaml", "test/migration/testdata/estate/cluster/crds/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seed := filepath.Join(t.TempDir(), "seed.yaml")
	if err := rig.WriteVaults(seed, objects); err != nil {
		t.Fatal(err)
	}
	r, err := rig.Start(t.Context(), rig.Options{
		Manifests: definitions, Nodes: []string{}, Seed: seed, Programs: programs, Log: t.Output(),
		Driver: rig.DriverOptions{Identity: rig.Operator(tenant)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	started := time.Now()
	if err := r.Settle(t.Context(), objects, unwell()...); err != nil {
		t.Fatal(err)
	}
	t.Logf("the estate runs %.1f s after the rig", time.Since(started).Seconds())
	why, err := r.NotRunning(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(unwell(), slices.Sorted(maps.Keys(why))); diff != "" {
		t.Errorf("what does not run (-want +got):\n%s\n%v", diff, why)
	}
	var secrets corev1.SecretList
	if err := r.Client.List(t.Context(), &secrets); err != nil {
		t.Fatal(err)
	}
	made := 0
	for _, secret := range secrets.Items {
		if secret.ManagedFields[0].Manager == "csi-secrets-store" {
			made++
		}
	}
	t.Logf("%d Secrets made by the driver", made)
	if made < 10 {
		t.Errorf("the driver made %d Secrets", made)
	}
}
