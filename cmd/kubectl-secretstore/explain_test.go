package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestExplain: every error of the API says what was tried, on what, and what to do, and keeps the answer where that says more.
// That the answers are those of a real API server, testdata/errors.txtar shows.
func TestExplain(t *testing.T) {
	t.Parallel()
	kind := schema.GroupResource{Group: "secret-sync.x-k8s.io", Resource: "secretsyncs"}
	for name, tc := range map[string]struct {
		reason    string
		namespace string
		err       error
		says      []string
	}{
		"Interrupted":  {"a user who interrupts needs no cure", "shop", &url.Error{Op: "Get", Err: context.Canceled}, []string{"interrupted"}},
		"Unauthorized": {"credentials are renewed outside", "shop", apierrors.NewUnauthorized("expired"), []string{"https://host", "sign in again", "--context", "expired"}},
		"Forbidden":    {"a role is needed, in this namespace", "shop", apierrors.NewForbidden(kind, "", errors.New("no role")), []string{"list secretsyncs.secret-sync.x-k8s.io", "the namespace shop", `can-i list secretsyncs.secret-sync.x-k8s.io -n shop"`, "no role"}},
		"Everywhere":   {"or in all", "", apierrors.NewForbidden(kind, "", errors.New("no role")), []string{"in all namespaces", `-A"`}},
		"Admission":    {"a policy's refusal is a 403 too: its text must be there", "shop", apierrors.NewForbidden(kind, "app", errors.New("policy says no")), []string{"policy says no"}},
		"NoKind":       {"a kind is installed", "shop", apierrors.NewGenericServerResponse(http.StatusNotFound, "GET", kind, "", "404 page not found", 0, true), []string{"SecretSync (secret-sync.x-k8s.io/v1alpha1)", "kubectl apply -f charts/secretstore/crds"}},
		"Unreachable":  {"a network is mended", "shop", &url.Error{Op: "Get", URL: "https://host", Err: errors.New("connection refused")}, []string{"no answer", "https://host", "connection refused"}},
		"Busy":         {"anything else stands for itself, with what was tried", "shop", apierrors.NewTooManyRequests("slow down", 1), []string{"trying to list secretsyncs", "slow down"}},
		"Wrapped":      {"wrapping hides nothing", "shop", fmt.Errorf("outer: %w", apierrors.NewUnauthorized("expired")), []string{"sign in again"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := syncs{host: "https://host"}.explain("list", tc.namespace, tc.err).Error()
			for _, text := range tc.says {
				if !strings.Contains(got, text) {
					t.Errorf("%s: %q does not say %q", tc.reason, got, text)
				}
			}
		})
	}
}

// TestMissingObject tells a name that does not exist from a kind that the cluster does not know: both are 404.
func TestMissingObject(t *testing.T) {
	t.Parallel()
	kind := schema.GroupResource{Group: "secret-sync.x-k8s.io", Resource: "secretsyncs"}
	got := map[string]bool{
		"object": isMissingObject(apierrors.NewNotFound(kind, "app")),
		"kind":   isMissingObject(apierrors.NewGenericServerResponse(http.StatusNotFound, "GET", kind, "app", "404 page not found", 0, true)),
		"other":  isMissingObject(apierrors.NewUnauthorized("expired")),
	}
	if diff := cmp.Diff(map[string]bool{"object": true, "kind": false, "other": false}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		err    error
		want   int
	}{
		"Failed":    {"what is not told apart failed", errors.New("x"), 1},
		"Usage":     {"the command line is wrong", usageError{errors.New("x")}, 2},
		"Unhealthy": {"all was shown, and not all is well", unhealthyError{1, 2}, 3},
		"Wrapped":   {"wrapping changes nothing", fmt.Errorf("outer: %w", usageError{errors.New("x")}), 2},
		"Missing":   {"a name that does not exist is a failure, not usage", missingError{errors.New("x")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := exitCode(tc.err); got != tc.want {
				t.Errorf("%s: %d, want %d", tc.reason, got, tc.want)
			}
		})
	}
}

// TestExitCodesOfCommandLines runs whole command lines; scripts only see that a program failed, not by which code.
func TestExitCodesOfCommandLines(t *testing.T) {
	t.Parallel()
	const nowhere = "--kubeconfig=/no/such/file"
	for name, tc := range map[string]struct {
		reason string
		args   string
		want   int
	}{
		"Nothing":  {"help is no failure", "", 0},
		"Help":     {"nor is it by flag", "status --help", 0},
		"Jitter":   {"an answer", "jitter --clusters 7 --secrets 3", 0},
		"Figures":  {"figures that make no sense are usage", "jitter --clusters 7 --secrets 401", 2},
		"Verb":     {"so is a verb that does not exist", "frobnicate", 2},
		"Flag":     {"or a flag", "force --frob", 2},
		"Argument": {"or an argument too many", "version now", 2},
		"Format":   {"or an unknown format, before the cluster is looked for", "status -o xml " + nowhere, 2},
		"Cluster":  {"that there is no cluster is not", "status " + nowhere, 1},
		"Force":    {"for any verb", "force app " + nowhere, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _, errOut := streams()
			if got := execute(t.Context(), strings.Fields(tc.args), p); got != tc.want {
				t.Errorf("%s: %d, want %d: %s", tc.reason, got, tc.want, errOut)
			}
			if errOut.Len() > 0 != (tc.want != 0) {
				t.Errorf("%s: exit code %d with %q on standard error", tc.reason, tc.want, errOut)
			}
		})
	}
}

// TestCheckExitsWith3: text or JSON, the output is complete and the code is 3.
func TestCheckExitsWith3(t *testing.T) {
	t.Parallel()
	cluster, _ := connected(t, 2)
	for _, f := range []format{formatText, formatWide, formatJSON, formatYAML} {
		p, out, _ := streams()
		err := status{format: f, check: true}.Run(t.Context(), cluster, p)
		if exitCode(err) != exitUnhealthy || !strings.Contains(out.String(), "sync-01") {
			t.Errorf("format %q: %v, output %q", f, err, out)
		}
	}
}

// full is a disk without space.
type full struct{}

var errFull = errors.New("no space left on device")

// Write implements io.Writer.
func (full) Write([]byte) (int, error) { return 0, errFull }

// TestOutputThatFails: a program that reads half an answer must learn that it is half.
func TestOutputThatFails(t *testing.T) {
	t.Parallel()
	cluster, _ := connected(t, 1)
	one := selection{names: []string{"sync-00"}}
	for name, run := range map[string]func(program) error{
		"StatusText": func(p program) error { return status{}.Run(t.Context(), cluster, p) },
		"StatusJSON": func(p program) error { return status{format: formatJSON}.Run(t.Context(), cluster, p) },
		"StatusYAML": func(p program) error { return status{format: formatYAML}.Run(t.Context(), cluster, p) },
		"Force":      func(p program) error { return force{selection: one}.Run(t.Context(), cluster, p) },
		"JitterText": func(p program) error { return jitterVerb{fleet: fleetOf(7, 3)}.Run(p) },
		"JitterYAML": func(p program) error { return jitterVerb{fleet: fleetOf(7, 3), format: formatYAML}.Run(p) },
		"Version":    func(p program) error { return versionOf(nil).Run(p.Out, formatText) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _, _ := streams()
			p.Out = full{}
			if err := run(p); !errors.Is(err, errFull) {
				t.Errorf("got %v", err)
			}
		})
	}
}
