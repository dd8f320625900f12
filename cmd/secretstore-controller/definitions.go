package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/openapi"

	"secretstore/api/secretsync/v1alpha1"
)

// ownField is a field of a kind's status that this project's definition has and those of other controllers lack.
type ownField struct{ kind, field string }

func ownFields() []ownField {
	return []ownField{{"SecretSync", "lastCheckTime"}, {"AKVSync", "observedGeneration"}}
}

// checkDefinitions refuses definitions that another controller of the same kinds brought: the API server would drop without a
// word what they do not know of our statuses, and with it when each check is due. What cannot be asked is not refused.
func checkDefinitions(client openapi.Client) error {
	paths, err := client.Paths()
	if err != nil {
		return fmt.Errorf("asking the cluster for its definitions: %w", err)
	}
	path, served := paths["apis/"+v1alpha1.GroupVersion().String()]
	if !served {
		return nil // definitions that are new are not described yet
	}
	text, err := path.Schema("application/json")
	if err != nil {
		return fmt.Errorf("asking the cluster for the definitions of %s: %w", v1alpha1.GroupVersion(), err)
	}
	return judgeDefinitions(text)
}

// definition is what is read of a kind's definition.
type definition struct {
	Kinds      []schema.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
	Properties struct {
		Status struct {
			Properties map[string]any `json:"properties"`
		} `json:"status"`
	} `json:"properties"`
}

// judgeDefinitions judges definitions as OpenAPI describes them. It is pure.
func judgeDefinitions(text []byte) error {
	var document struct {
		Components struct {
			Schemas map[string]definition `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("reading the definitions of %s: %w", v1alpha1.GroupVersion(), err)
	}
	for _, own := range ownFields() {
		for _, d := range document.Components.Schemas {
			if !slices.Contains(d.Kinds, v1alpha1.GroupVersion().WithKind(own.kind)) {
				continue
			}
			if _, has := d.Properties.Status.Properties[own.field]; !has {
				return fmt.Errorf("the cluster's definition of the kind %s is another controller's (it lacks status.%s), which may be "+
					"at work: nothing is done. To move to this one, stop the other and apply the definitions in "+
					"charts/secretstore/crds; docs/guide/adopt.md says how", own.kind, own.field)
			}
		}
	}
	return nil
}
