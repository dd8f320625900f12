package prepare_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/prepare"
)

func TestIssuer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason  string
		version string
		issuer  string
		azure   *model.Azure
		flavour model.Flavour
		steps   []string
		codes   []model.Code
		manual  []string
	}{
		"equal": {
			reason: "nothing is to be done but to look", issuer: "https://a/", azure: &model.Azure{IssuerEnabled: true, IssuerURL: "https://a/"},
			steps: []string{"check/token"},
		},
		"a slash": {
			reason: "the slash counts", issuer: "https://a", azure: &model.Azure{IssuerEnabled: true, IssuerURL: "https://a/"},
			steps: []string{"check/issuer-flags", "check/token"}, codes: []model.Code{"M206"},
			manual: []string{"service-account-issuer=https://a/\n    - --service-account-issuer=https://a\n"},
		},
		"off": {
			reason: "Azure has to publish the keys first", issuer: "https://a", azure: &model.Azure{Arc: "/arc"},
			steps: []string{"run/issuer", "run/issuer-url", "check/issuer-flags", "check/token"}, codes: []model.Code{"M207", "M208"},
		},
		"k3s": {
			reason: "only what the distribution needs is printed", issuer: "https://old", version: "v1.31.2+k3s1",
			azure: &model.Azure{IssuerEnabled: true, IssuerURL: "https://new"},
			steps: []string{"check/issuer-flags", "check/token"}, codes: []model.Code{"M206"},
			manual: []string{
				"/etc/rancher/k3s/config.yaml", "'service-account-issuer=https://new'\n    - 'service-account-issuer=https://old'\n",
				"'service-account-max-token-expiration=24h'", "systemctl restart k3s",
			},
		},
		"AKS": {
			reason: "Azure sets the flags itself", issuer: "https://old", flavour: model.FlavourAKS,
			steps: []string{"run/issuer", "run/issuer-url", "check/token"},
		},
		"nothing known": {
			reason: "every distribution is printed", steps: []string{"run/issuer", "run/issuer-url", "check/issuer-flags", "check/token"},
			codes: []model.Code{"M207"}, manual: []string{"kubeadm", "K3s", "RKE2", "OpenShift", "Tanzu", "${SERVICE_ACCOUNT_ISSUER}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := estate{}
			e.class("shop", "a", "kv", principal)
			e.Input, e.Azure, e.Installed.Flavour = model.Input{Version: c.version, Issuer: c.issuer}, c.azure, c.flavour
			plan, _ := prepare.Plan(e.Survey, options())
			var steps []string
			manual := ""
			for _, s := range plan.Changes {
				if id := strings.TrimPrefix(s.ID, "prepare/"); strings.Contains(id, "issuer") || id == "check/token" {
					steps = append(steps, id)
				}
				manual += s.Manual
			}
			if diff := cmp.Diff(c.steps, steps); diff != "" {
				t.Errorf("%s; -want +got:\n%s", c.reason, diff)
			}
			var got []model.Code
			for _, code := range codes(plan) {
				if code >= "M206" && code <= "M208" {
					got = append(got, code)
				}
			}
			if diff := cmp.Diff(c.codes, got); diff != "" {
				t.Errorf("%s; findings -want +got:\n%s", c.reason, diff)
			}
			for _, text := range c.manual {
				if !strings.Contains(manual, text) {
					t.Errorf("%s; %q is not in\n%s", c.reason, text, manual)
				}
			}
			if c.version != "" && strings.Contains(manual, "kubeadm") {
				t.Errorf("%s; other distributions are printed as well:\n%s", c.reason, manual)
			}
		})
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason  string
		version string
		target  model.Target
		certs   string
		want    []model.Code
		steps   int // those about cert-manager
	}{
		"1.26":          {reason: "too old", version: "v1.26.9", want: []model.Code{"M204"}},
		"1.27":          {reason: "no policies", version: "v1.27.0-eks-1", want: []model.Code{"M205"}},
		"1.30":          {reason: "policies", version: "v1.30.0"},
		"2.0":           {reason: "later than all", version: "v2.0.1"},
		"unknown":       {reason: "nothing is said of what is not known"},
		"ours":          {reason: "ours needs no cert-manager", certs: "open source"},
		"sse, none":     {reason: "it has to be installed", target: model.TargetSSE, steps: 1},
		"sse, has it":   {reason: "nothing to do", target: model.TargetSSE, certs: "extension"},
		"sse, another":  {reason: "back up, remove, install", target: model.TargetSSE, certs: "open source", want: []model.Code{"M230"}, steps: 3},
		"sse, policies": {reason: "they are Microsoft's matter", target: model.TargetSSE, version: "v1.28.1", steps: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, o := estate{}, options()
			e.class("shop", "a", "kv", principal)
			e.Input.Version, e.Installed.CertManager = c.version, c.certs
			if c.target != "" {
				o.Target = c.target
			}
			plan, _ := prepare.Plan(e.Survey, o)
			var got []model.Code
			for _, code := range codes(plan) {
				if slices.Contains([]model.Code{"M204", "M205", "M230"}, code) {
					got = append(got, code)
				}
			}
			steps := 0
			for _, s := range plan.Changes {
				if strings.Contains(s.ID, "cert") {
					steps++
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || steps != c.steps {
				t.Errorf("%s; %d steps; findings -want +got:\n%s", c.reason, steps, diff)
			}
		})
	}
}

// TestWaitingClasses: a class whose identity is asked for is named to the stages that follow, until it is answered.
func TestWaitingClasses(t *testing.T) {
	t.Parallel()
	for answer, waiting := range map[string]int{"": 1, "leave": 0, newClient: 0} {
		e, o := estate{}, options()
		e.class("shop", "a", "kv", principal)
		e.class("shop", "b", "kv", principal)
		e.class("gov", "a", "kv", principal, func(c *model.Class) { c.Params.CloudName = "AzureUSGovernmentCloud" })
		o.Decisions["M212/gov/a/SecretProviderClass"] = answer
		_, ids := prepare.Plan(e.Survey, o)
		if len(ids.Waiting) != waiting || waiting == 1 && ids.Waiting[0].Namespace != "gov" {
			t.Errorf("answered %q: waiting are %v", answer, ids.Waiting)
		}
	}
}
