package lifecycle

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

// newWatchedEnv has a controller that never looks at Secrets by plan, so that what it repairs it was told by the watch. With
// onlyItsNamespace what other tests left behind is not counted.
func newWatchedEnv(t *testing.T, flags ...string) (env, *recorder) {
	t.Helper()
	recorder, reach := newRecorder(t)
	return startEnv(t, stack.Options{
		ControllerFlags: append(flags, "--driftDetection=watch", "--driftCheckIntervalInSeconds=0"),
		ChartValues:     map[string]any{"driftDetection": "watch"},
		ReachCluster:    reach,
	}), recorder
}

// onlyItsNamespace has the controller serve and watch the environment's namespace alone.
const onlyItsNamespace = "--namespaces=NAMESPACE"

// secret is the Secret of a SecretSync; nil if there is none.
func (e env) secret(t *testing.T, name string) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	err := e.client.Get(t.Context(), client.ObjectKey{Namespace: e.namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// edit changes a Secret by another hand.
func (e env) edit(t *testing.T, name string, change func(*corev1.Secret)) {
	t.Helper()
	secret := e.secret(t, name)
	change(secret)
	if err := e.client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
}

// repaired waits until a Secret is as its SecretSync asks.
func (e env) repaired(t *testing.T, name, value string) {
	t.Helper()
	cluster.Eventually(t, patience, func() error {
		secret := e.secret(t, name)
		if secret == nil {
			return errors.New("there is no Secret")
		}
		if _, labelled := secret.Labels[v1alpha1.SecretLabel]; !labelled || string(secret.Data["k"]) != value {
			return fmt.Errorf("labels %v, %d keys", secret.Labels, len(secret.Data))
		}
		return nil
	})
}

// TestTouchedSecretsAreRepairedAtOnce edits and deletes a Secret, with the looks by plan switched off, and counts what it costs.
func TestTouchedSecretsAreRepairedAtOnce(t *testing.T) {
	e, recorder := newWatchedEnv(t, onlyItsNamespace)
	e.await(t, e.sync(t, "app"), v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	value := string(e.secret(t, "app").Data["k"])
	if value == "" {
		t.Fatal("the Secret holds nothing")
	}
	costs := e.costs(t, recorder)

	e.edit(t, "app", func(s *corev1.Secret) { s.Data["k"] = []byte("edited") })
	e.repaired(t, "app", value)
	costs(t, "an edited value: a look, and a check with its look, its read and its write", 2, 1, 1)

	e.edit(t, "app", func(s *corev1.Secret) { s.Annotations = map[string]string{"theirs": "kept"} })
	costs(t, "another's annotation: a look, which finds all well", 1, 0, 0)

	if err := e.client.Delete(t.Context(), e.secret(t, "app")); err != nil {
		t.Fatal(err)
	}
	e.repaired(t, "app", value)
	costs(t, "a deleted Secret", 2, 1, 1)

	e.edit(t, "app", func(s *corev1.Secret) { delete(s.Data, "k") })
	e.repaired(t, "app", value)
	costs(t, "a removed key", 2, 1, 1)

	// Everything so far would have come back as one more look each, if echoes were taken for news.
	e.await(t, e.sync(t, "other"), v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	costs(t, "a new SecretSync: a check alone", 1, 1, 1)
}

// costs returns a check of what was asked since the last one: looks at Secrets and writes of the API server, reads of the vault.
func (e env) costs(t *testing.T, r *recorder) func(t *testing.T, what string, looks, writes, reads int) {
	count := func() [3]int {
		return [3]int{len(r.list(secretRequest.look)), len(r.list(secretRequest.write)), e.asked(t)}
	}
	before := count()
	return func(t *testing.T, what string, looks, writes, reads int) {
		t.Helper()
		want := [3]int{before[0] + looks, before[1] + writes, before[2] + reads}
		cluster.Eventually(t, patience, func() error {
			if got := count(); got != want {
				return fmt.Errorf("%s: looks, writes and reads in all are %v, want %v", what, got, want)
			}
			return nil
		})
		before = want
	}
}

// TestASecretWithoutItsLabelIsToldAtOnce takes the Secret out of what is watched. It is no longer the controller's then: the check
// says so, and does nothing to it.
func TestASecretWithoutItsLabelIsToldAtOnce(t *testing.T) {
	e, _ := newWatchedEnv(t)
	s := e.sync(t, "app")
	e.await(t, s, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	e.edit(t, "app", func(s *corev1.Secret) { delete(s.Labels, v1alpha1.SecretLabel) })
	e.await(t, s, v1alpha1.ConditionUpdate, v1alpha1.ReasonInvalidLabel)
}

// TestNoValueOfASecretIsWatched reads along what the API server sends to a controller that watches Secrets.
func TestNoValueOfASecretIsWatched(t *testing.T) {
	e, recorder := newWatchedEnv(t, onlyItsNamespace)
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, Name: "foreign-name"}, Data: map[string][]byte{"k": []byte("their-canary")}}
	if err := e.client.Create(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	e.await(t, e.sync(t, "app"), v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	value := string(e.secret(t, "app").Data["k"])
	e.edit(t, "app", func(s *corev1.Secret) { s.Data["k"] = []byte("an-edited-canary") })
	e.repaired(t, "app", value)

	reads := recorder.list(func(r secretRequest) bool { return r.method == http.MethodGet })
	if len(reads) < 2 {
		t.Fatalf("%d reads: nothing is watched", len(reads))
	}
	for _, r := range reads {
		// What comes last is for API servers that know no metadata; ours does, as is seen below.
		if preferred, _, _ := strings.Cut(r.accept, ","); !strings.Contains(preferred, "as=PartialObjectMetadata") {
			t.Errorf("%s prefers %q, which is a whole Secret", r.path, preferred)
		}
		if r.path != "/api/v1/namespaces/"+e.namespace+"/secrets" || r.query.Get("labelSelector") != v1alpha1.SecretLabel {
			t.Errorf("read: %s, %v", r.path, r.query)
		}
	}
	sent := recorder.sent()
	if !strings.Contains(sent, e.namespace) {
		t.Fatal("what was sent does not name the Secret: looking into it proves nothing")
	}
	for _, canary := range []string{value, "their-canary", "an-edited-canary"} {
		if strings.Contains(sent, canary) || strings.Contains(sent, base64.StdEncoding.EncodeToString([]byte(canary))) {
			t.Error("a value was sent to the controller by the watch")
		}
	}
	if strings.Contains(sent, "foreign-name") {
		t.Error("a Secret that carries no label of ours was sent")
	}
}

// TestSecretsAreNotReadWithoutTheWatch has the chart's default, whose role could not read them, and sees that nobody tries.
func TestSecretsAreNotReadWithoutTheWatch(t *testing.T) {
	recorder, reach := newRecorder(t)
	e := startEnv(t, stack.Options{ControllerFlags: []string{"--driftCheckIntervalInSeconds=1"}, ReachCluster: reach})
	e.await(t, e.sync(t, "app"), v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	value := string(e.secret(t, "app").Data["k"])
	e.edit(t, "app", func(s *corev1.Secret) { s.Data["k"] = []byte("edited") })
	e.repaired(t, "app", value)
	if others := recorder.list(func(r secretRequest) bool { return !r.look() && !r.write() }); len(others) > 0 {
		t.Errorf("besides looks and writes: %v", others)
	}
}

// TestAWatchThatIsNotGrantedIsSaid has the flag without the right.
func TestAWatchThatIsNotGrantedIsSaid(t *testing.T) {
	e := startEnv(t, stack.Options{ControllerFlags: []string{"--driftDetection=watch"}})
	cluster.Eventually(t, patience, func() error {
		if e.stack.Controller.Ended() == nil {
			return errors.New("the controller runs")
		}
		return nil
	})
	for _, text := range []string{"the rights to list and watch Secrets are missing", "driftDetection=watch", "set it to look"} {
		if log := e.stack.Controller.Log(); !strings.Contains(log, text) {
			t.Errorf("the controller does not say %q:\n%s", text, log)
		}
	}
}
