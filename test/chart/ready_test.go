package chart_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/test/chart"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

// TestReadyMeansThatAllIsRead takes away the right to read one kind that is watched: the controller does not say that it is ready
// while it cannot read that, and does, and works, when it can.
func TestReadyMeansThatAllIsRead(t *testing.T) {
	programs := buildPrograms(t)
	for resource, list := range map[string]client.ObjectList{
		"secretproviderclasses": &spcv1.SecretProviderClassList{},
		"serviceaccounts":       &corev1.ServiceAccountList{},
	} {
		t.Run(resource, func(t *testing.T) {
			u := startUnready(t, programs, resource, list)
			if status, text := get(t, u.ready); status != http.StatusInternalServerError {
				t.Errorf("ready without having read %s: %d %s", resource, status, text)
			}
			u.giveBack()
			cluster.Eventually(t, patience, func() error {
				if status, text := get(t, u.ready); status != http.StatusOK {
					return fmt.Errorf("ready: %d %s", status, text)
				}
				return nil
			})
			cluster.Eventually(t, patience, func() error { return u.room.judged(t.Context()) })
		})
	}
}

// TestOneThatIsNotReadyCanBeEnded asks the controller to end while it waits for what it cannot read.
func TestOneThatIsNotReadyCanBeEnded(t *testing.T) {
	programs := buildPrograms(t)
	u := startUnready(t, programs, "secretproviderclasses", &spcv1.SecretProviderClassList{})
	u.controller.end()
	select {
	case <-u.controller.ended:
	case <-time.After(patience / 2):
		t.Error("it goes on")
	}
	if code := u.controller.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
}

// unready is a controller that cannot read one kind, and has said so in its log.
type unready struct {
	room       room
	controller *process
	ready      string // the URL that says whether it is ready
	giveBack   func() // gives the right back
}

func startUnready(t *testing.T, programs, resource string, list client.ObjectList) unready {
	t.Helper()
	r := newRoom(t)
	r.sync(t, "shop")
	release := installNarrow(t, r.namespace)
	giveBack := r.takeReading(t, resource)
	controller := newClient(t, controllerConfig(t, release))
	cluster.Eventually(t, patience, func() error {
		if err := controller.List(t.Context(), list, client.InNamespace(r.namespace)); !apierrors.IsForbidden(err) {
			return fmt.Errorf("the controller may still list %s (%w)", resource, err)
		}
		return nil
	})
	health := must(stack.FreeAddress(t.Context()))(t)
	started := startController(t, programs, release, "--healthProbeBindAddress="+health)
	cluster.Eventually(t, patience, func() error {
		if text := started.String(); !strings.Contains(text, fmt.Sprintf(`cannot list resource \"%s\"`, resource)) {
			return fmt.Errorf("the log does not say that %s cannot be read", resource)
		}
		return nil
	})
	return unready{r, started, "http://" + health + "/readyz", giveBack}
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
