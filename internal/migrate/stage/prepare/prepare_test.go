package prepare_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/prepare"
	"secretstore/internal/spcparams"
)

const (
	tenant      = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	otherTenant = "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"
	principal   = "11111111-2222-3333-4444-555555555555"
	second      = "22222222-2222-3333-4444-555555555555"
	newClient   = "99999999-2222-3333-4444-555555555555"
)

func options() model.Options {
	return model.Options{
		Strategy: model.ZeroDowntime, Target: model.TargetSecretStore, Roles: model.RolesLeast,
		Azure: model.AzureInputs{Tenant: tenant}, Decisions: map[string]string{"M202/etcd": "accept"},
	}
}

// estate makes surveys.
type estate struct{ model.Survey }

func classRef(namespace, name string) model.Ref {
	return model.Ref{APIVersion: "secrets-store.csi.x-k8s.io/v1", Kind: "SecretProviderClass", Namespace: namespace, Name: name}
}

// class adds a class of a vault, and a workload that mounts it with credentials, or without if that is "".
func (e *estate) class(namespace, name, vault, client string, change ...func(*model.Class)) {
	c := model.Class{
		Object:     model.Object{Ref: classRef(namespace, name), Content: map[string]any{}},
		Parameters: map[string]string{"keyvaultName": vault},
		Params: spcparams.Params{TenantID: tenant, VaultName: vault, Objects: []spcparams.Object{
			{Name: "db", Type: spcparams.TypeSecret},
		}},
	}
	for _, f := range change {
		f(&c)
	}
	e.Classes = append(e.Classes, c)
	e.mount(namespace, name, client)
}

// mount adds a workload that mounts a class.
func (e *estate) mount(namespace, class, client string) {
	volume := model.Volume{Name: "v", Class: class}
	if client != "" {
		volume.Credential = "creds-" + client[:4]
		ref := model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: volume.Credential}
		e.Credentials = append(e.Credentials, model.Credential{Ref: ref, ClientID: client, Exists: true})
	}
	ref := model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: fmt.Sprintf("app%d", len(e.Workloads))}
	e.Workloads = append(e.Workloads, model.Workload{Object: model.Object{Ref: ref}, Volumes: []model.Volume{volume}})
	for i := range e.Classes {
		if e.Classes[i].Object.Ref == classRef(namespace, class) {
			e.Classes[i].UsedBy = append(e.Classes[i].UsedBy, ref)
		}
	}
}

func objects(list ...spcparams.Object) func(*model.Class) {
	return func(c *model.Class) { c.Params.Objects = list }
}

func commands(p model.Plan) []string {
	var all []string
	for _, c := range p.Changes {
		if len(c.Command) > 0 {
			all = append(all, strings.Join(c.Command, " "))
		}
	}
	return all
}

func codes(p model.Plan) []model.Code {
	var all []model.Code
	for _, f := range p.Findings {
		all = append(all, f.Code)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestOneIdentityForOneNamespace is the plan of the simplest cluster, whole.
func TestOneIdentityForOneNamespace(t *testing.T) {
	t.Parallel()
	e := estate{}
	e.class("shop", "web", "kv-shop", principal)
	o := options()
	o.Azure.Cluster = "edge-1"
	plan, ids := prepare.Plan(e.Survey, o)
	want := model.Identities{
		Identities: []model.Identity{{
			Key: "user_assigned_client_id", Name: "${USER_ASSIGNED_IDENTITY_NAME}", ClientID: "${USER_ASSIGNED_CLIENT_ID}",
			Tenant: tenant, Vaults: []string{"kv-shop"},
		}},
		Accounts: []model.Account{{
			Namespace: "shop", Name: "secretstore", Identity: "user_assigned_client_id", Credential: "edge-1-shop-secretstore",
			Principal: principal, Classes: []string{"web"},
		}},
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("identities -want +got:\n%s", diff)
	}
	wantSteps := []string{
		"prepare/check/etcd",
		"prepare/run/issuer",
		"prepare/run/issuer-url",
		"prepare/check/issuer-flags",
		"prepare/run/identity/user_assigned_identity_name",
		"prepare/run/clientid/user_assigned_identity_name",
		"prepare/run/principalid/user_assigned_identity_name",
		"prepare/run/vault/kv-shop/id",
		"prepare/run/vault/kv-shop/properties.enablerbacauthorization",
		"prepare/run/policy/user_assigned_identity_name/kv-shop",
		"prepare/run/role/user_assigned_identity_name/kv-shop/key-vault-secrets-user",
		"prepare/create/serviceaccount/shop/secretstore",
		"prepare/check/token",
		"prepare/run/credential/user_assigned_identity_name/edge-1-shop-secretstore",
		"prepare/check/exchange/shop/secretstore",
	}
	var steps []string
	for _, c := range plan.Changes {
		steps = append(steps, c.ID)
		if c.Summary == "" || c.Undo == "" {
			t.Errorf("%s says not what it does or how it is undone", c.ID)
		}
	}
	if diff := cmp.Diff(wantSteps, steps); diff != "" {
		t.Errorf("steps -want +got:\n%s", diff)
	}
}

func TestWhoReadsWhat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason string
		make   func(e *estate, o *model.Options)
		want   []string // namespace/account identity vaults classes
		codes  []model.Code
	}{
		"two principals": {
			reason: "what one principal may read, the other must not",
			make: func(e *estate, _ *model.Options) {
				e.class("shop", "a", "kv", principal)
				e.class("shop", "b", "kv", second)
			},
			want: []string{"shop/secretstore ${USER_ASSIGNED_CLIENT_ID} kv a", "shop/secretstore-2 ${USER_ASSIGNED_CLIENT_ID_2} kv b"},
		},
		"one principal, several vaults": {
			reason: "an identity reads what its namespaces read, and no more",
			make: func(e *estate, _ *model.Options) {
				e.class("pay", "a", "kv-pay", principal)
				e.class("pay", "b", "KV", principal)
				e.class("shop", "a", "kv", principal)
				e.class("stores", "a", "kv", principal)
			},
			want: []string{
				"pay/secretstore ${USER_ASSIGNED_CLIENT_ID_2} kv,kv-pay a,b", "shop/secretstore ${USER_ASSIGNED_CLIENT_ID} kv a",
				"stores/secretstore ${USER_ASSIGNED_CLIENT_ID} kv a",
			},
		},
		"different credentials on one class, undecided": {
			reason: "stage inventory asks; until then nobody reads it",
			make: func(e *estate, _ *model.Options) {
				e.class("shop", "a", "kv", principal)
				e.mount("shop", "a", second)
			},
		},
		"different credentials on one class, decided": {
			reason: "the principal that was named gives its place",
			make: func(e *estate, o *model.Options) {
				e.class("shop", "a", "kv", principal)
				e.mount("shop", "a", second)
				o.Decisions["M107/shop/a/SecretProviderClass"] = second
			},
			want: []string{"shop/secretstore ${USER_ASSIGNED_CLIENT_ID} kv a"},
		},
		"workload identity already": {
			reason: "its identity has the rights already",
			make: func(e *estate, _ *model.Options) {
				e.class("shop", "a", "kv", "", func(c *model.Class) { c.Params.ClientID = newClient })
			},
			want:  []string{"shop/secretstore " + newClient + " kv a"},
			codes: []model.Code{"M210"},
		},
		"workload identity already, a new one wanted": {
			reason: "the answer counts",
			make: func(e *estate, o *model.Options) {
				e.class("shop", "a", "kv", "", func(c *model.Class) { c.Params.ClientID = newClient })
				o.Decisions["M210/shop/a/SecretProviderClass"] = "new"
			},
			want: []string{"shop/secretstore ${USER_ASSIGNED_CLIENT_ID} kv a"},
		},
		"another tenant, undecided": {
			reason: "managed identities do not cross tenants",
			make: func(e *estate, _ *model.Options) {
				e.class("shop", "a", "kv", principal, func(c *model.Class) { c.Params.TenantID = otherTenant })
			},
			codes: []model.Code{"M211"},
		},
		"another tenant, an identity there": {
			reason: "the identity is named, and only its credential is planned",
			make: func(e *estate, o *model.Options) {
				e.class("shop", "a", "kv", principal, func(c *model.Class) { c.Params.TenantID = otherTenant })
				o.Decisions["M211/shop/a/SecretProviderClass"] = newClient
			},
			want: []string{"shop/secretstore " + newClient + " kv a"},
		},
		"another tenant, left": {
			reason: "an answer that names nobody blocks the class",
			make: func(e *estate, o *model.Options) {
				e.class("shop", "a", "kv", principal, func(c *model.Class) { c.Params.TenantID = otherTenant })
				o.Decisions["M211/shop/a/SecretProviderClass"] = "leave"
			},
			codes: []model.Code{"M213"},
		},
		"tenant as a domain": {
			reason: "a domain may be the same tenant as a GUID",
			make: func(e *estate, _ *model.Options) {
				e.class("shop", "a", "kv", principal, func(c *model.Class) { c.Params.TenantID = "contoso.example" })
			},
			want: []string{"shop/secretstore ${USER_ASSIGNED_CLIENT_ID} kv a"},
		},
		"a sovereign cloud among others": {
			reason: "an identity of the public cloud is unknown there",
			make: func(e *estate, _ *model.Options) {
				e.class("shop", "a", "kv", principal)
				e.class("shop", "b", "kv", principal)
				e.class("gov", "a", "kv", principal, func(c *model.Class) { c.Params.CloudName = "AzureUSGovernmentCloud" })
			},
			want:  []string{"shop/secretstore ${USER_ASSIGNED_CLIENT_ID} kv a,b"},
			codes: []model.Code{"M212"},
		},
		"all in a sovereign cloud": {
			reason: "the cluster's identities are of that cloud",
			make: func(e *estate, _ *model.Options) {
				e.class("gov", "a", "kv", principal, func(c *model.Class) { c.Params.CloudName = "AzureUSGovernmentCloud" })
			},
			want: []string{"gov/secretstore ${USER_ASSIGNED_CLIENT_ID} kv a"},
		},
		"unused and broken classes": {
			reason: "nobody needs to read them",
			make: func(e *estate, _ *model.Options) {
				e.class("shop", "a", "kv", principal, func(c *model.Class) { c.Broken = true })
				e.Classes = append(e.Classes, model.Class{Object: model.Object{Ref: classRef("shop", "b")}})
			},
		},
		"values must not lie in etcd": {
			reason: "nothing is prepared, and no later stage has an account to make Secrets with",
			make: func(e *estate, o *model.Options) {
				e.class("shop", "a", "kv", principal)
				o.Decisions["M202/etcd"] = "stop"
			},
			codes: []model.Code{"M203"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, o := estate{}, options()
			c.make(&e, &o)
			plan, ids := prepare.Plan(e.Survey, o)
			var got []string
			for _, a := range ids.Accounts {
				_, id, _ := ids.For(a.Namespace, a.Classes[0])
				got = append(got, strings.Join([]string{
					a.Namespace + "/" + a.Name, id.ClientID, strings.Join(id.Vaults, ","), strings.Join(a.Classes, ","),
				}, " "))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s; accounts -want +got:\n%s", c.reason, diff)
			}
			for _, code := range c.codes {
				if !slices.Contains(codes(plan), code) {
					t.Errorf("%s; finding %s is missing from %v", c.reason, code, codes(plan))
				}
			}
			if answer := o.Decisions["M202/etcd"]; answer == "stop" && len(plan.Changes) > 0 {
				t.Errorf("%s; there are steps: %v", c.reason, plan.Changes)
			}
		})
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	secret := spcparams.Object{Name: "db", Type: spcparams.TypeSecret}
	history := spcparams.Object{Name: "api", Type: spcparams.TypeSecret, History: 3}
	cert := spcparams.Object{Name: "web", Type: spcparams.TypeCert}
	key := spcparams.Object{Name: "sign", Type: spcparams.TypeKey}
	for name, c := range map[string]struct {
		reason  string
		roles   model.Roles
		objects []spcparams.Object
		vault   model.Vault
		narrow  bool
		want    []string
	}{
		"secrets": {
			reason: "values and lists of secrets, nothing else", objects: []spcparams.Object{secret}, vault: model.Vault{RBAC: true},
			want: []string{"--role Key Vault Secrets User … --scope /v"},
		},
		"secrets and keys": {
			reason: "one role reads all three kinds", objects: []spcparams.Object{secret, key}, vault: model.Vault{RBAC: true},
			want: []string{"--role Key Vault Certificate User … --scope /v"},
		},
		"certificates alone": {
			reason: "public parts need no role that gives values", objects: []spcparams.Object{cert}, vault: model.Vault{RBAC: true},
			want: []string{"--role Key Vault Reader … --scope /v"},
		},
		"as the guide says": {
			reason: "two roles, whatever is read", roles: model.RolesGuide, objects: []spcparams.Object{secret},
			vault: model.Vault{RBAC: true},
			want:  []string{"--role Key Vault Reader … --scope /v", "--role Key Vault Secrets User … --scope /v"},
		},
		"each secret": {
			reason: "on request", objects: []spcparams.Object{secret, history}, vault: model.Vault{RBAC: true}, narrow: true,
			want: []string{
				"--role Key Vault Secrets User … --scope /v/secrets/api", "--role Key Vault Secrets User … --scope /v/secrets/db",
			},
		},
		"access policies": {
			reason: "Get on the kinds that are read, List where a history is", objects: []spcparams.Object{secret, history, key},
			want: []string{"--secret-permissions get list --key-permissions get"},
		},
		"access policies as the guide says": {
			reason: "Get on all kinds", roles: model.RolesGuide, objects: []spcparams.Object{secret},
			want: []string{"--secret-permissions get --certificate-permissions get --key-permissions get"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, o := estate{}, options()
			e.class("shop", "a", "KV-shop", principal, objects(c.objects...))
			c.vault.Name, c.vault.ID = "kv-Shop", "/v"
			e.Azure = &model.Azure{Vaults: []model.Vault{c.vault}}
			if c.roles != "" {
				o.Roles = c.roles
			}
			if c.narrow {
				o.Decisions["M223/user_assigned_client_id/KV-shop"] = "secret"
			}
			plan, _ := prepare.Plan(e.Survey, o)
			var got []string
			for _, command := range commands(plan) {
				const who = "--assignee-object-id ${USER_ASSIGNED_PRINCIPAL_ID} --assignee-principal-type ServicePrincipal"
				if text, found := strings.CutPrefix(command, "az role assignment create "); found {
					got = append(got, strings.Replace(text, who, "…", 1))
				}
				const policy = "az keyvault set-policy --name KV-shop --object-id ${USER_ASSIGNED_PRINCIPAL_ID} "
				if text, found := strings.CutPrefix(command, policy); found {
					got = append(got, text)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s; -want +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestConsentComesFirst: the question whether values may lie in etcd is open until it is answered.
func TestConsentComesFirst(t *testing.T) {
	t.Parallel()
	e, o := estate{}, options()
	e.class("shop", "a", "kv", principal)
	o.Decisions = nil
	plan, _ := prepare.Plan(e.Survey, o)
	at := slices.IndexFunc(plan.Decisions, func(d model.Decision) bool { return d.ID == "M202/etcd" })
	if at < 0 || !plan.Decisions[at].Required || !slices.Contains(codes(plan), "M202") {
		t.Errorf("decisions %v, findings %v", plan.Decisions, codes(plan))
	}
	if plan.Changes[0].ID != "prepare/check/etcd" {
		t.Errorf("the first step is %s", plan.Changes[0].ID)
	}
	o.Decisions = map[string]string{"M202/etcd": "accept"}
	if plan, _ = prepare.Plan(e.Survey, o); slices.Contains(codes(plan), "M202") {
		t.Error("the question is answered and still open")
	}
}
