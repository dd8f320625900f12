package cluster

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
	"secretstore/internal/migrate/stage/inventory"
)

// discoveryPath is where an issuer's document is.
const discoveryPath = "/.well-known/openid-configuration"

// checkIssuer: the discovery document names the issuer, to the last character.
func (c *Cluster) checkIssuer(ctx context.Context, gate model.Gate) (lack, error) {
	raw, err := c.typed.Discovery().RESTClient().Get().AbsPath(discoveryPath).DoRaw(ctx)
	if err != nil {
		return lack{}, explain(err, "get", schema.GroupResource{Resource: discoveryPath},
			model.Ref{Kind: "issuer of", Name: "the cluster"})
	}
	var document struct {
		Issuer string `json:"issuer"`
	}
	var l lack
	if err := json.Unmarshal(raw, &document); err != nil {
		l.need("the discovery document of the cluster's issuer, at %s, is no JSON", discoveryPath)
	} else if document.Issuer != gate.Issuer {
		l.need("the cluster's issuer is %q, and %q is expected: to the last character, a slash at the end included", document.Issuer,
			gate.Issuer)
	}
	return l, nil
}

// checkUnreferenced: no pod and no pod template has a volume of one of the classes, by an inventory taken afresh.
func (c *Cluster) checkUnreferenced(ctx context.Context, gate model.Gate) (lack, error) {
	if len(gate.Objects) == 0 {
		return lack{}, nil
	}
	snapshot, err := read.Cluster(ctx, c.options.Config, read.ClusterOptions{
		Namespaces: namespacesOf(gate.Objects),
		Digest:     func([]byte) string { return "" }, // no value is compared here
	})
	if err != nil {
		return lack{}, err
	}
	// A class that is gone is no class of Azure's any more to the inventory, so that what mounts it must be known by its name.
	for _, ref := range gate.Objects {
		snapshot.Objects = append(snapshot.Objects, standIn(snapshot, ref)...)
	}
	var l lack
	for _, w := range inventory.Survey(snapshot, model.Options{}).Workloads {
		if ended(w.Object) {
			continue
		}
		for _, v := range w.Volumes {
			for _, ref := range gate.Objects {
				if ref.Namespace == w.Object.Namespace && ref.Name == v.Class {
					l.need("%s has a volume of class %s at %s", w.Object.Ref, v.Class, v.Path)
				}
			}
		}
	}
	return l, nil
}

// ended tells a Job that will start no pod any more.
func ended(o model.Object) bool {
	live := &unstructured.Unstructured{Object: o.Content}
	complete, _ := condition(live, "Complete")
	failed, _ := condition(live, "Failed")
	return o.Kind == "Job" && (complete.status == "True" || failed.status == "True")
}

// standIn is a class in the place of one that is not in a snapshot, none for one that is.
func standIn(s model.Snapshot, ref model.Ref) []model.Object {
	for _, o := range s.Objects {
		if o.Ref == ref {
			return nil
		}
	}
	return []model.Object{{Ref: ref, Content: map[string]any{
		"apiVersion": ref.APIVersion, "kind": ref.Kind,
		"metadata": map[string]any{"namespace": ref.Namespace, "name": ref.Name},
		"spec":     map[string]any{"provider": model.ProviderAzure},
	}}}
}

// saveDefinitions: the definitions are handed to the caller, who keeps them.
func (c *Cluster) saveDefinitions(ctx context.Context, gate model.Gate) (lack, error) {
	var l lack
	for _, ref := range gate.Objects {
		live, err := c.get(ctx, ref)
		if err != nil {
			return lack{}, err
		}
		if live == nil {
			l.need("%s is not there, and cannot be saved", ref)
			continue
		}
		if err := c.options.Save(ctx, ref.Name, live.Object); err != nil {
			return lack{}, err
		}
	}
	return l, nil
}

// checkDefinitions: the definitions are there, and served.
func (c *Cluster) checkDefinitions(ctx context.Context, gate model.Gate) (lack, error) {
	var l lack
	for _, ref := range gate.Objects {
		live, err := c.get(ctx, ref)
		if err != nil {
			return lack{}, err
		}
		if live == nil || live.GetDeletionTimestamp() != nil {
			l.need("%s is not there: apply the saved one, and the saved classes, at once", ref)
		} else if served, _ := condition(live, "Established"); served.status != "True" {
			l.wait("%s is not established", ref)
		}
	}
	return l, nil
}
