//go:build long

package takeover_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/internal/emulator/state"
	"secretstore/test/rig/connect"
)

// admin asks something of the emulator's administrator.
func (w *world) admin(method, path string, body any) {
	w.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.Stack.Admin(w.t.Context(), method, path, string(text), nil); err != nil {
		w.t.Fatal(err)
	}
}

// behave has the services fail in some ways; without any all is well.
func (w *world) behave(faults ...string) {
	w.t.Helper()
	if err := w.Stack.Behave(w.t.Context(), `{"faults": [`+strings.Join(faults, ", ")+`]}`); err != nil {
		w.t.Fatal(err)
	}
}

// applyWithin are the arguments that take all over, waiting for some time at most.
func applyWithin(timeout string) []string { return append(applyAll(), "--timeout", timeout) }

// TestFaults takes one namespace over while one thing after the other goes wrong. Each is told by what it is about, where and what
// to do; none loses anything; and the end is the one of a takeover to which nothing happened.
func TestFaults(t *testing.T) {
	w := newWorld(t, partOfTheShop(t, "shop-orders"))
	recorder, gives, planned := w.record(), w.oldWay(), w.migrate("plan")
	w.answer(map[string]string{"M202/etcd": "accept"})
	// What is made in Azure does not work before [world.credentialWorks] and [world.roleWorks] say so.
	w.admin(http.MethodPut, "/admin/management", state.ManagementSettings{CredentialPropagationSeconds: 3600, RolePropagationSeconds: 3600})
	for _, fault := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"disk full", diskFull},
		{"ARM refuses now and then, and a credential does not work", armFails},
		{"two operators, a credential and a role work late, the vault is away, and a verb is lacking", waitsForAzure},
		{"a rollout does not come to its end", rolloutFails},
		{"the API server goes and comes back", serverRestarts},
		{"a role in Azure is lacking", roleLacking},
	} {
		if !t.Run(fault.name, func(t *testing.T) {
			was := w.t
			w.t = t
			defer func() { w.t = was }()
			fault.test(t, w)
			expectNone(t, recorder)
		}) {
			return // the others would tell of nothing but this one
		}
	}
	done := w.migrate(applyAll()...)
	done.expect(t, 0)
	w.expectAccounts(planned, done)
	w.expectContents(gives)
	w.expectNothingOld()
	w.expectNoValueShown()
	expectNone(t, recorder)
}

// diskFull: the journal has whole lines only, and nothing is changed that is not in it.
func diskFull(t *testing.T, w *world) {
	largest := int64(0)
	entries, err := os.ReadDir(w.state)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	limited := filepath.Join(t.TempDir(), "limited")
	script := fmt.Sprintf("#!/bin/sh\nulimit -f %d\nexec %q \"$@\"\n", largest/512+8, w.program) // in blocks of 512 bytes
	if err := os.WriteFile(limited, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	w.beginAs(w.state, nil, limited, applyAll()...).end().expect(t, 1,
		"the journal cannot be written, so nothing more is changed (step prepare/", "journal.jsonl: file too large",
		"make room on the disk and run again")
	journal, err := os.ReadFile(filepath.Join(w.state, "journal.jsonl"))
	if err != nil || !strings.HasSuffix(string(journal), "}\n") {
		t.Errorf("the journal ends by half a line: %v", err)
	}
}

// armFails: what passes is tried again without a word; a credential that does not work is found by the exchange.
func armFails(t *testing.T, w *world) {
	w.behave(
		`{"kind": "status", "service": "arm", "status": 429, "retryAfterSeconds": 1, "next": 2}`,
		`{"kind": "status", "service": "arm", "status": 409, "operations": ["arm.credentials.put"], "next": 1}`,
		`{"kind": "status", "service": "arm", "status": 500, "operations": ["arm.roleAssignments.put", "arm.roleAssignments.list"], "next": 1}`,
	)
	w.migrate(applyWithin("3s")...).expect(t, 5, "stopped at prepare/check/exchange/shop-orders/secretstore: not within", "AADSTS70021",
		"subject system:serviceaccount:shop-orders:secretstore and audience api://AzureADTokenExchange", "run again")
	var left struct {
		Faults []struct{ Next int }
	}
	if err := w.Stack.Admin(t.Context(), http.MethodGet, "/admin/faults", "", &left); err != nil || len(left.Faults) > 0 {
		t.Errorf("not all faults were met: %v, %v", left, err)
	}
	w.behave()
}

// credentialWorks has the credential work from now on, as it does after some minutes.
func (w *world) credentialWorks() {
	w.t.Helper()
	identity, err := w.Azure.Identity(w.t.Context(), connect.Group(), "shop-secrets")
	if err != nil {
		w.t.Fatal(err)
	}
	made, err := w.Azure.FederatedCredentials(w.t.Context(), connect.Group(), "shop-secrets")
	if err != nil || len(made) != 1 {
		w.t.Fatal(made, err)
	}
	w.admin(http.MethodPost, "/admin/applications/"+identity.ClientID+"/federatedCredentials/"+made[0].Name,
		state.FederatedCredential{Issuer: made[0].Issuer, Subject: made[0].Subject, Audiences: made[0].Audiences})
}

// waitsForAzure: a run that has come to a gate goes on by itself once what it waits for is there, and tells until then what that is:
// a credential, a vault that is away, a role. Meanwhile a second operator is told who is at work, by the Lease or, in the same
// folder, by its lock. In the end it lacks a verb, which is named with the resource and the namespace.
func waitsForAzure(t *testing.T, w *world) {
	w.behave(`{"kind": "unreachable", "service": "vault", "vault": "kv-shop-main"}`)
	kubeconfig, err := w.Cluster.KubeconfigFile("limited", w.limited())
	if err != nil {
		t.Fatal(err)
	}
	first := w.begin([]string{"KUBECONFIG=" + kubeconfig}, applyWithin("90s")...)
	first.awaitWords("waiting for: waiting until Entra takes tokens of shop-orders/secretstore")
	name := fmt.Sprintf("operator@%s, process %d", hostname(t), first.cmd.Process.Pid)
	w.migrateAs("second").expect(t, 1, name+" migrates this cluster since ", "wait until that is done, or end it there")
	w.beginAs(w.state, []string{"USER=third"}, w.program, applyAll()...).end().expect(t, 1,
		name+" works with the state folder "+w.state, "wait until that is done, or end it there")
	w.credentialWorks()
	first.awaitWords("waiting for: SecretSync shop-orders/orders-db-files: ProviderError: vault kv-shop-main could not be reached")
	w.behave()
	first.awaitWords("waiting for: SecretSync shop-orders/orders-db-files: ProviderError: the identity may not read secret OrdersDbPassword in " +
		"vault kv-shop-main: assign it the role Key Vault Secrets User on the vault")
	w.roleWorks()
	first.end().expect(t, 1, "stopped at workloads/edit/deployment/shop-orders/",
		"your account lacks the verb patch on deployments.apps in namespace shop-orders", "have it allowed, and run again")
}

// migrateAs runs the program as another operator, who has decided the same.
func (w *world) migrateAs(user string) ended {
	w.t.Helper()
	mine := w.state
	defer func() { w.state = mine }()
	w.state = filepath.Join(w.t.TempDir(), "state")
	w.migrate("plan")
	w.answer(map[string]string{"M202/etcd": "accept"})
	return w.begin([]string{"USER=" + user}, applyAll()...).end()
}

// roleWorks has the role work from now on.
func (w *world) roleWorks() {
	w.t.Helper()
	identity, err := w.Azure.Identity(w.t.Context(), connect.Group(), "shop-secrets")
	if err != nil {
		w.t.Fatal(err)
	}
	role := state.RoleAssignment{ClientID: identity.ClientID, Role: "Key Vault Secrets User"}
	w.admin(http.MethodDelete, "/admin/vaults/kv-shop-main/roleAssignments", role) // the one that is on its way
	w.admin(http.MethodPost, "/admin/vaults/kv-shop-main/roleAssignments", role)
}

func hostname(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// limited is an operator who may not patch what rolls out.
func (w *world) limited() *rest.Config {
	w.t.Helper()
	const manifest = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: limited, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: limited}
rules:
  - {apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}
  - apiGroups: ["", batch, coordination.k8s.io, secret-sync.x-k8s.io, secrets-store.csi.x-k8s.io, rbac.authorization.k8s.io, apiextensions.k8s.io,
      storage.k8s.io, admissionregistration.k8s.io, networking.k8s.io]
    resources: ["*"]
    verbs: ["*"]
  - {apiGroups: [apps], resources: [deployments], verbs: [create]}
  - {apiGroups: [apps], resources: [deployments], resourceNames: [secretstore-controller], verbs: [patch]}
  - {nonResourceURLs: ["*"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: limited}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: limited}
subjects: [{kind: ServiceAccount, name: limited, namespace: default}]
`
	if err := w.Cluster.Apply(w.t.Context(), []byte(manifest)); err != nil {
		w.t.Fatal(err)
	}
	config, err := w.Cluster.ServiceAccountConfig(w.t.Context(), "default", "limited")
	if err != nil {
		w.t.Fatal(err)
	}
	return config
}

// rolloutFails: what was changed is taken back, and told. No node takes the new pods.
func rolloutFails(t *testing.T, w *world) {
	w.cordon(true)
	w.migrate(applyWithin("4s")...).expect(t, 5, "the rollout did not come to its end, so Deployment shop-orders/orders-", "was taken back",
		"old ones are left")
	w.cordon(false)
	if err := w.AwaitRunning(t.Context()); err != nil {
		t.Error(err)
	}
	var deployments appsv1.DeploymentList
	w.list(&deployments, client.InNamespace("shop-orders"))
	for _, d := range deployments.Items {
		if d.Name != "orders-report" && !strings.Contains(w.text(d.Spec), `"driver":"secrets-store.csi.k8s.io"`) {
			t.Errorf("%s was not taken back", d.Name)
		}
	}
}

// cordon has no node take new pods, or all again.
func (w *world) cordon(is bool) {
	w.t.Helper()
	var nodes corev1.NodeList
	w.list(&nodes)
	for i := range nodes.Items {
		patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec": {"unschedulable": %t}}`, is))
		if err := w.Client.Patch(w.t.Context(), &nodes.Items[i], patch); err != nil {
			w.t.Fatal(err)
		}
	}
}

// serverRestarts: what it met is told, and nothing is lost.
func serverRestarts(t *testing.T, w *world) {
	run := w.begin(nil, applyWithin("60s")...)
	run.awaitWords("Stage workloads")
	if err := w.Cluster.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	if err := w.Cluster.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	if end := run.end(); end.code != 0 { // it came between two requests, or in one
		end.expect(t, 1, "stopped at workloads/")
	}
	if err := w.AwaitRunning(t.Context()); err != nil {
		t.Error(err)
	}
}

// roleLacking: the role that is lacking is named, and the place.
func roleLacking(t *testing.T, w *world) {
	w.behave(`{"kind": "status", "service": "arm", "status": 403, "operations": ["arm.roleAssignments.delete"]}`)
	w.migrate(applyAll()...).expect(t, 1, "stopped at cleanup/", "HTTP 403", "Role Based Access Control Administrator")
	w.behave()
}
