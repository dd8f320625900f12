package install

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"secretstore/charts"
)

// Release says for what the chart is rendered.
type Release struct {
	// Name and Namespace are as with helm.
	Name, Namespace string
	// Kubernetes is the cluster's version, such as v1.34.4.
	Kubernetes string
	// APIs are API versions that the cluster serves besides the usual ones, such as group/v1/Kind.
	APIs []string
	// Values are the chart's.
	Values map[string]any
}

// Render checks the values against the chart's schema and gives every object of the chart: definitions first, then the
// namespace, then all others in the order in which they need each other. Each carries the label Manager.
func (r Release) Render(ctx context.Context) ([]*unstructured.Unstructured, error) {
	c, err := load()
	if err != nil {
		return nil, fmt.Errorf("loading the chart: %w", err)
	}
	var objects []*unstructured.Unstructured
	for _, crd := range c.CRDObjects() {
		more, err := decode(crd.File.Data)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", crd.Filename, err)
		}
		objects = append(objects, more...)
	}
	files, err := r.files(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		more, err := decode([]byte(files[name]))
		if err != nil {
			return nil, fmt.Errorf("reading what %s renders to: %w", name, err)
		}
		objects = append(objects, more...)
	}
	namespace := &unstructured.Unstructured{}
	namespace.SetAPIVersion("v1")
	namespace.SetKind("Namespace")
	namespace.SetName(r.Namespace)
	return inOrder(append(objects, namespace)), nil
}

// load is the chart of this program.
func load() (*chart.Chart, error) {
	var files []*archive.BufferedFile
	err := fs.WalkDir(charts.Secretstore, "secretstore", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := charts.Secretstore.ReadFile(path)
		files = append(files, &archive.BufferedFile{Name: strings.TrimPrefix(path, "secretstore/"), Data: data})
		return err
	})
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}

// files renders each template, by its path in the chart. Nothing is looked up in the cluster.
func (r Release) files(ctx context.Context, c *chart.Chart) (map[string]string, error) {
	version, err := common.ParseKubeVersion(r.Kubernetes)
	if err != nil {
		return nil, fmt.Errorf("reading the version of Kubernetes: %w", err)
	}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	capabilities.APIVersions = append(slices.Clone(capabilities.APIVersions), r.APIs...)
	top, err := util.ToRenderValues(c, r.Values,
		common.ReleaseOptions{Name: r.Name, Namespace: r.Namespace, Revision: 1, IsInstall: true}, capabilities)
	if err != nil {
		return nil, fmt.Errorf("checking the values of the chart: %w", err)
	}
	if release, is := top["Release"].(map[string]any); is {
		release["Service"] = Manager // the label app.kubernetes.io/managed-by tells who installed it
	}
	var templates engine.Engine
	files, err := templates.RenderWithContext(ctx, c, top)
	if err != nil {
		return nil, fmt.Errorf("rendering the chart: %w", err)
	}
	return files, nil
}

// decode reads the objects of a YAML stream.
func decode(text []byte) ([]*unstructured.Unstructured, error) {
	const buffer = 4096
	var objects []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), buffer); ; {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// inOrder sorts objects so that each comes after those that it needs, and marks them as this program's.
func inOrder(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	for _, object := range objects {
		labels := object.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[managedBy] = Manager
		object.SetLabels(labels)
	}
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int {
		return cmp.Compare(rank(a.GetKind()), rank(b.GetKind()))
	})
	return objects
}

// rank is the place of a kind: what is not named comes after what is, but before the pods.
func rank(kind string) int {
	first := []string{"CustomResourceDefinition", "Namespace", "ServiceAccount", "Secret", "ConfigMap"}
	switch at := slices.Index(first, kind); {
	case at >= 0:
		return at
	case kind == "Deployment":
		return len(first) + 1
	default:
		return len(first)
	}
}
