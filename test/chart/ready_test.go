package chart_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/test/chart"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

// TestReadyMeansThatAllIsRead takes away the right to read one kind that is watched: the controller does not say that it is ready
// while it cannot read that, and does, and works, when it can.
func TestReadyMeansThatAllIsRead(t *testing.T) {
	programs := t.TempDir()
	if err := stack.Build(t.Context(), programs, false); err != nil {
		t.Fatal(err)
	}
	for _, resource := range []string{"secretproviderclasses", "serviceaccounts"} {
		t.Run(resource, func(t *testing.T) {
			r := newRoom(t)
			r.sync(t, "shop")
			release := installNarrow(t, r.namespace)
			giveBack := r.takeReading(t, resource)
			health := must(stack.FreeAddress(t.Context()))(t)
			log := startController(t, programs, release, "--healthProbeBindAddress="+health)
			cluster.Eventually(t, patience, func() error {
				if text := log.String(); !strings.Contains(text, resource+` is forbidden`) &&
					!strings.Contains(text, fmt.Sprintf(`cannot list resource \"%s\"`, resource)) {
					return fmt.Errorf("the log does not say that %s cannot be read", resource)
				}
				return nil
			})
			if status, text := get(t, "http://"+health+"/readyz"); status != http.StatusInternalServerError {
				t.Errorf("ready without having read %s: %d %s", resource, status, text)
			}
			giveBack()
			cluster.Eventually(t, patience, func() error {
				if status, text := get(t, "http://"+health+"/readyz"); status != http.StatusOK {
					return fmt.Errorf("ready: %d %s", status, text)
				}
				return nil
			})
			cluster.Eventually(t, patience, func() error { return r.judged(t.Context()) })
		})
	}
}

// takeReading takes away the controller's right to read one kind in the room, and returns what gives it back.
func (r room) takeReading(t *testing.T, resource string) (giveBack func()) {
	t.Helper()
	key := client.ObjectKey{Namespace: r.namespace, Name: chart.Account}
	var role rbacv1.Role
	if err := r.admin.Get(t.Context(), key, &role); err != nil {
		t.Fatal(err)
	}
	all := role.DeepCopy().Rules
	role.Rules = slices.DeleteFunc(role.Rules, func(rule rbacv1.PolicyRule) bool {
		return slices.Contains(rule.Resources, resource)
	})
	if len(role.Rules) == len(all) {
		t.Fatalf("no rule is about %s", resource)
	}
	update := func() {
		if err := r.admin.Update(t.Context(), &role); err != nil {
			t.Fatal(err)
		}
	}
	update()
	return func() {
		role.Rules = all
		update()
	}
}

func get(t *testing.T, url string) (status int, text string) {
	t.Helper()
	request := must(http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))(t)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode, string(must(io.ReadAll(response.Body))(t))
}
