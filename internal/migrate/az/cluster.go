package az

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/azure/arm"
)

// clusterCommands are those about the Arc-enabled cluster and its extensions. Switching its issuer on is not among them: that is
// done in the cluster as well, by az connectedk8s alone.
func clusterCommands() []command {
	where := []string{"--cluster-type", "--cluster-name", "--resource-group"}
	named := append(slices.Clone(where), "--name")
	subscription := []string{"--subscription"}
	arc := map[string][]string{"--cluster-type": {"connectedClusters"}, "--scope": {"cluster"}}
	return []command{
		{
			words: "connectedk8s show", needs: []string{"--name", "--resource-group"}, flags: subscription, run: showCluster,
			queries: []string{`oidcIssuerProfile\.(issuerUrl|selfHostedIssuerUrl|enabled)`},
		},
		{
			words: "k8s-extension list", needs: where, flags: subscription, only: arc, run: findExtension,
			queries: []string{`\[\?extensionType=='([^']+)'\]\.name \| \[0\]`},
		},
		{
			words: "k8s-extension create", needs: append(slices.Clone(named), "--extension-type"), only: arc, run: createExtension,
			flags: []string{"--subscription", "--scope", "--release-namespace", "--configuration-settings"},
		},
		{words: "k8s-extension delete", needs: named, flags: subscription, only: arc, run: deleteExtension},
	}
}

func showCluster(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	cluster, err := r.ARM.Cluster(ctx, r.group(a), a.one("--name"))
	return map[string]string{
		"issuerUrl": cluster.IssuerURL, "selfHostedIssuerUrl": cluster.SelfHosted, "enabled": strconv.FormatBool(cluster.IssuerEnabled),
	}[a.query[1]], false, err
}

// findExtension compares types without case, since Azure changes it.
func findExtension(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	all, err := r.ARM.Extensions(ctx, r.group(a), a.one("--cluster-name"))
	at := slices.IndexFunc(all, func(e arm.Extension) bool { return strings.EqualFold(e.Type, a.query[1]) })
	if err != nil || at < 0 {
		return "", false, err
	}
	return all[at].Name, false, nil
}

func createExtension(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	extension := arm.Extension{
		Name: a.one("--name"), Type: a.one("--extension-type"), Namespace: a.one("--release-namespace"), Settings: map[string]string{},
	}
	for _, setting := range a.flags["--configuration-settings"] {
		name, value, found := strings.Cut(setting, "=")
		if !found {
			return "", false, fmt.Errorf("az k8s-extension create: the setting %s has no value: write NAME=VALUE", name)
		}
		extension.Settings[name] = value
	}
	did, err := r.ARM.MakeExtension(ctx, r.group(a), a.one("--cluster-name"), extension)
	return "", did, err
}

func deleteExtension(ctx context.Context, r *Runner, a arguments) (string, bool, error) {
	did, err := r.ARM.DeleteExtension(ctx, r.group(a), a.one("--cluster-name"), a.one("--name"))
	return "", did, err
}
