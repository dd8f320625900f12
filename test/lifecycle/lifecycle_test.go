// Package lifecycle tests the controller through what happens to it and around it: its own end and return, the API server's,
// and outages of vault and Entra. Each test has the cluster, an emulator and a controller to itself, one after the other.
package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/chart"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

// shared is the one control plane of this package's tests.
var shared *cluster.Cluster

func TestMain(m *testing.M) {
	crds, err := cluster.Manifests("charts/secretstore/crds/*.yaml")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(cluster.Shared(m, cluster.Options{Manifests: crds}, &shared))
}

const (
	patience = 60 * time.Second
	account  = "web"
)

// env is a namespace with a SecretProviderClass of the emulator's one vault, and the programs.
type env struct {
	stack     *stack.Stack
	client    client.Client
	namespace string
}

func newEnv(t *testing.T, flags ...string) env {
	t.Helper()
	return startEnv(t, stack.Options{ControllerFlags: flags})
}

// startEnv starts the programs with the emulator's seed, the controller's flags, the chart's values and the way to the API server that
// o gives. NAMESPACE in a flag stands for the environment's.
func startEnv(t *testing.T, o stack.Options) env {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(shared.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	e := env{client: c, namespace: shared.Namespace(t)}
	dir := t.TempDir()
	if err := stack.Build(t.Context(), dir, false); err != nil {
		t.Fatal(err)
	}
	for i, flag := range o.ControllerFlags {
		o.ControllerFlags[i] = strings.ReplaceAll(flag, "NAMESPACE", e.namespace)
	}
	o.Cluster, o.Programs, o.Dir = shared, dir, dir
	if o.Seed == "" {
		if o.Seed, err = filepath.Abs("../../examples/emulator.yaml"); err != nil {
			t.Fatal(err)
		}
	}
	o.Environment = []string{
		"SERVICE_ACCOUNT_ISSUER=" + shared.Issuer(), "KUBERNETES_NAMESPACE=" + e.namespace, "SERVICE_ACCOUNT_NAME=" + account,
	}
	e.stack, err = stack.StartEmulator(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.stack.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := e.stack.StartController(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := shared.Apply(t.Context(), []byte(strings.ReplaceAll(objects, "NAMESPACE", e.namespace))); err != nil {
		t.Fatal(err)
	}
	return e
}

const objects = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: NAMESPACE}
---
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: vault, namespace: NAMESPACE}
spec:
  provider: azure
  parameters:
    clientID: 11111111-2222-3333-4444-555555555555
    tenantID: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
    keyvaultName: my-key-vault
    objects: |
      array:
        - |
          objectName: my-secret
          objectType: secret
`

// account is the service account of the namespace.
func (e env) account() *corev1.ServiceAccount {
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: account}}
}

// sync creates a SecretSync of the vault's secret.
func (e env) sync(t *testing.T, name string) *v1alpha1.SecretSync {
	t.Helper()
	return e.syncOf(t, name, "vault")
}

// syncOf creates a SecretSync of a class.
func (e env) syncOf(t *testing.T, name, class string) *v1alpha1.SecretSync {
	t.Helper()
	s := &v1alpha1.SecretSync{Spec: v1alpha1.SecretSyncSpec{
		SecretProviderClassName: class, ServiceAccountName: account,
		SecretObject: v1alpha1.SecretObject{Data: []v1alpha1.SecretObjectData{{SourcePath: "my-secret", TargetKey: "k"}}},
	}}
	s.Namespace, s.Name = e.namespace, name
	if err := e.client.Create(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// await waits until a condition has a reason.
func (e env) await(t *testing.T, s *v1alpha1.SecretSync, condition, reason string) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		found := meta.FindStatusCondition(s.Status.Conditions, condition)
		if found == nil || found.Reason != reason {
			return fmt.Errorf("condition %s is %+v, want reason %s", condition, found, reason)
		}
		return nil
	})
}

// version is the resourceVersion of a Secret: it moves when the Secret is written.
func (e env) version(t *testing.T, name string) string {
	t.Helper()
	secret := &corev1.Secret{}
	if err := e.client.Get(t.Context(), client.ObjectKey{Namespace: e.namespace, Name: name}, secret); err != nil {
		t.Fatal(err)
	}
	return secret.ResourceVersion
}

// asked counts the requests that the vault has answered.
func (e env) asked(t *testing.T) int {
	t.Helper()
	var answer struct {
		Counters []struct {
			Service string `json:"service"`
			Count   int    `json:"count"`
		} `json:"counters"`
	}
	if err := e.stack.Admin(t.Context(), "GET", "/admin/counters", "", &answer); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, counter := range answer.Counters {
		if counter.Service == "vault" {
			sum += counter.Count
		}
	}
	return sum
}

func (e env) behave(t *testing.T, behaviour string) {
	t.Helper()
	if err := e.stack.Behave(t.Context(), behaviour); err != nil {
		t.Fatal(err)
	}
}

// TestRestartAsksNothingThatIsNotDue kills the controller and starts it again: what was checked within the hour is left alone.
//
//covers:field SecretSync.status.lastCheckTime
//covers:fault controller-killed
func TestRestartAsksNothingThatIsNotDue(t *testing.T) {
	e := newEnv(t, "--namespaces=NAMESPACE")
	old := e.sync(t, "old")
	e.await(t, old, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	asked, version := e.asked(t), e.version(t, "old")
	if err := e.stack.Controller.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := e.stack.RestartController(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A new one shows that the controller is back at work, and costs two requests: the challenge and the secret.
	e.await(t, e.sync(t, "new"), v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	if n := e.asked(t) - asked; n != 2 {
		t.Errorf("after the restart the vault was asked %d times, want 2 for the new SecretSync", n)
	}
	if e.version(t, "old") != version {
		t.Error("the restart wrote a Secret that had not changed")
	}
}

// TestOutageOverARestart has vault or Entra away while the controller ends and comes back.
//
//covers:field setting.rotationPollIntervalInSeconds
//covers:reason ProviderError Stale
//covers:fault vault-down-over-restart entra-down-over-restart all-of-azure-down
func TestOutageOverARestart(t *testing.T) {
	for name, behaviour := range map[string]string{
		"Vault": `{"faults":[{"kind":"unreachable","service":"vault"},{"kind":"refuse","service":"vault"}]}`,
		"Entra": `{"faults":[{"kind":"unreachable","service":"entra"},{"kind":"refuse","service":"entra"}]}`,
		"Both":  `{"faults":[{"kind":"unreachable"},{"kind":"refuse"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, "--rotationPollIntervalInSeconds=1")
			s := e.sync(t, "app")
			e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
			version := e.version(t, "app")
			e.behave(t, behaviour)
			if err := e.stack.Controller.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := e.stack.RestartController(t.Context()); err != nil {
				t.Fatal(err)
			}
			e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonProviderError)
			e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonStale)
			if e.version(t, "app") != version {
				t.Error("the outage changed the Secret")
			}
			e.behave(t, `{}`)
			e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonUpdateNoValueChangeSucceeded)
			e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
		})
	}
}

// TestAPIServerRestart takes the API server away under the controller, which must neither end nor forget its work.
//
//covers:field setting.rotationPollIntervalInSeconds
//covers:fault api-server-restarted
func TestAPIServerRestart(t *testing.T) {
	e := newEnv(t, "--rotationPollIntervalInSeconds=1")
	s := e.sync(t, "app")
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	if err := shared.StopAPIServer(); err != nil {
		t.Fatal(err)
	}
	if err := shared.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	before := s.Status.LastCheckTime.Time
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		if !s.Status.LastCheckTime.After(before) {
			return errors.New("no check since the API server is back")
		}
		return nil
	})
	e.await(t, e.sync(t, "new"), v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	if err := e.stack.Controller.Ended(); err != nil {
		t.Error(err)
	}
}

// TestTwoReplicas has two controllers elect a leader: one works, and the other takes over when it ends.
//
//covers:field setting.leaderElection
//covers:fault replica-ends
//covers:field SecretSync.status.observedForceSynchronization
func TestTwoReplicas(t *testing.T) {
	e := newEnv(t, "--leaderElection", "--leaderElectionNamespace="+chart.Namespace, "--namespaces=NAMESPACE")
	e.await(t, e.sync(t, "first"), v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	second, err := e.stack.StartReplica(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := second.Stop(); err != nil {
			t.Error(err)
		}
	}()
	asked := e.asked(t)
	s := e.sync(t, "app")
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	if n := e.asked(t) - asked; n != 0 {
		t.Errorf("what the vault had said a moment before was asked %d times more", n)
	}
	s.Spec.ForceSynchronization = "now"
	if err := e.client.Update(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, patience, func() error {
		if err := e.client.Get(t.Context(), client.ObjectKeyFromObject(s), s); err != nil {
			return err
		}
		if s.Status.ObservedForceSynchronization != "now" {
			return errors.New("the check that was asked for has not been made")
		}
		return nil
	})
	if n := e.asked(t) - asked; n != 1 {
		t.Errorf("two replicas asked the vault %d times for one secret", n)
	}
	if err := e.stack.Controller.Stop(); err != nil {
		t.Fatal(err)
	}
	e.await(t, e.sync(t, "after"), v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	if n := e.asked(t) - asked; n != 3 { // one secret each, and the new leader's challenge
		t.Errorf("the vault was asked %d times, want 3", n)
	}
	if err := second.Ended(); err != nil {
		t.Error(err)
	}
}
