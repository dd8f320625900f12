// Package chart renders the chart that ships, as Helm does and by Helm's own code, for tests and demonstrations to apply: what
// they run on is what users install. Its tests hold the chart to its promises against a real API server.
package chart

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"secretstore/test/cluster"
)

// Names that the chart gives, and that tests install it by.
const (
	// Account is the name of the controller's service account, and of most else.
	Account = "secretstore-controller"
	// Namespace is where tests install it.
	Namespace = "secretstore-system"
)

// Release says for what the chart is rendered.
type Release struct {
	// Namespace is where it is installed.
	Namespace string
	// Kubernetes is the cluster's version, such as "v1.34.4".
	Kubernetes string
	// APIs are API versions that the cluster serves besides the usual ones, such as "group/v1/Kind".
	APIs []string
	// Cluster is what templates look things up in; nil for nothing, as with "helm template".
	Cluster *rest.Config
}

// Install renders the chart for a running cluster, in [Namespace].
func Install(ctx context.Context, config *rest.Config, values map[string]any) ([]byte, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the cluster: %w", err)
	}
	version, err := client.ServerVersion()
	if err != nil {
		return nil, fmt.Errorf("asking the cluster for its version: %w", err)
	}
	return Release{Namespace: Namespace, Kubernetes: version.GitVersion, Cluster: config}.Render(ctx, values)
}

// Render checks the values against the chart's schema and renders its templates into a YAML stream, sorted by file. The
// definitions (CRDs) are not among them: Helm does not render them either.
func (r Release) Render(ctx context.Context, values map[string]any) ([]byte, error) {
	files, err := r.files(ctx, values)
	if err != nil {
		return nil, err
	}
	var manifests strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, ".yaml") {
			manifests.WriteString("---\n" + files[name] + "\n")
		}
	}
	return []byte(manifests.String()), nil
}

// Notes renders what Helm prints after installing.
func (r Release) Notes(ctx context.Context, values map[string]any) (string, error) {
	files, err := r.files(ctx, values)
	return files["secretstore/templates/NOTES.txt"], err
}

// files renders each template, by its path in the chart.
func (r Release) files(ctx context.Context, values map[string]any) (map[string]string, error) {
	root, err := cluster.Root()
	if err != nil {
		return nil, err
	}
	chart, err := loader.Load(filepath.Join(root, "charts", "secretstore"))
	if err != nil {
		return nil, fmt.Errorf("loading the chart: %w", err)
	}
	version, err := common.ParseKubeVersion(r.Kubernetes)
	if err != nil {
		return nil, fmt.Errorf("reading the version of Kubernetes: %w", err)
	}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	capabilities.APIVersions = append(slices.Clone(capabilities.APIVersions), r.APIs...)
	top, err := util.ToRenderValues(chart, values,
		common.ReleaseOptions{Name: "secretstore", Namespace: r.Namespace, Revision: 1, IsInstall: true}, capabilities)
	if err != nil {
		return nil, fmt.Errorf("checking the values: %w", err)
	}
	var templates engine.Engine
	if r.Cluster != nil {
		templates = engine.New(r.Cluster)
	}
	files, err := templates.RenderWithContext(ctx, chart, top)
	if err != nil {
		return nil, fmt.Errorf("rendering the chart: %w", err)
	}
	return files, nil
}
