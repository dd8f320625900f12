//go:build long

package azcli_test

import (
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/prepare"
	"secretstore/internal/migrate/stage/switchover"
	"secretstore/internal/migrate/stage/verify"
	"secretstore/internal/spcparams"
)

const (
	tenant = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	client = "11111111-2222-3333-4444-555555555555"
	theirs = "22222222-2222-3333-4444-555555555555"
)

// reports are plans of clusters that between them have every command for Azure that the stages know.
func reports() map[string]model.Report {
	guide := model.Options{Strategy: model.Guide, Target: model.TargetSSE, Roles: model.RolesGuide, Decisions: decisions("delete")}
	least := model.Options{Strategy: model.ZeroDowntime, Target: model.TargetSecretStore, Decisions: decisions("disable")}
	narrow := least
	narrow.Decisions = decisions("revoke")
	narrow.Decisions["M223/user_assigned_client_id/kv-shop"] = "secret"
	narrow.Azure = model.AzureInputs{
		Subscription: "00000000-0000-0000-0000-000000000001", ResourceGroup: "g", Cluster: "c", Location: "westeurope", Tenant: tenant,
		Identity: "id",
	}
	seen := &model.Azure{
		Arc: "/arc", IssuerEnabled: true, IssuerURL: "https://issuer.example/", Vaults: []model.Vault{{Name: "kv-shop", ID: "/subscriptions/s/v", RBAC: true}},
		Extensions: []model.Extension{
			{Type: "microsoft.azurekeyvaultsecretsprovider", Settings: map[string]string{"secrets-store-csi-driver.syncSecret.enabled": "true"}},
			{Type: "microsoft.iotoperations"},
		},
	}
	return map[string]model.Report{
		"guide, Arc, nothing seen": report(shop(model.FlavourArc, nil), guide),
		"guide, Arc, seen":         report(shop(model.FlavourArc, seen), guide),
		"least, AKS":               report(shop(model.FlavourAKS, nil), least),
		"narrow, Arc, seen":        report(shop(model.FlavourArc, seen), narrow),
	}
}

func decisions(end string) map[string]string {
	return map[string]string{
		"M202/etcd": "accept", "M301/outage": "accept", "M606/" + client: end,
		"M211/partners/edi/SecretProviderClass": theirs,
	}
}

func report(s model.Survey, o model.Options) model.Report {
	plan, ids := prepare.Plan(s, o)
	plan.Join(switchover.Plan(s, o))
	var translations []model.Translation
	for _, c := range s.Classes {
		translations = append(translations, model.Translation{Class: c.Object.Ref, NewClass: c.Object.Name + "-sse", Ready: true})
	}
	plan.Join(verify.Plan(s, ids, translations, o))
	return model.NewReport(s, o, plan)
}

// shop is a cluster with a class of each way to sign in: a service principal, workload identity, and an identity of another tenant.
func shop(flavour model.Flavour, azure *model.Azure) model.Survey {
	s := model.Survey{
		Input: model.Input{Cluster: "uid"}, Azure: azure,
		Installed: model.Installed{Flavour: flavour, CertManager: "open source"},
	}
	add := func(namespace, name, vault string, change func(*model.Class)) {
		work := model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: name}
		creds := model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: "creds"}
		class := model.Class{
			Object: model.Object{Ref: model.Ref{
				APIVersion: "secrets-store.csi.x-k8s.io/v1", Kind: "SecretProviderClass", Namespace: namespace, Name: name,
			}},
			Parameters: map[string]string{"keyvaultName": vault, "subscriptionId": "00000000-0000-0000-0000-000000000002"},
			Params:     spcparams.Params{TenantID: tenant, VaultName: vault}, UsedBy: []model.Ref{work},
		}
		class.Params.Objects = []spcparams.Object{{Name: "db", Type: spcparams.TypeSecret, History: 2}}
		change(&class)
		s.Classes = append(s.Classes, class)
		s.Workloads = append(s.Workloads, model.Workload{
			Object: model.Object{Ref: work}, Volumes: []model.Volume{{Name: "v", Class: name, Credential: "creds"}},
		})
		s.Credentials = append(s.Credentials, model.Credential{Ref: creds, ClientID: client, Exists: true, UsedBy: []model.Ref{work}})
	}
	add("shop", "web", "kv-shop", func(*model.Class) {})
	add("pay", "all", "kv-pay", func(c *model.Class) {
		c.Params.Objects = append(c.Params.Objects, spcparams.Object{Name: "k", Type: spcparams.TypeKey, History: 2},
			spcparams.Object{Name: "c", Type: spcparams.TypeCert, History: 2})
	})
	add("wi", "web", "kv-shop", func(c *model.Class) { c.Params.ClientID = theirs })
	add("partners", "edi", "kv-edi", func(c *model.Class) { c.Params.TenantID = "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee" })
	return s
}
