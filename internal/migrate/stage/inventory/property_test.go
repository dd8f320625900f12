package inventory_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/inventory"
)

// cluster draws a small cluster: classes of Azure and others, workloads of all sorts with owners that may be missing, and
// readers. Names are few, so that references often meet.
func cluster(t *testing.T, r *rand.Rand) []model.Object {
	t.Helper()
	one := func(from ...string) string { return from[r.IntN(len(from))] }
	manifests := []string{class("app", syncing("made")), class("two")}
	if r.IntN(2) == 0 {
		manifests = append(manifests, object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "pki", "", "spec: {provider: vault}"))
	}
	owners := []string{"", ownedBy("apps/v1", "Deployment", "x0"), ownedBy("example.com/v1", "Thing", "x1"), ownedBy("v1", "Node", "node-1")}
	for i := range 1 + r.IntN(12) {
		name := fmt.Sprintf("x%d", i)
		owners = append(owners, ownedBy("apps/v1", "ReplicaSet", name), ownedBy("batch/v1", "Job", name))
		meta := one(owners...)
		podSpec := one(spec("app"), spec("two"), spec("pki"), spec("gone"), "{containers: [{name: c}]}",
			"{containers: [{name: c, envFrom: [{secretRef: {name: made}}]}]}", "{containers: [{name: c}], imagePullSecrets: [{name: made}]}")
		manifests = append(manifests, one(
			object("apps/v1", "Deployment", name, meta, "spec: {template: {spec: "+podSpec+"}}"),
			object("apps/v1", "ReplicaSet", name, meta, "spec: {template: {spec: "+podSpec+"}}"),
			object("batch/v1", "Job", name, meta, "spec: {template: {spec: "+podSpec+"}}"),
			object("v1", "Pod", name, meta, "spec: "+podSpec),
			object("example.com/v1", "Thing", name, meta, "spec: {pods: [{spec: "+podSpec+"}]}"),
			object("networking.k8s.io/v1", "Ingress", name, meta, "spec: {tls: [{secretName: made}]}"),
			object("v1", "Secret", one("made", "creds", "own"), "", "data: {a: b}"),
		))
	}
	seen := map[model.Ref]bool{}
	return slices.DeleteFunc(objects(t, manifests...), func(o model.Object) bool {
		again := seen[o.Ref]
		seen[o.Ref] = true
		return again
	})
}

// concern tells, in the crudest way, whether an object mounts something of Azure or uses the Secret of a class.
func concern(o model.Object) bool {
	text, _ := json.Marshal(o.Content)
	for _, part := range []string{`"secretProviderClass":"app"`, `"secretProviderClass":"two"`, `"secretProviderClass":"gone"`, `"name":"made"}`, `"secretName":"made"}]`} {
		if strings.Contains(string(text), part) && o.Kind != "Secret" && o.Kind != "SecretProviderClass" {
			return true
		}
	}
	return false
}

// TestNothingIsLost: every object that mounts or uses is in the survey exactly once, itself or by the object on top of it; every
// class is in one list; the order of the input does not matter; and the report's sums match.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	const seed = 5
	r := rand.New(rand.NewPCG(seed, seed))
	for round := range 200 {
		input := cluster(t, r)
		survey := inventory.Survey(model.Snapshot{Objects: input}, model.Options{})
		shuffled := slices.Clone(input)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(survey, inventory.Survey(model.Snapshot{Objects: shuffled}, model.Options{})); diff != "" {
			t.Fatalf("round %d: the order of the input matters: -sorted +shuffled:\n%s", round, diff)
		}
		listed := map[model.Ref]int{}
		for _, o := range model.NewReport(survey, model.Options{}, model.Plan{}).Objects {
			listed[o.Ref]++
		}
		for ref, times := range listed {
			if times != 1 {
				t.Fatalf("round %d: %s is listed %d times", round, ref, times)
			}
		}
		byRef := map[model.Ref]model.Object{}
		for _, o := range input {
			byRef[o.Ref] = o
			if o.Kind == "SecretProviderClass" && listed[o.Ref] != 1 {
				t.Fatalf("round %d: %s is not listed", round, o.Ref)
			}
		}
		for _, o := range input {
			if concern(o) && !accounted(o, byRef, listed) {
				all, _ := json.MarshalIndent(input, "", " ")
				t.Fatalf("round %d: neither %s nor what owns it is listed in\n%s", round, o.Ref, all)
			}
		}
	}
}

// accounted tells whether an object or one of its owners is listed. What an owner with a template keeps is as good as the
// owner, whatever it holds: a stale revision of a Deployment mounts nothing if no pod is left of it.
func accounted(o model.Object, byRef map[model.Ref]model.Object, listed map[model.Ref]int) bool {
	for range 20 {
		if listed[o.Ref] > 0 {
			return true
		}
		owners, _ := model.Path{"metadata", "ownerReferences", 0}.Get(o.Content)
		owner, _ := owners.(map[string]any)
		if owner == nil {
			return false
		}
		kind, _ := owner["kind"].(string)
		name, _ := owner["name"].(string)
		version, _ := owner["apiVersion"].(string)
		above, found := byRef[model.Ref{APIVersion: version, Kind: kind, Namespace: "shop", Name: name}]
		if !found {
			return false
		}
		if o.Kind != "Pod" && o.Kind != "Ingress" {
			return true
		}
		o = above
	}
	return true // a circle of owners: garbage
}

// FuzzSurvey: whatever the content, it does not panic, every class is accounted for, and the order does not matter.
func FuzzSurvey(f *testing.F) {
	f.Add(`[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"template":{"spec":{"volumes":[{"csi":{"driver":"secrets-store.csi.k8s.io"}}]}}}}]`)
	f.Add(`[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"a","controller":true}]},"spec":[]},7,null]`)
	f.Add(`[{"apiVersion":"secrets-store.csi.x-k8s.io/v1","kind":"SecretProviderClass","metadata":{"name":"${X}"},"spec":{"provider":"azure","parameters":{"objects":"${","tenantID":"${A}${B}"},"secretObjects":[1,{"data":{}}]}}]`)
	f.Add(`[{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":7,"spec":{"template":{"spec":{"containers":[{"image":"@:/","args":["--provider-volume","-="],"env":[{"name":"HTTPS_PROXY","value":"@@:%"}]}]}}}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var documents []any
		if json.Unmarshal([]byte(text), &documents) != nil {
			return // a survey is made of objects
		}
		for _, folder := range []string{"", "manifests"} {
			s := model.Snapshot{Input: model.Input{Folder: folder}}
			classes := 0
			for i, document := range documents {
				content, _ := document.(map[string]any)
				o := model.Object{Content: content, Place: model.Place{File: "f", Document: i}, Partial: i%3 == 2}
				o.APIVersion, _ = content["apiVersion"].(string)
				o.Kind, _ = content["kind"].(string)
				name, _ := model.Path{"metadata", "name"}.Get(content)
				o.Name, _ = name.(string)
				if o.Kind == "SecretProviderClass" && o.Group() == "secrets-store.csi.x-k8s.io" {
					classes++
				}
				s.Objects = append(s.Objects, o)
			}
			first := inventory.Survey(s, model.Options{})
			others := 0
			for _, o := range s.Objects {
				for _, ref := range first.Others {
					if o.Ref == ref && !slices.ContainsFunc(first.Classes, func(c model.Class) bool { return cmp.Equal(c.Object, o) }) {
						others++
					}
				}
			}
			if len(first.Classes)+others != classes {
				t.Errorf("%d classes, of them %d of Azure and %d others", classes, len(first.Classes), others)
			}
			slices.Reverse(s.Objects)
			if diff := cmp.Diff(first, inventory.Survey(s, model.Options{})); diff != "" {
				t.Errorf("the order matters: %s", diff)
			}
		}
	})
}
