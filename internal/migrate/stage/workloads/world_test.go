package workloads_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"secretstore/internal/migrate/model"
)

// read makes an object of YAML, with the types that a Snapshot has.
func read(t *testing.T, text string) map[string]any {
	t.Helper()
	var content map[string]any
	if err := yaml.Unmarshal([]byte(text), &content); err != nil {
		t.Fatalf("reading %s: %v", text, err)
	}
	return whole(content).(map[string]any)
}

// whole makes numbers int64, as the reader does.
func whole(v any) any {
	switch at := v.(type) {
	case map[string]any:
		for name, value := range at {
			at[name] = whole(value)
		}
	case []any:
		for i, value := range at {
			at[i] = whole(value)
		}
	case float64:
		return int64(at)
	}
	return v
}

// shown is an object as YAML, the same for equal ones.
func shown(t *testing.T, content map[string]any) string {
	t.Helper()
	text, err := yaml.Marshal(content)
	if err != nil {
		t.Fatalf("writing: %v", err)
	}
	return string(text)
}

// podSpec is where a kind holds its pod's spec.
func podSpec(kind string) model.Path {
	switch kind {
	case "Pod":
		return model.Path{"spec"}
	case "CronJob":
		return model.Path{"spec", "jobTemplate", "spec", "template", "spec"}
	default:
		return model.Path{"spec", "template", "spec"}
	}
}

// known are the kinds of Kubernetes' own with a template.
var known = []string{"Pod", "CronJob", "Job", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"}

// surveyed is a small model of stage inventory: it sees what the tests' objects hold.
func surveyed(contents ...map[string]any) model.Survey {
	var s model.Survey
	for _, content := range contents {
		str := func(path ...any) string { v, _ := model.Path(path).Get(content); s, _ := v.(string); return s }
		object := model.Object{Content: content, Ref: model.Ref{
			APIVersion: str("apiVersion"), Kind: str("kind"), Namespace: str("metadata", "namespace"), Name: str("metadata", "name"),
		}}
		switch object.Kind {
		case "Ingress":
			s.Readers = append(s.Readers, model.Reader{Object: object, Uses: []model.Use{
				{Secret: str("spec", "tls", 0, "secretName"), How: "tls", Path: model.Path{"spec", "tls", 0, "secretName"}},
			}})
		default:
			w := model.Workload{Object: object, PodSpec: podSpec(object.Kind), Unknown: !slices.Contains(known, object.Kind)}
			seePod(&w)
			if len(w.Volumes)+len(w.Uses) > 0 {
				s.Workloads = append(s.Workloads, w)
			}
		}
	}
	return s
}

// items lists what a path leads to.
func items(v any, path ...any) []any {
	value, _ := model.Path(path).Get(v)
	list, _ := value.([]any)
	return list
}

// word is the text that a path leads to.
func word(v any, path ...any) string {
	value, _ := model.Path(path).Get(v)
	s, _ := value.(string)
	return s
}

// seePod fills in the volumes and references of a workload.
func seePod(w *model.Workload) {
	spec, _ := w.PodSpec.Get(w.Object.Content)
	for i, volume := range items(spec, "volumes") {
		at := w.PodSpec.Of("volumes", i)
		if secret := word(volume, "secret", "secretName"); secret != "" {
			w.Uses = append(w.Uses, model.Use{Secret: secret, How: "volume", Path: at.Of("secret")})
		}
		for j, source := range items(volume, "projected", "sources") {
			w.Uses = append(w.Uses, model.Use{Secret: word(source, "secret", "name"), How: "projected", Path: at.Of("projected", "sources", j, "secret")})
		}
		class := word(volume, "csi", "volumeAttributes", "secretProviderClass")
		if word(volume, "csi", "driver") == model.Driver && !strings.HasPrefix(class, "aws-") {
			w.Volumes = append(w.Volumes, model.Volume{
				Name: word(volume, "name"), Path: at, Class: class, Credential: word(volume, "csi", "nodePublishSecretRef", "name"),
			})
		}
	}
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers"} {
		for i, container := range items(spec, list) {
			seeContainer(w, container, list, w.PodSpec.Of(list, i))
		}
	}
}

func seeContainer(w *model.Workload, container any, list string, at model.Path) {
	for j, mount := range items(container, "volumeMounts") {
		for k := range w.Volumes {
			if v := &w.Volumes[k]; v.Name == word(mount, "name") {
				v.Mounts = append(v.Mounts, model.Mount{
					Container: word(container, "name"), List: list, Path: at.Of("volumeMounts", j),
					MountPath: word(mount, "mountPath"), SubPath: word(mount, "subPath"),
				})
			}
		}
	}
	for j, env := range items(container, "env") {
		if ref := word(env, "valueFrom", "secretKeyRef", "name"); ref != "" {
			w.Uses = append(w.Uses, model.Use{Secret: ref, How: "env", Path: at.Of("env", j, "valueFrom", "secretKeyRef")})
		}
	}
	for j, env := range items(container, "envFrom") {
		if ref := word(env, "secretRef", "name"); ref != "" {
			w.Uses = append(w.Uses, model.Use{Secret: ref, How: "envFrom", Path: at.Of("envFrom", j, "secretRef")})
		}
	}
}

// copied is a copy of an object.
func copied(t *testing.T, content map[string]any) map[string]any {
	t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatalf("copying: %v", err)
	}
	var c map[string]any
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatalf("copying: %v", err)
	}
	return whole(c).(map[string]any)
}

// patched applies edits as RFC 6902 says, but for its pointers: it fails where a JSON patch would, and where Was is not there.
func patched(t *testing.T, content map[string]any, edits []model.FieldEdit) map[string]any {
	t.Helper()
	var doc any = copied(t, content)
	for _, e := range edits {
		edited, err := step(doc, e.Path, e)
		if err != nil {
			t.Fatalf("%s %s: %v", e.Op, e.Path, err)
		}
		doc = edited
	}
	return doc.(map[string]any)
}

func step(v any, path model.Path, e model.FieldEdit) (any, error) {
	switch at := v.(type) {
	case map[string]any:
		name := path[0].(string)
		old, exists := at[name]
		if len(path) > 1 {
			if !exists {
				return nil, fmt.Errorf("%s is missing", name)
			}
			below, err := step(old, path[1:], e)
			at[name] = below
			return at, err
		}
		if err := check(old, exists, e); err != nil {
			return nil, err
		}
		if at[name] = e.Value; e.Op == model.OpRemove {
			delete(at, name)
		}
		return at, nil
	case []any:
		i := path[0].(int)
		last := len(at) - 1
		if len(path) == 1 && e.Op == model.OpAdd {
			last++
		}
		if i > last {
			return nil, fmt.Errorf("place %d is past the end", i)
		}
		if len(path) > 1 {
			below, err := step(at[i], path[1:], e)
			at[i] = below
			return at, err
		}
		if e.Op == model.OpAdd {
			return slices.Insert(at, i, e.Value), nil
		}
		if err := check(at[i], true, e); err != nil {
			return nil, err
		}
		if e.Op == model.OpRemove {
			return slices.Delete(at, i, i+1), nil
		}
		at[i] = e.Value
		return at, nil
	default:
		return nil, fmt.Errorf("%v is neither a map nor a list", v)
	}
}

// check is the guard: what is replaced or removed is what the edit says. An edit that adds must not replace by accident.
func check(old any, exists bool, e model.FieldEdit) error {
	a, _ := json.Marshal(old)
	b, _ := json.Marshal(e.Was)
	switch {
	case e.Op == model.OpAdd && exists:
		return fmt.Errorf("there is %s already", a)
	case e.Op != model.OpAdd && (!exists || !bytes.Equal(a, b)):
		return fmt.Errorf("there is %s, not %s", a, b)
	}
	return nil
}

// class is a translation of a class whose files are the keys of Secret `<name>-files`.
func class(name string, files ...string) model.Translation {
	t := model.Translation{Class: model.Ref{Namespace: "shop", Name: name}, NewClass: name + "-sse", Ready: true}
	for _, f := range files {
		t.Files = append(t.Files, model.File{Name: f, Secret: name + "-files", Key: strings.ReplaceAll(f, "/", ".")})
	}
	return t
}

// zeroDowntime are the default options with answers by their decisions' IDs.
func zeroDowntime(answers map[string]string) model.Options {
	return model.Options{Strategy: model.ZeroDowntime, Decisions: answers}
}

// codes are the codes of findings, sorted, each once.
func codes(p model.Plan) string {
	seen := map[string]bool{}
	for _, f := range p.Findings {
		seen[string(f.Code)] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), " ")
}

// change is the one change with an ID.
func change(t *testing.T, p model.Plan, id string) model.Change {
	t.Helper()
	for _, c := range p.Changes {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("no change %s in %s", id, ids(p))
	return model.Change{}
}

// ids are the IDs of a plan's changes, in the order in which they are done.
func ids(p model.Plan) string {
	var list []string
	changes := slices.Clone(p.Changes)
	slices.SortStableFunc(changes, func(a, b model.Change) int { return cmp.Compare(a.Order, b.Order) })
	for _, c := range changes {
		list = append(list, strings.TrimPrefix(c.ID, "workloads/"))
	}
	return strings.Join(list, " ")
}
