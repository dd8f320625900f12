package cluster_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	testclock "k8s.io/utils/clock/testing"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/cluster"
	"secretstore/internal/migrate/model"
	plane "secretstore/test/cluster"
)

// gate is a step that looks at a gate.
func gate(g model.Gate) model.Change {
	return model.Change{ID: "check/" + string(g.Kind), Verb: model.Check, Gate: &g}
}

// opens wants a gate to be open.
func (f *fixture) opens(t *testing.T, g model.Gate) {
	t.Helper()
	if err := f.Check(t.Context(), gate(g)); err != nil {
		t.Errorf("the gate %s is closed: %v", g.Kind, err)
	}
}

// closed wants a gate to be closed, saying texts, and to say whether it opens by itself.
func (f *fixture) closed(t *testing.T, g model.Gate, wait bool, says ...string) {
	t.Helper()
	err := f.Check(t.Context(), gate(g))
	c, ok := errors.AsType[*act.ClosedError](err)
	if !ok {
		t.Errorf("the gate %s is not closed: %v", g.Kind, err)
		return
	}
	if c.Wait != wait {
		t.Errorf("the gate %s says that it opens by itself: %v (%v)", g.Kind, c.Wait, err)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the gate %s says %q, and not %q", g.Kind, err, text)
		}
	}
	if strings.Contains(err.Error(), canary) {
		t.Errorf("a value is in what is lacking: %v", err)
	}
}

// classRef names a class of the fixture's namespace.
func (f *fixture) classRef(name string) model.Ref {
	return model.Ref{
		APIVersion: "secrets-store.csi.x-k8s.io/v1", Kind: "SecretProviderClass", Namespace: f.namespace, Name: name,
	}
}

func TestGateOfOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, kind := range []model.GateKind{model.GateConsent, model.GateExchange, model.GateToken} {
		err := f.Check(t.Context(), gate(model.Gate{Kind: kind}))
		if _, closed := errors.AsType[*act.ClosedError](err); err == nil || closed {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := f.Check(t.Context(), model.Change{ID: "x", Verb: model.Check}); err == nil {
		t.Error("a check without a gate is a person's")
	}
}

func TestGateIssuer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	issuer := shared.cluster.Issuer()
	f.opens(t, model.Gate{Kind: model.GateIssuer, Issuer: issuer})
	f.closed(t, model.Gate{Kind: model.GateIssuer, Issuer: issuer + "/"}, false, fmt.Sprintf("%q", issuer), fmt.Sprintf("%q", issuer+"/"))
}

const mounting = `
apiVersion: v1
kind: Pod
metadata: {namespace: NAMESPACE, name: mounts}
spec:
  containers: [{name: c, image: c}]
  volumes: [{name: s, csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: app}}}]
`

func TestGateUnmounted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := model.Gate{Kind: model.GateUnmounted, Objects: []model.Ref{f.classRef("app")}}
	f.opens(t, g)
	f.apply(t, mounting)
	f.closed(t, g, false, "pod "+f.namespace+"/mounts", "class app")
	f.opens(t, model.Gate{Kind: model.GateUnmounted, Objects: []model.Ref{f.classRef("other")}})
	f.status(t, f.ref("Pod", "mounts"), `{"phase":"Succeeded"}`)
	f.opens(t, g)
	f.apply(t, strings.ReplaceAll(mounting, "name: mounts", "name: mounts2, finalizers: [test/stays]"))
	if err := f.typed.CoreV1().Pods(f.namespace).Delete(t.Context(), "mounts2", deleteNow()); err != nil {
		t.Fatal(err)
	}
	f.closed(t, g, true, "ending")
	f.patch(t, f.ref("Pod", "mounts2"), `[{"op":"remove","path":"/metadata/finalizers"}]`)
	f.opens(t, g)
	// It is there, or the garbage collector would take the pod.
	f.apply(t, `{apiVersion: batch/v1, kind: Job, metadata: {namespace: NAMESPACE, name: once}, `+
		`spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: c}]}}}}`)
	f.apply(t, strings.ReplaceAll(mounting, "name: mounts", "name: mounts3, ownerReferences: [{apiVersion: batch/v1, kind: Job, name: once, uid: "+
		fmt.Sprint(f.at(t, f.ref("Job", "once"), "metadata", "uid"))+", controller: true}]"))
	f.closed(t, g, true, "Job once")
}

func TestGateEqual(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	now := time.Now()
	at := testclock.NewFakeClock(now)
	f = newFixtureIn(t, f.namespace, shared.cluster.Config(), func(o *cluster.Options) { o.Clock, o.DriverVersion = at, "v1.5.6" })
	later := newFixtureIn(t, f.namespace, shared.cluster.Config(), func(o *cluster.Options) { o.Clock, o.DriverVersion = at, "1.6.0" })
	g := model.Gate{Kind: model.GateEqual, Objects: []model.Ref{f.classRef("app")}, Same: []model.Pair{{
		Namespace: f.namespace, Old: "app", New: "app-sse", Keys: map[string]string{"b": "c"},
	}}}
	f.closed(t, g, false, "Secret "+f.namespace+"/app is not there")
	f.driversSecret(t, "app", map[string]string{"a": canary, "b": canary + "-b", "gone": canary})
	f.closed(t, g, true, "app-sse is not there yet")
	f.apply(t, `{apiVersion: v1, kind: Secret, metadata: {namespace: NAMESPACE, name: app-sse}, stringData: {a: CANARY-x, c: CANARY-b, more: CANARY}}`)
	f.closed(t, g, false, "differ by the value of the key a", "lacks the key gone", "lacks the key more")
	f.apply(t, `{apiVersion: v1, kind: Secret, metadata: {namespace: NAMESPACE, name: app-sse}, stringData: {a: CANARY, c: CANARY-b, gone: CANARY}}`)
	f.patch(t, f.ref("Secret", "app-sse"), `[{"op":"remove","path":"/data/more"}]`)
	f.closed(t, g, true, "the CSI driver wrote the Secret")
	at.SetTime(now.Add(time.Minute))
	f.opens(t, g)
	later.closed(t, g, true, "5m0s")
	at.SetTime(now.Add(6 * time.Minute))
	later.opens(t, g)
	f.apply(t, mounting)
	f.closed(t, g, false, "mounts")
}

func TestGateSynced(t *testing.T) {
	t.Parallel()
	f := place(t, 4)
	g := model.Gate{Kind: model.GateSynced, Objects: []model.Ref{f.ref("SecretSync", "good"), f.ref("SecretSync", "bad")}}
	f.closed(t, g, false, "SecretSync "+f.namespace+"/good is not there", "bad is not there")
	f.make(t, f.makeSync("good", "plain=a"))
	f.make(t, f.makeSync("bad", "plain=a", "nowhere=b"))
	f.reason(t, "good", v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonUpdateValueChangeSucceeded)
	f.reason(t, "bad", v1alpha1.ConditionCreate, v1alpha1.ReasonUserInputValidationFailed)
	f.closed(t, g, false, "bad: UserInputValidationFailed: ", "nowhere")
	if err := f.Check(t.Context(), gate(g)); strings.Contains(err.Error(), "/good") {
		t.Errorf("what is healthy is named: %v", err)
	}
	g.Objects = g.Objects[:1]
	f.opens(t, g)
	f.apply(t, `{apiVersion: v1, kind: Secret, metadata: {namespace: NAMESPACE, name: old}, stringData: {a: CANARY}}`)
	g.Same = []model.Pair{{Namespace: f.namespace, Old: "old", New: "good"}}
	f.closed(t, g, false, "old", "key a")
}

// Partial success, and what a controller has not come to yet, are told by statuses that nobody but this test writes.
func TestGateSyncedByReason(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tests := map[string]struct {
		reason, status string
		wait           bool
		says           string
	}{
		"unchecked": {"no controller was here", `{}`, true, "not checked yet"},
		"partial": {
			"some keys are not all", `{"conditions":[{"type":"Update","status":"False","reason":"PartialSync","message":"two keys lack"}]}`,
			true, "PartialSync: two keys lack",
		},
		"policy": {
			"somebody has to do something",
			`{"conditions":[{"type":"Update","status":"False","reason":"ValidatingAdmissionPolicyCheckFailed","message":"m"}]}`, false, "Failed: m",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			sync := f.makeSync(name, "a=a")
			sync.Content["spec"].(map[string]any)["secretSyncControllerName"] = "another"
			f.make(t, sync)
			status := strings.ReplaceAll(tc.status, `"type"`, `"lastTransitionTime":"2026-01-01T00:00:00Z","type"`)
			f.status(t, sync.Object, status)
			f.closed(t, model.Gate{Kind: model.GateSynced, Objects: []model.Ref{sync.Object}}, tc.wait, tc.says)
		})
	}
}

func TestGateValues(t *testing.T) {
	t.Parallel()
	f := place(t, 5)
	g := model.Gate{Kind: model.GateValues, Objects: []model.Ref{f.ref("SecretSync", "app")}}
	f.closed(t, g, false, "app is not there")
	f.make(t, f.makeSync("app", "plain=a", "other=b"))
	f.reason(t, "app", v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonUpdateValueChangeSucceeded)
	f.opens(t, g)
	if err := shared.stack.Set(t.Context(), vaultName(5), "plain", canary+"-rotated", operator()); err != nil {
		t.Fatal(err)
	}
	f.closed(t, g, false, "under the key a", "kubectl secretstore force app")
	f.patch(t, f.ref("SecretSync", "app"), `[{"op":"add","path":"/spec/forceSynchronization","value":"x"}]`)
	plane.Eventually(t, patience, func() error { return f.Check(t.Context(), gate(g)) })
	// A Secret of the old way that is there has to hold the same; one that is gone need not.
	g.Same = []model.Pair{{Namespace: f.namespace, Old: "old", New: "app"}}
	f.opens(t, g)
	f.apply(t, `{apiVersion: v1, kind: Secret, metadata: {namespace: NAMESPACE, name: old}, stringData: {a: CANARY, b: CANARY}}`)
	f.closed(t, g, false, "key a", "key b")
}

// A vault that this machine cannot reach is no mistake of the cluster's.
func TestGateValuesUnreachable(t *testing.T) {
	t.Parallel()
	f := place(t, 6)
	f.make(t, f.makeSync("app", "plain=a"))
	f.reason(t, "app", v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonUpdateValueChangeSucceeded)
	g := model.Gate{Kind: model.GateValues, Objects: []model.Ref{f.ref("SecretSync", "app")}}
	astray := func(pass bool) *fixture {
		return newFixtureIn(t, f.namespace, shared.cluster.Config(), func(o *cluster.Options) {
			o.Clouds, o.PassVaults = nowhere(t), pass
		})
	}
	astray(false).closed(t, g, false, "from this machine", "passed over")
	passing := astray(true)
	passing.opens(t, g)
	if !slices.ContainsFunc(passing.told, func(text string) bool { return strings.Contains(text, "passed over") }) {
		t.Errorf("told is %q", passing.told)
	}
}

func TestGateOwned(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := model.Gate{Kind: model.GateOwned, Objects: []model.Ref{f.ref("Secret", "app")}}
	f.closed(t, g, false, "Secret "+f.namespace+"/app is not there")
	f.apply(t, `{apiVersion: v1, kind: Secret, metadata: {namespace: NAMESPACE, name: app}}`)
	f.opens(t, g)
}

func TestGateUnreferenced(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := model.Gate{Kind: model.GateUnreferenced, Objects: []model.Ref{f.classRef("app")}}
	f.opens(t, g)
	f.apply(t, strings.Replace(deployment, "spec:\n", "spec:\n  replicas: 0\n", 1))
	f.closed(t, g, false, "Deployment "+f.namespace+"/web", "class app", "spec.template.spec.volumes[1]")
	f.make(t, f.swap())
	f.opens(t, g)
}

func TestGateAccess(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {namespace: NAMESPACE, name: reader}
rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: NAMESPACE, name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: User, name: alice, apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: NAMESPACE, name: viewers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: User, name: bob, apiGroup: rbac.authorization.k8s.io}]
`)
	f.opens(t, model.Gate{Kind: model.GateAccess, Objects: []model.Ref{{APIVersion: "v1", Kind: "Namespace", Name: f.namespace}}})
	told := strings.Join(f.told, "\n")
	for text, want := range map[string]bool{
		"User alice, by RoleBinding readers (Role reader)": true, "bob": false, "Group system:masters, by ClusterRoleBinding cluster-admin": true,
	} {
		if strings.Contains(told, text) != want {
			t.Errorf("%q is told: %v, in:\n%s", text, !want, told)
		}
	}
}

func TestGateDefinitions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	crd := func(name string) model.Ref {
		return model.Ref{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: name}
	}
	const classes = "secretproviderclasses.secrets-store.csi.x-k8s.io"
	for _, kind := range []model.GateKind{model.GateDefinitions, model.GateDefinitionsSaved} {
		f.opens(t, model.Gate{Kind: kind, Objects: []model.Ref{crd(classes)}})
		f.closed(t, model.Gate{Kind: kind, Objects: []model.Ref{crd(classes), crd("none.example.org")}}, false, "none.example.org")
	}
	if kind, _ := (model.Path{"spec", "names", "kind"}).Get(f.saved[classes]); kind != "SecretProviderClass" {
		t.Errorf("saved is %v", f.saved)
	}
}

// A Job that has ended refers to a class to no effect.
func TestGateUnreferencedEnded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, strings.Replace(jobManifest, "containers: [{name: c, image: c}]}", "containers: [{name: c, image: c}], volumes: [{name: s, "+
		"csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: app}}}]}", 1))
	g := model.Gate{Kind: model.GateUnreferenced, Objects: []model.Ref{f.classRef("app")}}
	f.closed(t, g, false, "Job "+f.namespace+"/once")
	f.status(t, f.ref("Job", "once"), `{"startTime":"2026-01-01T00:00:00Z","conditions":[{"type":"FailureTarget","status":"True",`+
		`"lastTransitionTime":"2026-01-01T00:00:00Z"},{"type":"Failed","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}`)
	f.opens(t, g)
	if diff := cmp.Diff("once", f.at(t, f.ref("Job", "once"), "metadata", "name")); diff != "" {
		t.Error(diff)
	}
}
