package state_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/state"
)

// chance is what keys are made of.
func chance(b byte) *bytes.Reader { return bytes.NewReader(bytes.Repeat([]byte{b}, 64)) }

// open opens a state folder, which is there after that, and fails the test where that fails.
func open(t *testing.T, dir string) *state.Folder {
	t.Helper()
	f, err := state.Open(dir, state.Owner{Cluster: "uid"}, "v1", chance(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SaveDecisions(nil); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	first := open(t, dir).Digester()([]byte("x"))
	again, err := state.Open(dir, state.Owner{Cluster: "uid"}, "v2", chance(2))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.SaveDecisions(nil); err != nil {
		t.Fatal(err)
	}
	if got := again.Digester()([]byte("x")); got != first || len(got) != 64 {
		t.Errorf("the key was not kept: %s, then %s", first, got)
	}
	other, err := state.Open(t.TempDir()+"/b", state.Owner{Folder: "/x"}, "v1", chance(2))
	if err != nil {
		t.Fatal(err)
	}
	if other.Digester()([]byte("x")) == first {
		t.Error("two migrations have the same digests")
	}
	if about, _ := os.ReadFile(filepath.Join(dir, "state.yaml")); string(about) != "cluster: uid\nversion: v2\n" {
		t.Errorf("state.yaml holds %q", about)
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, _ := e.Info(); info.Mode().Perm() != 0o600 || strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v", info.Mode())
	}
}

// TestOpenMakesNothing: who only looks, or fails, leaves nothing behind.
func TestOpenMakesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	var opened []*state.Folder
	for b := range byte(2) {
		f, err := state.Open(dir, state.Owner{Cluster: "uid"}, "v1", chance(b))
		if err != nil {
			t.Fatal(err)
		}
		opened = append(opened, f)
	}
	if _, err := opened[0].Decisions(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
	if err := opened[0].SaveDecisions(nil); err != nil {
		t.Error(err)
	}
	if err := opened[1].SaveDecisions(nil); err == nil || !strings.Contains(err.Error(), "run again") {
		t.Errorf("a run with another key went on: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		reason  string
		spoil   func(dir string) error
		owner   state.Owner
		contain string
	}{
		"another cluster": {
			"one folder's backups are one cluster's", func(string) error { return nil },
			state.Owner{Cluster: "other"},
			"belongs to the cluster whose kube-system has the UID uid",
		},
		"a folder of manifests": {"nor a folder's", func(string) error { return nil }, state.Owner{Folder: "/x"}, "not to the folder /x"},
		"open to others": {
			"the key is nobody else's", func(dir string) error { return os.Chmod(dir, 0o755) }, state.Owner{Cluster: "uid"}, "chmod 0700",
		},
		"a broken state.yaml": {
			"it says nothing of whose it is",
			func(dir string) error { return os.WriteFile(filepath.Join(dir, "state.yaml"), []byte("["), 0o600) },
			state.Owner{Cluster: "uid"},
			"state.yaml is broken",
		},
		"a key cut short": {
			"digests by it would be weak",
			func(dir string) error { return os.WriteFile(filepath.Join(dir, "digest.key"), []byte("x"), 0o600) },
			state.Owner{Cluster: "uid"},
			"holds 1 bytes instead of 32",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			open(t, dir)
			if err := test.spoil(dir); err != nil {
				t.Fatal(err)
			}
			_, err := state.Open(dir, test.owner, "v1", chance(1))
			if err == nil || !strings.Contains(err.Error(), test.contain) {
				t.Errorf("%s: got %v, want an error with %q", test.reason, err, test.contain)
			}
			var mismatch *state.MismatchError
			if test.owner.Cluster != "uid" && !errors.As(err, &mismatch) {
				t.Errorf("got %T", err)
			}
		})
	}
}

// content is an object out of JSON.
func content(t *testing.T, text string) model.Object {
	t.Helper()
	var o model.Object
	if err := json.Unmarshal([]byte(text), &o.Content); err != nil {
		t.Fatal(err)
	}
	o.Kind, _ = o.Content["kind"].(string)
	return o
}

const volume = `"volumes": [{"name": "kube-api-access-x"}, {"name": "s", "csi": {"driver": "secrets-store.csi.k8s.io"}}]`

func snapshot(t *testing.T) model.Snapshot {
	t.Helper()
	metadata := `"metadata": {"name": "o", "uid": "u", "resourceVersion": "1", "generation": 3, "creationTimestamp": "t",
		"managedFields": [], "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}`
	return model.Snapshot{
		Objects: []model.Object{
			content(t, `{"kind": "SecretProviderClass", `+metadata+`}, "spec": {"provider": "azure"}}`),
			content(t, `{"kind": "Secret", `+metadata+`}, "data": {"a": "digest"}, `+volume+`}`),
			content(t, `{"kind": "Pod", `+metadata+`}, "spec": {"nodeName": "n", `+volume+`}, "status": {}}`),
			content(t, `{"kind": "Pod", `+metadata+`, "ownerReferences": [{}]}, "spec": {`+volume+`}}`),
			content(t, `{"kind": "Pod", `+metadata+`}}`),
			content(t, `{"kind": "CronJob", `+metadata+`}, "spec": {"jobTemplate": {"spec": {"template": {"spec": {`+volume+`}}}}}}`),
			content(t, `{"kind": "Job", "metadata": {"name": "j", "labels": {"job-name": "j", "app": "a"}}, "spec": {"selector": {"x": "y"},
				"template": {"metadata": {"labels": {"batch.kubernetes.io/controller-uid": "u"}}, "spec": {`+volume+`}}}}`),
		},
		Azure: &model.Azure{Extensions: []model.Extension{{
			Type: "microsoft.azurekeyvaultsecretsprovider", Settings: map[string]string{
				"a": "b", "proxy": "http://user:canary@proxy.example:3128", "to": "ops@shop.example",
			},
		}}},
	}
}

// mustDir lists a folder.
func mustDir(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestBackup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	f := open(t, dir)
	if err := f.Backup(snapshot(t)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"akv-spe-spc-backup-clean.yaml": "apiVersion: v1\nitems:\n- kind: SecretProviderClass\n  metadata:\n    name: o\n  spec:\n" +
			"    provider: azure\nkind: List\n",
		"akv-spe-csi-consumers-clean.json": `[{"kind":"Pod","metadata":{"name":"o"},"spec":{"volumes":[{"csi":{"driver":` +
			`"secrets-store.csi.k8s.io"},"name":"s"}]}}]`,
		"akv-spe-csi-owners-clean.json": `[{"kind":"CronJob","metadata":{"name":"o"},"spec":{"jobTemplate":{"spec":{"template":{"spec":` +
			`{"volumes":[{"name":"kube-api-access-x"},{"csi":{"driver":"secrets-store.csi.k8s.io"},"name":"s"}]}}}}}},` +
			`{"kind":"Job","metadata":{"labels":{"app":"a"},"name":"j"},"spec":{"template":{"metadata":{},"spec":` +
			`{"volumes":[{"name":"kube-api-access-x"},{"csi":{"driver":"secrets-store.csi.k8s.io"},"name":"s"}]}}}}]`,
		"akv-spe-extension-config.json": `{"a":"b","proxy":"http://(left out)@proxy.example:3128","to":"ops@shop.example"}`,
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".json") {
			var compact bytes.Buffer
			if err := json.Compact(&compact, got); err != nil {
				t.Fatal(err)
			}
			got = compact.Bytes()
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, want := range map[string]int{"akv-spe-csi-consumers.json": 2, "akv-spe-csi-owners.json": 2} {
		var objects []map[string]any
		raw, _ := os.ReadFile(filepath.Join(dir, name))
		if err := json.Unmarshal(raw, &objects); err != nil || len(objects) != want || bytes.Contains(raw, []byte("digest")) {
			t.Errorf("%s holds %d objects, want %d: %s", name, len(objects), want, raw)
		}
		if objects[0]["metadata"].(map[string]any)["uid"] != "u" {
			t.Errorf("%s is not a raw copy", name)
		}
	}
	for _, e := range mustDir(t, dir) {
		if raw, _ := os.ReadFile(filepath.Join(dir, e.Name())); bytes.Contains(raw, []byte("canary")) {
			t.Errorf("%s holds the password of a proxy: %s", e.Name(), raw)
		}
	}
	if err := f.Backup(model.Snapshot{}); err != nil {
		t.Fatal(err)
	}
	if raw, _ := os.ReadFile(filepath.Join(dir, state.ClassesBackup)); !bytes.Contains(raw, []byte("azure")) {
		t.Error("a later run took the place of the first backup")
	}
}
