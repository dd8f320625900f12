package integration

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// TestNoValueLeavesTheSecret makes syncs that work and syncs that fail, and looks for the values, for tokens and for assertions
// in all that the controller says: log, statuses, events and metrics, the other tests' too.
func TestNoValueLeavesTheSecret(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.create(t, e.class("vault", "secret plain", "secret off", "secret pfx", "secret plain objectAlias=encoded objectEncoding=base64"))
	good, off := e.sync("good", "vault", "plain=k", "pfx/tls.key=key"), e.sync("off", "vault", "off=o")
	part := e.sync("part", "vault", "plain=k", "encoded=o", "off=p")
	encoded, halves := e.sync("encoded", "vault", "encoded=k"), e.sync("halves", "vault", "plain=tls.crt", "pfx=tls.key")
	docker := e.sync("docker", "vault", "plain=.dockerconfigjson")
	halves.Spec.SecretObject.Type, docker.Spec.SecretObject.Type = string(corev1.SecretTypeTLS), string(corev1.SecretTypeDockerConfigJson)
	e.create(t, good, off, part, encoded, halves, docker)
	e.await(t, good, v1alpha1.ConditionUpdate, synced)
	e.await(t, part, v1alpha1.ConditionUpdate, v1alpha1.ReasonPartialSync)
	for _, failing := range []*v1alpha1.SecretSync{off, encoded, halves, docker} {
		e.await(t, failing, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
		e.awaitEvents(t, failing.Name, 1)
	}
	key := strings.Split(e.data(t, "good")["key"], "\n")[1] // a line of the private key

	var syncs v1alpha1.SecretSyncList
	var events eventsv1.EventList
	if err := e.client.List(t.Context(), &syncs); err != nil {
		t.Fatal(err)
	}
	if err := e.client.List(t.Context(), &events); err != nil {
		t.Fatal(err)
	}
	places := map[string]string{
		"the log": shared.stack.Controller.Log(), "SecretSyncs": text(t, syncs.Items), "events": text(t, events.Items), "metrics": metrics(t),
		"the emulator's log": shared.stack.Emulator.Log(),
	}
	if !strings.Contains(places["the log"], "check failed") || !strings.Contains(places["metrics"], "controller_runtime_reconcile_total") {
		t.Fatal("the places hold nothing: looking there proves nothing")
	}
	for place, content := range places {
		for what, needle := range map[string]string{
			"a value":                 canary,
			"a value in base64":       base64.StdEncoding.EncodeToString([]byte(canary))[:14],
			"a value in hexadecimal":  hex.EncodeToString([]byte(canary)),
			"a private key":           key,
			"a token or an assertion": "eyJhbGciOi",
		} {
			if at := strings.Index(content, needle); at >= 0 {
				t.Errorf("%s: %s: …%s…", place, what, content[max(0, at-200):min(len(content), at+40)])
			}
		}
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func metrics(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+shared.metrics+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
