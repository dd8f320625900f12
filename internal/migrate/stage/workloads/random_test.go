package workloads_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/workloads"
)

// chance makes random workloads.
type chance struct{ *rand.Rand }

func (c chance) one(of ...string) string { return of[c.IntN(len(of))] }

func (c chance) pod() string {
	var volumes, names []string
	for i := range c.IntN(5) {
		name := fmt.Sprintf("v%d", i)
		names = append(names, name)
		volumes = append(volumes, c.one(csi(name, "app"), csi(name, "split"), csi(name, "aws-x"), csi(name, "waiting"),
			"{name: "+name+", emptyDir: {}}", "{name: "+name+", secret: {secretName: old}}"))
	}
	containers := func() string {
		var list []string
		for i := range c.IntN(3) {
			var mounts, env []string
			for range c.IntN(4) {
				if len(names) > 0 {
					mounts = append(mounts, "{name: "+c.one(names...)+", mountPath: /"+c.one("a", "b")+c.one("", ", subPath: s")+"}")
				}
			}
			for range c.IntN(3) {
				env = append(env, "{name: E, valueFrom: {secretKeyRef: {name: "+c.one("db", "old", "foreign")+", key: "+c.one("k", "l")+"}}}")
			}
			list = append(list, fmt.Sprintf("{name: c%d, env: [%s], envFrom: [{secretRef: {name: %s}}], volumeMounts: [%s]}",
				i, strings.Join(env, ", "), c.one("db", "old", "foreign"), strings.Join(mounts, ", ")))
		}
		return strings.Join(list, ", ")
	}
	return "initContainers: [" + containers() + "]\ncontainers: [" + containers() + "]\nvolumes: [" + strings.Join(volumes, ", ") + "]"
}

// normal is an object without what this stage may change: the driver's volumes and what took their place, mounts of volumes
// that are gone, and the names and keys of references.
func normal(t *testing.T, content map[string]any, kind string, volumes []string) map[string]any {
	t.Helper()
	edited := copied(t, content)
	at, _ := podSpec(kind).Get(edited)
	spec := at.(map[string]any)
	ours := func(v any) bool { return slices.Contains(volumes, word(v, "name")) }
	without := func(fields map[string]any, name string, unwanted func(any) bool) {
		if list := slices.DeleteFunc(items(fields, name), unwanted); len(list) > 0 {
			fields[name] = list
		} else {
			delete(fields, name)
		}
	}
	without(spec, "volumes", ours)
	for _, list := range []string{"initContainers", "containers"} {
		for _, c := range items(spec, list) {
			container := c.(map[string]any)
			without(container, "volumeMounts", ours)
			without(container, "env", func(v any) bool { return word(v, "valueFrom", "secretKeyRef", "name") != "foreign" })
			without(container, "envFrom", func(v any) bool { return word(v, "secretRef", "name") != "foreign" })
		}
	}
	for _, v := range items(spec, "volumes") {
		if secret, isMap := v.(map[string]any)["secret"].(map[string]any); isMap {
			secret["secretName"], secret["items"] = "", nil
		}
	}
	delete(edited["metadata"].(map[string]any), "annotations")
	return edited
}

// Whatever the workload: its edits can be applied one after the other, touch nothing but volumes, mounts and references, leave
// no volume of a class that is ready and no mount without its volume; and a second run has nothing to do.
func TestRandomWorkloads(t *testing.T) {
	app, split, waiting := class("app", "a"), class("split", "a", "b"), class("waiting", "a")
	split.Files[0].Secret, waiting.Ready = "split-files-2", false
	app.Syncs = []model.Sync{{Old: "db", New: "db"}, {Old: "old", New: "new", Keys: map[string]string{"k": "v0"}}}
	ts := []model.Translation{app, split, waiting}
	changed := 0
	for seed := range uint64(1000) {
		c := chance{rand.New(rand.NewPCG(seed, 5))}
		kind := c.one("Deployment", "CronJob", "Pod", "ReplicaSet", "Rollout")
		content := workload(t, kind, "", c.pod())
		content["metadata"].(map[string]any)["annotations"] = map[string]any{
			c.one("x", "secretproviderclass.reloader.stakater.com/reload"): c.one("app", "split,app", "other,app"),
			c.one("y", "secretproviderclass.reloader.stakater.com/auto"):   "true",
		}
		answers := map[string]string{"M519/shop/web/Rollout": "edit"}
		for i := range 5 {
			answers[fmt.Sprintf("M504/shop/web/%s/v%d", kind, i)] = c.one("keep", "remove", "")
		}
		s := surveyed(content)
		s.Classes = []model.Class{{Object: model.Object{Ref: app.Class}, SecretObjects: []model.SecretObject{
			{Name: "db", Data: []model.SecretKey{{Key: "k"}}}, {Name: "old", Data: []model.SecretKey{{Key: "k"}, {Key: "l"}}},
		}}}
		p := workloads.Plan(s, ts, zeroDowntime(answers))
		i := slices.IndexFunc(p.Changes, func(c model.Change) bool { return c.Verb == model.Edit })
		if i < 0 {
			continue
		}
		changed++
		got := patched(t, content, p.Changes[i].Edits)
		var ours []string
		for _, v := range s.Workloads[0].Volumes {
			ours = append(ours, v.Name)
		}
		if diff := cmp.Diff(normal(t, content, kind, ours), normal(t, got, kind, ours)); diff != "" {
			t.Fatalf("seed %d: more was changed (-before +after):\n%s", seed, diff)
		}
		again := surveyed(got)
		again.Classes = s.Classes
		for _, w := range again.Workloads {
			if len(w.Volumes) > 0 {
				t.Fatalf("seed %d: volumes are left: %v", seed, w.Volumes)
			}
		}
		if dangling := dangling(got, kind); dangling != "" {
			t.Fatalf("seed %d: a mount of %s, which is no volume:\n%s", seed, dangling, shown(t, got))
		}
		if p := workloads.Plan(again, ts, zeroDowntime(answers)); len(p.Changes) > 0 {
			t.Fatalf("seed %d: a second run changes %s: %v\n%s", seed, ids(p), edited(p.Changes[0]), shown(t, got))
		}
	}
	if changed < 300 {
		t.Errorf("only %d of the workloads were changed: they show little", changed)
	}
}

// dangling is the name of a mount that has no volume, empty if each has one.
func dangling(content map[string]any, kind string) string {
	spec, _ := podSpec(kind).Get(content)
	for _, list := range []string{"initContainers", "containers"} {
		for _, container := range items(spec, list) {
			for _, mount := range items(container, "volumeMounts") {
				has := func(v any) bool { return word(v, "name") == word(mount, "name") }
				if !slices.ContainsFunc(items(spec, "volumes"), has) {
					return word(mount, "name")
				}
			}
		}
	}
	return ""
}

// The same survey gives the same plan, whatever order maps have.
func TestSameTwice(t *testing.T) {
	c := chance{rand.New(rand.NewPCG(1, 1))}
	var contents []map[string]any
	for i := range 20 {
		content := workload(t, "Deployment", "", c.pod())
		content["metadata"].(map[string]any)["name"] = fmt.Sprintf("web-%d", i)
		contents = append(contents, content)
	}
	ts := []model.Translation{class("app", "a", "b", "c")}
	ts[0].Syncs = []model.Sync{{Old: "old", New: "new", Keys: map[string]string{"k": "v0", "l": "v1"}}}
	first := workloads.Plan(surveyed(contents...), ts, zeroDowntime(nil))
	for range 5 {
		if diff := cmp.Diff(first, workloads.Plan(surveyed(contents...), ts, zeroDowntime(nil))); diff != "" {
			t.Fatalf("a second time (-first +second):\n%s", diff)
		}
	}
}
