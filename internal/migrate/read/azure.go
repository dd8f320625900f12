package read

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"secretstore/internal/azure/arm"
	"secretstore/internal/migrate/model"
)

// ARM is what is asked of Azure. *arm.Client is one.
type ARM interface {
	// Subscriptions comes first: it shows whether there is a login at all.
	Subscriptions(ctx context.Context) ([]arm.Subscription, error)
	// Cluster is asked where the cluster's place was told.
	Cluster(ctx context.Context, g arm.Group, name string) (arm.Cluster, error)
	// Extensions comes after it.
	Extensions(ctx context.Context, g arm.Group, cluster string) ([]arm.Extension, error)
	// VaultIDs is asked of one subscription after the other, until every vault is found.
	VaultIDs(ctx context.Context, subscription string, names ...string) (map[string]string, error)
	// Vault is asked for each that was found.
	Vault(ctx context.Context, id string) (arm.Vault, error)
}

// Azure asks Azure Resource Manager for the cluster, its extensions and the vaults that are named. What may not be read is a
// finding; without a login, or a way to Azure, there is nothing but that.
func Azure(ctx context.Context, c ARM, in model.AzureInputs, vaults []string) (*model.Azure, []model.Finding) {
	seen, err := c.Subscriptions(ctx)
	if err != nil {
		code := model.AzureUnread
		if _, ok := errors.AsType[*arm.LoginError](err); ok {
			code = model.AzureNoLogin
		}
		return nil, []model.Finding{model.Find(code, model.Object{}, "", "%s.", err)}
	}
	r := &azureReader{client: c, in: in, found: &model.Azure{}}
	r.order(seen)
	r.cluster(ctx)
	r.vaults(ctx, vaults)
	return r.found, r.findings
}

// VaultNames are those that the classes among objects name, sorted, each once; what a pipeline fills in is none.
func VaultNames(objects []model.Object) []string {
	var names []string
	for _, o := range objects {
		if o.Kind != "SecretProviderClass" || text(o.Content, "spec", "provider") != model.ProviderAzure {
			continue
		}
		name := strings.ToLower(strings.TrimSpace(text(o.Content, "spec", "parameters", "keyvaultName")))
		if name != "" && !strings.ContainsAny(name, "${}'") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

type azureReader struct {
	client ARM
	in     model.AzureInputs
	// home is the cluster's subscription, empty if it is not known; all are those that the login sees, home first.
	home     string
	all      []string
	found    *model.Azure
	findings []model.Finding
}

func (r *azureReader) tell(code model.Code, format string, args ...any) {
	r.findings = append(r.findings, model.Find(code, model.Object{}, "", format, args...))
}

// order finds the cluster's subscription, which may be told by its ID or its name, as az takes it.
func (r *azureReader) order(seen []arm.Subscription) {
	r.home = r.in.Subscription
	for _, s := range seen {
		r.all = append(r.all, s.ID)
		if strings.EqualFold(s.Name, r.in.Subscription) {
			r.home = s.ID
		}
	}
	if r.home == "" && len(seen) == 1 {
		r.home = seen[0].ID
	}
	if r.home != "" {
		r.all = slices.DeleteFunc(r.all, func(id string) bool { return strings.EqualFold(id, r.home) })
		r.all = append([]string{r.home}, r.all...)
	}
}

// cluster reads the Arc-enabled cluster and its extensions.
func (r *azureReader) cluster(ctx context.Context) {
	if r.home == "" || r.in.ResourceGroup == "" || r.in.Cluster == "" {
		r.tell(model.AzureNotAsked, "Azure was not asked for the cluster: --subscription, --resource-group and --cluster-name say "+
			"where it is; of these %s is missing.", r.missing())
		return
	}
	group := arm.Group{Subscription: r.home, Name: r.in.ResourceGroup}
	cluster, err := r.client.Cluster(ctx, group, r.in.Cluster)
	if err != nil {
		r.tell(model.AzureUnread, "%s.", err)
		return
	}
	r.found.Arc, r.found.IssuerEnabled = cluster.ID, cluster.IssuerEnabled
	r.found.IssuerURL = cmp.Or(cluster.IssuerURL, cluster.SelfHosted)
	extensions, err := r.client.Extensions(ctx, group, r.in.Cluster)
	if err != nil {
		r.tell(model.AzureUnread, "%s.", err)
		return
	}
	for _, e := range extensions {
		r.found.Extensions = append(r.found.Extensions, model.Extension{
			Name: e.Name, Type: strings.ToLower(e.Type), Version: cmp.Or(e.Current, e.Version), Namespace: e.Namespace,
			Settings: e.Settings,
		})
	}
}

// missing names what was not told.
func (r *azureReader) missing() string {
	var flags []string
	for _, f := range []struct{ name, value string }{
		{"--subscription", r.home}, {"--resource-group", r.in.ResourceGroup}, {"--cluster-name", r.in.Cluster},
	} {
		if f.value == "" {
			flags = append(flags, f.name)
		}
	}
	return strings.Join(flags, ", ")
}

// vaults finds the vaults by their names, which are the only ones of the kind in the world, and reads them.
func (r *azureReader) vaults(ctx context.Context, names []string) {
	ids := map[string]string{}
	for _, subscription := range r.all {
		if !slices.ContainsFunc(names, func(n string) bool { return ids[n] == "" }) {
			break
		}
		there, err := r.client.VaultIDs(ctx, subscription, names...)
		if err != nil {
			r.tell(model.AzureUnread, "%s.", err)
			continue
		}
		maps.Copy(ids, there)
	}
	for _, name := range names {
		if ids[name] == "" {
			continue // stage prepare says so of each
		}
		vault, err := r.client.Vault(ctx, ids[name])
		if err != nil {
			r.tell(model.AzureUnread, "%s.", err)
			continue
		}
		r.found.Vaults = append(r.found.Vaults, model.Vault{Name: vault.Name, ID: vault.ID, Tenant: vault.Tenant, RBAC: vault.RBAC})
	}
}
