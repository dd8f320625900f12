// Package connect puts a rig's cluster (package rig) into the emulated Azure: connected by Arc, with the Azure Key Vault Secrets
// Provider extension installed, and with somebody who owns the subscription and may take it over by the program. Agents remove
// the driver when the extension is gone, and run the controller while its Deployment is there.
package connect

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/internal/azure/arm"
	"secretstore/internal/emulator/state"
	"secretstore/test/cluster"
	"secretstore/test/connectproxy"
	"secretstore/test/migration/estate"
	"secretstore/test/rig"
	"secretstore/test/stack"
)

// Where the cluster and its vaults are in Azure, and how the extension is called there.
const (
	subscription = "77777777-0000-0000-0000-000000000000"
	group        = "shop"
	clusterName  = "edge"
	extension    = "akvsecretsprovider"
)

// Group is the resource group in Azure with the cluster, its vaults and what a takeover makes.
func Group() arm.Group { return arm.Group{Subscription: subscription, Name: group} }

// The owner of the subscription, who takes the cluster over.
const (
	ownerID     = "0be00000-8888-4aaa-8bbb-000000000001"
	ownerSecret = "canary-owner-secret"
)

// driverDir has what the extension installs.
const driverDir = "test/rig/connect/testdata/driver"

// Options say what is connected.
type Options struct {
	// Rig is what the rig starts with. Its seed is made of the objects, and so are its definitions if there are none.
	Rig rig.Options
	// Objects are what is going to run, for whose classes the vaults are made. They are not applied: see [rig.Rig.Settle].
	Objects []*unstructured.Unstructured
	// Tenant is whose the subscription is.
	Tenant string
	// Seed adds to what Azure holds, if it is set: the subscription and its group are there already.
	Seed func(*state.Seed)
	// Dir takes the seed, the operator's kubeconfig and what the control plane leaves.
	Dir string
}

// World is a cluster with the driver, in Azure.
type World struct {
	*rig.Rig

	// Azure is a client with the owner's login.
	Azure *arm.Client
	// Environment is what the owner's shell holds: where the cluster is, who signs in, and that Azure is the emulator.
	Environment []string

	proxy  *connectproxy.Proxy
	agents *rig.Agents
}

// Start starts it, and returns when the driver is installed.
func Start(ctx context.Context, o Options) (*World, error) {
	w := &World{}
	if err := w.start(ctx, o); err != nil {
		return nil, errors.Join(err, w.Stop())
	}
	return w, nil
}

func (w *World) start(ctx context.Context, o Options) error {
	var err error
	if w.proxy, err = connectproxy.Listen(ctx); err != nil {
		return err
	}
	o.Rig.Seed = filepath.Join(o.Dir, "seed.yaml")
	if err := writeSeed(o); err != nil {
		return err
	}
	if o.Rig.Manifests == nil {
		o.Rig.Manifests, err = cluster.Manifests("test/migration/testdata/estate/cluster/crds/*.yaml")
		if err != nil {
			return err
		}
	}
	if w.Rig, err = rig.Start(ctx, o.Rig); err != nil {
		return err
	}
	w.proxy.SendTo(w.Stack.Address)
	if err := w.signIn(o); err != nil {
		return err
	}
	return w.install(ctx)
}

// Stop ends all of it.
func (w *World) Stop() error {
	var errs []error
	if w.agents != nil {
		errs = append(errs, w.agents.Stop())
	}
	if w.Rig != nil {
		errs = append(errs, w.Rig.Stop())
	}
	if w.proxy != nil {
		errs = append(errs, w.proxy.Close())
	}
	return errors.Join(errs...)
}

// writeSeed writes what the emulator holds.
func writeSeed(o Options) error {
	seed, err := rig.Vaults(o.Objects)
	if err != nil {
		return fmt.Errorf("making vaults for classes: %w", err)
	}
	seed.Applications = append(seed.Applications, state.Application{
		TenantID: o.Tenant, ClientID: ownerID, Name: "owner", Kind: state.KindApplication, GraphAccess: state.GraphWrite,
		ClientSecrets: []state.ClientSecret{{Value: ownerSecret}},
	})
	for i := range seed.Vaults {
		if seed.Vaults[i].TenantID == o.Tenant {
			seed.Vaults[i].SubscriptionID, seed.Vaults[i].ResourceGroup = subscription, group
		}
	}
	seed.Management = management(o.Tenant)
	if o.Seed != nil {
		o.Seed(&seed)
	}
	text, err := yaml.Marshal(seed)
	if err != nil {
		return fmt.Errorf("encoding a seed: %w", err)
	}
	if err := os.WriteFile(o.Rig.Seed, text, 0o600); err != nil {
		return fmt.Errorf("writing a seed: %w", err)
	}
	return nil
}

// management is what Azure Resource Manager knows.
func management(tenant string) state.ManagementSeed {
	return state.ManagementSeed{
		Subscriptions:   []state.Subscription{{ID: subscription, Name: "Shop", TenantID: tenant}},
		ResourceGroups:  []state.ResourceGroup{{SubscriptionID: subscription, Name: group}},
		RoleAssignments: []state.RoleAssignment{{ClientID: ownerID, Role: "Owner", Scope: "/subscriptions/" + subscription}},
		ConnectedClusters: []state.Cluster{{
			Name: clusterName, TenantID: tenant, SubscriptionID: subscription, ResourceGroup: group,
			OIDCIssuer: true, IssuerURL: "${SERVICE_ACCOUNT_ISSUER}",
			Extensions: []state.Extension{{
				Name: extension, Type: "microsoft.azurekeyvaultsecretsprovider", Version: "1.7.2", ReleaseNamespace: "kube-system",
				Settings: map[string]string{"secrets-store-csi-driver.syncSecret.enabled": "true"},
			}},
		}},
	}
}

// signIn prepares the owner's environment, and the client.
func (w *World) signIn(o Options) error {
	kubeconfig, err := w.Cluster.KubeconfigFile("operator", w.Cluster.Config())
	if err != nil {
		return err
	}
	proxy := "http://" + w.proxy.Address()
	w.Environment = []string{
		"KUBECONFIG=" + kubeconfig, "NO_PROXY=127.0.0.1,localhost", "HTTPS_PROXY=" + proxy, "HTTP_PROXY=" + proxy,
		// The emulator's certificate is the only one that is trusted: no connection can lead to Azure.
		"SSL_CERT_FILE=" + w.Stack.CAFile, "SSL_CERT_DIR=" + filepath.Join(o.Dir, "no-certificates"),
		"AZURE_TENANT_ID=" + o.Tenant, "AZURE_CLIENT_ID=" + ownerID, "AZURE_CLIENT_SECRET=" + ownerSecret,
		"SUBSCRIPTION=" + subscription, "RESOURCE_GROUP=" + group, "CLUSTER_NAME=" + clusterName, "LOCATION=westeurope",
		"USER_ASSIGNED_IDENTITY_NAME=shop-secrets", "USER=operator",
	}
	w.Azure, err = w.Stack.Manage(stack.Operator{TenantID: o.Tenant, ClientID: ownerID, ClientSecret: ownerSecret})
	return err
}

// install applies what the extension installs, and starts the agents.
func (w *World) install(ctx context.Context) error {
	root, err := cluster.Root()
	if err != nil {
		return err
	}
	driver, err := estate.Load(filepath.Join(root, driverDir))
	if err != nil {
		return fmt.Errorf("reading the driver's manifests: %w", err)
	}
	if _, err := estate.Apply(ctx, w.Cluster.Config(), driver); err != nil {
		return fmt.Errorf("installing the driver: %w", err)
	}
	w.agents = w.StartAgents(ctx, w.HasExtension, driver)
	return nil
}

// HasExtension says whether the old extension is there.
func (w *World) HasExtension(ctx context.Context) (bool, error) {
	extensions, err := w.Azure.Extensions(ctx, Group(), clusterName)
	if err != nil {
		return false, fmt.Errorf("listing extensions: %w", err)
	}
	return slices.ContainsFunc(extensions, func(e arm.Extension) bool { return e.Name == extension }), nil
}

// RolesOf lists the roles that an application has on vaults, by the vaults' names; none if it is not there any more.
func (w *World) RolesOf(ctx context.Context, clientID string, vaults ...string) (map[string][]string, error) {
	principal, err := w.Azure.Principal(ctx, clientID)
	if err != nil {
		return nil, fmt.Errorf("finding the principal %s: %w", clientID, err)
	}
	ids, err := w.Azure.VaultIDs(ctx, subscription, vaults...)
	if err != nil {
		return nil, fmt.Errorf("finding vaults: %w", err)
	}
	roles := map[string][]string{}
	for name, id := range ids {
		assignments, err := w.Azure.RoleAssignments(ctx, id, principal.ObjectID)
		if err != nil {
			return nil, fmt.Errorf("listing the roles on vault %s: %w", name, err)
		}
		for _, a := range assignments {
			roles[name] = append(roles[name], w.Azure.RoleName(ctx, id, a.Role))
		}
		slices.Sort(roles[name])
	}
	return roles, nil
}
