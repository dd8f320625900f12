package workloads_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/workloads"
)

// A patch that is held keeps the base back only if it says something of the base's volumes; and a held base keeps its patches.
func TestHeldElsewhere(t *testing.T) {
	app := class("app", "a")
	app.Syncs = []model.Sync{{Old: "db", New: "db"}}
	answers := map[string]string{"M504/shop/web/Deployment/v": "remove"}
	reading := strings.Replace(mounting, "{name: web,", "{name: web, envFrom: [{secretRef: {name: db}}],", 1)
	s := surveyed(workload(t, "Deployment", "", reading))
	overlay(t, &s, "{containers: [{name: side, volumeMounts: [{name: v, mountPath: /v}]}], volumes: ["+csi("w", "app")+"]}")
	s.Workloads[1].Held = true
	if got := ids(workloads.Plan(s, []model.Translation{app}, zeroDowntime(answers))); got != "edit/deployment/shop/web check/csi-volumes" {
		t.Errorf("patch held: %s", got)
	}
	s.Workloads[0].Held, s.Workloads[1].Held = true, false
	p := workloads.Plan(s, []model.Translation{app}, zeroDowntime(answers))
	for _, e := range change(t, p, "workloads/edit/deployment//web@overlay.yaml:1").Edits {
		if strings.Contains(e.Path.String(), "volumeMounts") {
			t.Errorf("the base keeps its volume, but a patch loses its mount: %s", e.Path)
		}
	}
}

// A volume that goes from the base goes from a patch even where that names another class; one that a patch adds for nobody goes.
func TestPatchesOfNothing(t *testing.T) {
	app, empty := class("app", "a"), class("empty")
	s := surveyed(workload(t, "Deployment", "", "volumes: ["+csi("v", "app")+"]"))
	patch := overlay(t, &s, "volumes: [{name: v, csi: {volumeAttributes: {secretProviderClass: other}}}, "+csi("w", "empty")+", "+csi("x", "aws")+"]")
	s.Others = []model.Ref{{Kind: "SecretProviderClass", Namespace: "shop", Name: "aws"}}
	p := workloads.Plan(s, []model.Translation{app, empty, class("other", "x")}, zeroDowntime(nil))
	got := patched(t, patch, change(t, p, "workloads/edit/deployment//web@overlay.yaml:1").Edits)
	spec, _ := podSpec("Deployment").Get(got)
	if diff := cmp.Diff(any(read(t, "volumes: ["+csi("x", "aws")+"]")), spec); diff != "" || strings.Contains(codes(p), "M501") {
		t.Errorf("patch, codes %s (-want +got):\n%s", codes(p), diff)
	}
}

// What is said once, and edited once, however often a Secret is read.
func TestOnce(t *testing.T) {
	app := class("app", "a")
	app.Syncs = []model.Sync{{Old: "db", New: "db-2"}}
	content := workload(t, "Deployment", "", "containers: [{name: c, envFrom: [{secretRef: {name: db}}]}, {name: d, envFrom: [{secretRef: {name: db}}]}]")
	s := surveyed(content)
	s.Workloads[0].Uses = append(s.Workloads[0].Uses, s.Workloads[0].Uses...)
	s.Classes = []model.Class{{Object: model.Object{Ref: app.Class}, SecretObjects: []model.SecretObject{{Name: "db"}}}}
	c := change(t, workloads.Plan(s, []model.Translation{app}, zeroDowntime(nil)), "workloads/edit/deployment/shop/web")
	if patched(t, content, c.Edits); len(c.Edits) != 2 {
		t.Errorf("edits %v", edited(c))
	}
	app.Ready = false
	if p := workloads.Plan(s, []model.Translation{app}, zeroDowntime(nil)); len(p.Findings) != 1 || len(p.Changes) > 0 {
		t.Errorf("findings %v, changes %s", p.Findings, ids(p))
	}
}

// Reloader: a volume that goes is not watched, a class that nobody mounts is by all its Secrets, a list without ours stays as
// it is written.
func TestReloaderCorners(t *testing.T) {
	const spc, sec = "secretproviderclass.reloader.stakater.com/reload", "secret.reloader.stakater.com/reload"
	app, far := class("app", "a"), class("far", "x")
	app.Syncs, far.Syncs = []model.Sync{{Old: "db", New: "db"}}, []model.Sync{{Old: "s", New: "s"}}
	for before, want := range map[string]map[string]any{
		"app":      {sec: "db"},
		"far":      {sec: "far-files,s"},
		"aws , x,": {spc: "aws , x,"},
	} {
		content := workload(t, "Deployment", "", strings.Replace(mounting, "{name: web,", "{name: web, envFrom: [{secretRef: {name: db}}],", 1))
		content["metadata"].(map[string]any)["annotations"] = map[string]any{spc: before}
		p := workloads.Plan(surveyed(content), []model.Translation{app, far}, zeroDowntime(map[string]string{"M504/shop/web/Deployment/v": "remove"}))
		got, _ := model.Path{"metadata", "annotations"}.Get(patched(t, content, change(t, p, "workloads/edit/deployment/shop/web").Edits))
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", before, diff)
		}
	}
}

// What a step says, where it depends on the workload.
func TestWords(t *testing.T) {
	ts := []model.Translation{class("app", "a")}
	one := func(kind, spec string) model.Plan {
		return workloads.Plan(surveyed(workload(t, kind, spec, mounting)), ts, zeroDowntime(map[string]string{"M515/shop/web/Job": "new"}))
	}
	for want, got := range map[string]string{
		"Its strategy is Recreate": one("Deployment", "{strategy: {type: Recreate}}").Changes[0].Risk,
		"It has one pod":           one("StatefulSet", "{replicas: 1}").Changes[0].Risk,
		"stays where it is":        one("StatefulSet", "{replicas: 2}").Changes[0].Risk,
		"--selector a=1,b=2 --namespace shop": strings.Join(one("ReplicaSet", "{selector: {matchLabels: {b: '2', a: '1'}}}").Changes[1].Command,
			" "),
		"kubectl get pods --namespace shop": strings.Join(
			one("ReplicaSet", "{selector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: Exists}]}}").Changes[1].Command, " "),
		"Secret shop/app-files is there": strings.Join(one("Deployment", "").Changes[0].Needs, ";"),
		"It is suspended":                one("CronJob", "{suspend: true}").Findings[0].Message,
		"web-trial":                      one("CronJob", "").Changes[0].Risk,
		// which tells, of pods that a person replaces, whether that is done
		"unmounted [SecretProviderClass shop/app]": fmt.Sprint(one("ReplicaSet", "").Changes[1].Gate.Kind, " ", one("ReplicaSet", "").Changes[1].Gate.Objects),
		"step before": strings.Join(one("DaemonSet", "{updateStrategy: {type: OnDelete}}").Changes[1].Needs, ";"),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	long := surveyed(workload(t, "Job", "", mounting))
	long.Workloads[0].Object.Name = strings.Repeat("j", 58) + "-longer"
	p := workloads.Plan(long, ts, zeroDowntime(map[string]string{"M515/shop/" + long.Workloads[0].Object.Name + "/Job": "new"}))
	if name := p.Changes[1].Object.Name; name != strings.Repeat("j", 58)+"-sse" {
		t.Errorf("the new Job's name: %s", name)
	}
}

// A question that stage inventory has put is not put again; a pod of somebody else's is left to them; two documents of one
// object are two changes; a mirror that has no volume is of no concern.
func TestOnceAsked(t *testing.T) {
	ts := []model.Translation{class("app", "a")}
	s := surveyed(workload(t, "Rollout", "", mounting))
	s.Decisions = []model.Decision{{Object: s.Workloads[0].Object.Ref, Answer: "edit"}}
	if p := workloads.Plan(s, ts, zeroDowntime(nil)); len(p.Decisions) > 0 || ids(p) != "edit/rollout/shop/web check/csi-volumes" {
		t.Errorf("decisions %v, changes %s", p.Decisions, ids(p))
	}
	s = surveyed(workload(t, "Pod", "", mounting))
	s.Workloads[0].Manager = "Flux"
	if p := workloads.Plan(s, ts, zeroDowntime(nil)); !strings.Contains(p.Changes[0].ByHand, "Flux") {
		t.Errorf("by hand: %s", p.Changes[0].ByHand)
	}
	s = surveyed(workload(t, "Deployment", "", mounting), workload(t, "Deployment", "", mounting))
	s.Workloads[1].Object.Place = model.Place{File: "b.yaml", Line: 3}
	if got := ids(workloads.Plan(s, ts, zeroDowntime(nil))); got != "edit/deployment/shop/web edit/deployment/shop/web@b.yaml:3 check/csi-volumes" {
		t.Errorf("changes %s", got)
	}
	s = surveyed(workload(t, "Pod", "", "containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]"))
	s.Workloads[0].Static = true
	if p := workloads.Plan(s, ts, zeroDowntime(nil)); len(p.Findings) > 0 {
		t.Errorf("findings %v", p.Findings)
	}
}

// What is said only where it holds: modes that change, rotation that was off, a keeper that reads nothing itself.
func TestSaidWhereItHolds(t *testing.T) {
	app, wide, narrow := class("app", "a", "b"), int32(0o644), int32(0o600)
	app.Files[0].Mode, app.Files[1].Mode = &wide, &narrow
	app.Syncs = []model.Sync{{Old: "db", New: "db"}}
	s := surveyed(
		workload(t, "Deployment", "", "securityContext: {fsGroup: 1}\n"+strings.Replace(mounting, "{name: web,", "{name: web, envFrom: [{secretRef: {name: db}}],", 1)),
		workload(t, "DaemonSet", "", "containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]"),
	)
	s.Installed.Settings = map[string]string{"rotation": "false"}
	p := workloads.Plan(s, []model.Translation{app}, zeroDowntime(nil))
	if diff := cmp.Diff("M504 M505 M508", codes(p)); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	for _, f := range p.Findings {
		if f.Code == "M505" && !strings.HasSuffix(f.Message, ": b 0600 becomes 0640.") {
			t.Errorf("modes: %s", f.Message)
		}
	}
}
