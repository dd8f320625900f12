package workloads_test

import (
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/workloads"
)

// Each trap of how pods are replaced, by the sentence that names it.
func TestKinds(t *testing.T) {
	tests := map[string]struct {
		reason     string
		kind, spec string
		answers    map[string]string
		changes    string
		codes      string
		command    string // of the first change
		undo       string // a part of the first change's
	}{
		"Deployment": {
			reason: "one rollout, not two: wait for it, and undo it", kind: "Deployment", changes: "edit/deployment/shop/web check/csi-volumes",
			codes: "M508", command: "kubectl rollout status deployment/web --namespace shop --timeout=10m",
			undo: "kubectl rollout undo deployment/web --namespace shop",
		},
		"StatefulSet": {
			reason: "the same for its kind", kind: "StatefulSet", changes: "edit/statefulset/shop/web check/csi-volumes", codes: "M508",
			command: "kubectl rollout status statefulset/web --namespace shop --timeout=10m", undo: "kubectl rollout undo statefulset/web",
		},
		"OnDelete": {
			reason: "OnDelete: nothing rolls, a person replaces pods", kind: "DaemonSet",
			spec:    "{updateStrategy: {type: OnDelete}, selector: {matchLabels: {b: '2', a: '1'}}}",
			changes: "edit/daemonset/shop/web run/daemonset/shop/web check/csi-volumes", codes: "M508 M511", undo: "kubectl rollout undo",
		},
		"Partition": {
			reason: "pods below the partition keep the old template", kind: "StatefulSet",
			spec:    "{updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}}",
			changes: "edit/statefulset/shop/web check/csi-volumes", codes: "M508 M512",
			command: "kubectl rollout status statefulset/web --namespace shop --timeout=10m", undo: "kubectl rollout undo",
		},
		"Paused": {
			reason: "a paused Deployment rolls nothing, and can be neither waited for nor undone by kubectl", kind: "Deployment", spec: "{paused: true}",
			changes: "edit/deployment/shop/web check/csi-volumes", codes: "M508 M513", undo: "Apply the saved copy",
		},
		"ReplicaSet": {
			reason: "a bare ReplicaSet does not replace its pods", kind: "ReplicaSet", spec: "{selector: {matchLabels: {a: b}}}",
			changes: "edit/replicaset/shop/web run/replicaset/shop/web check/csi-volumes", codes: "M508 M514", undo: "Apply the saved copy",
		},
		"ReplicationController": {
			reason: "nor does a ReplicationController", kind: "ReplicationController", spec: "{selector: {a: b}}",
			changes: "edit/replicationcontroller/shop/web run/replicationcontroller/shop/web check/csi-volumes", codes: "M508 M514", undo: "Apply",
		},
		"CronJob": {
			reason: "the template; running Jobs finish", kind: "CronJob", changes: "edit/cronjob/shop/web check/csi-volumes", codes: "M508 M516",
			undo: "Jobs made meanwhile",
		},
		"Job": {
			reason: "immutable: asked", kind: "Job", changes: "check/csi-volumes", codes: "M515",
		},
		"JobWait": {
			reason: "waiting changes nothing, and says so", kind: "Job", answers: map[string]string{"M515/shop/web/Job": "wait"},
			changes: "check/csi-volumes", codes: "M526",
		},
		"JobNew": {
			reason: "a new Job under a new name", kind: "Job", answers: map[string]string{"M515/shop/web/Job": "new"},
			changes: "delete/job/shop/web create/job/shop/web-sse check/csi-volumes", codes: "M508", undo: "begins anew",
		},
		"JobRecreate": {
			reason: "or under its own", kind: "Job", answers: map[string]string{"M515/shop/web/Job": "recreate"}, spec: "{suspend: true}",
			changes: "delete/job/shop/web create/job/shop/web check/csi-volumes", codes: "M508", undo: "begins anew",
		},
		"Pod": {
			reason: "a bare pod: the manifest is written, nothing is deleted unasked", kind: "Pod",
			changes: "edit/pod/shop/web check/csi-volumes", codes: "M508 M517", command: "kubectl delete pod web --namespace shop", undo: "Apply",
		},
		"PodRecreate": {
			reason: "delete and create on request", kind: "Pod", answers: map[string]string{"M517/shop/web/Pod": "recreate"},
			changes: "delete/pod/shop/web create/pod/shop/web check/csi-volumes", codes: "M508 M517", undo: "begins anew",
		},
		"Unknown": {
			reason: "an unknown kind needs a decision", kind: "Rollout", changes: "check/csi-volumes", codes: "M519",
		},
		"UnknownEdit": {
			reason: "answered `edit`: edits at the path", kind: "Rollout", answers: map[string]string{"M519/shop/web/Rollout": "edit"},
			changes: "edit/rollout/shop/web check/csi-volumes", codes: "M508", undo: "Apply",
		},
		"UnknownByHand": {
			reason: "answered `by-hand`: printed for a person", kind: "Rollout", answers: map[string]string{"M519/shop/web/Rollout": "by-hand"},
			changes: "edit/rollout/shop/web check/csi-volumes", codes: "M508 M526", undo: "Apply",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := workloads.Plan(surveyed(workload(t, tc.kind, tc.spec, mounting)), []model.Translation{class("app", "a")}, zeroDowntime(tc.answers))
			if diff := cmp.Diff(tc.changes, ids(p)); diff != "" {
				t.Errorf("%s: changes (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.codes, codes(p)); diff != "" {
				t.Errorf("%s: codes (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.command, strings.Join(p.Changes[0].Command, " ")); diff != "" && tc.undo != "" {
				t.Errorf("%s: command (-want +got):\n%s", tc.reason, diff)
			}
			if !strings.Contains(p.Changes[0].Undo, tc.undo) {
				t.Errorf("%s: undo %q", tc.reason, p.Changes[0].Undo)
			}
		})
	}
}

// What every change has, whatever its kind: a summary, a way back, what it needs; and no annotation that restarts pods.
func TestEveryChange(t *testing.T) {
	for _, kind := range append([]string{"Rollout"}, known...) {
		s := surveyed(workload(t, kind, "", mounting))
		answers := map[string]string{"M519/shop/web/Rollout": "edit", "M515/shop/web/Job": "new", "M517/shop/web/Pod": "recreate"}
		for _, c := range workloads.Plan(s, []model.Translation{class("app", "a")}, zeroDowntime(answers)).Changes {
			if c.Summary == "" || c.Undo == "" || c.Stage != model.Workloads || len(c.Needs) == 0 {
				t.Errorf("%s: %s lacks summary, undo, stage or needs: %+v", kind, c.ID, c)
			}
			for _, e := range c.Edits {
				if strings.Contains(e.Path.String(), "annotations") {
					t.Errorf("%s: %s edits %s", kind, c.ID, e.Path)
				}
			}
		}
	}
}

// A pod that is made anew has nothing of what the API server, the kubelet and controllers put into it.
func TestFreshPod(t *testing.T) {
	pod := read(t, `
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
  uid: u
  resourceVersion: "1"
  creationTimestamp: now
  labels: {app: web}
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
spec:
  nodeName: n
  containers:
  - name: web
    volumeMounts: [{name: v, mountPath: /mnt}, {name: kube-api-access-x, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]
  ephemeralContainers: [{name: debug, volumeMounts: [{name: v, mountPath: /mnt}]}]
  volumes: [`+csi("v", "app")+`, {name: kube-api-access-x, projected: {sources: []}}]
status: {phase: Running}
`)
	p := workloads.Plan(surveyed(pod), []model.Translation{class("app", "a")}, zeroDowntime(map[string]string{"M517/shop/web/Pod": "recreate"}))
	want := read(t, `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}]}]
  volumes: [{name: v, secret: {secretName: app-files, items: [{key: a, path: a}]}}]
`)
	if diff := cmp.Diff(want, change(t, p, "workloads/create/pod/shop/web").Content); diff != "" {
		t.Errorf("made anew (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("M508 M517 M520", codes(p)); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	if pod["status"] == nil {
		t.Error("the survey's own object was changed")
	}
}

// A Job that is made anew is not tied to the old one's pods, unless its author chose the selector.
func TestFreshJob(t *testing.T) {
	job := func(manual string) map[string]any {
		content := workload(t, "Job", `{selector: {matchLabels: {batch.kubernetes.io/controller-uid: u}}`+manual+`}`, mounting)
		content["spec"].(map[string]any)["template"].(map[string]any)["metadata"] = read(t,
			`{labels: {controller-uid: u, batch.kubernetes.io/controller-uid: u, job-name: web, batch.kubernetes.io/job-name: web, app: web}}`)
		return content
	}
	answers := map[string]string{"M515/shop/web/Job": "new"}
	ts := []model.Translation{class("app", "a")}
	c := change(t, workloads.Plan(surveyed(job("")), ts, zeroDowntime(answers)), "workloads/create/job/shop/web-sse")
	selector, _ := model.Path{"spec", "selector"}.Get(c.Content)
	labels, _ := model.Path{"spec", "template", "metadata", "labels"}.Get(c.Content)
	if diff := cmp.Diff([]any{nil, map[string]any{"app": "web"}, "web-sse"}, []any{selector, labels, word(c.Content, "metadata", "name")}); diff != "" {
		t.Errorf("selector, labels, name (-want +got):\n%s", diff)
	}
	c = change(t, workloads.Plan(surveyed(job(", manualSelector: true")), ts, zeroDowntime(answers)), "workloads/create/job/shop/web-sse")
	if _, found := (model.Path{"spec", "selector"}).Get(c.Content); !found {
		t.Error("a selector that its author chose is gone")
	}
}

// In a folder manifests are edited, also of what cannot be changed in a cluster; a new name is part of it.
func TestFolder(t *testing.T) {
	answers := map[string]string{"M515/shop/web/Job": "new", "M517/shop/web/Pod": "recreate"}
	for kind, want := range map[string][]string{
		"Job": {"remove spec.template.spec.volumes[0].csi", "add spec.template.spec.volumes[0].secret", "replace metadata.name"},
		"Pod": {"remove spec.volumes[0].csi", "add spec.volumes[0].secret"},
	} {
		s := surveyed(workload(t, kind, "", mounting))
		s.Input.Folder = "."
		c := workloads.Plan(s, []model.Translation{class("app", "a")}, zeroDowntime(answers)).Changes[0]
		if diff := cmp.Diff(want, edited(c)); diff != "" || c.Verb != model.Edit || c.ByHand != "" {
			t.Errorf("%s: %s by hand %q (-want +got):\n%s", kind, c.Verb, c.ByHand, diff)
		}
	}
}

// What is not to be planned, or by others.
func TestLeftAlone(t *testing.T) {
	ts := []model.Translation{class("app", "a")}
	only := func(change func(*model.Workload)) model.Survey {
		s := surveyed(workload(t, "Pod", "", mounting))
		change(&s.Workloads[0])
		return s
	}
	tests := map[string]struct {
		reason string
		survey model.Survey
		codes  string
	}{
		"Static": {reason: "static pods: blocked", survey: only(func(w *model.Workload) { w.Static = true }), codes: "M518"},
		"Held":   {reason: "inventory has said already why", survey: only(func(w *model.Workload) { w.Held = true })},
		"Ended": {reason: "a Job that has ended is left alone", codes: "M527", survey: func() model.Survey {
			content := workload(t, "Job", "", mounting)
			content["status"] = read(t, "{conditions: [{type: Suspended, status: 'True'}, {type: Failed, status: 'True'}]}")
			return surveyed(content)
		}()},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := workloads.Plan(tc.survey, ts, zeroDowntime(nil))
			if ids(p) != "check/csi-volumes" || codes(p) != tc.codes || len(p.Decisions) > 0 {
				t.Errorf("%s: changes %s, codes %s, decisions %v", tc.reason, ids(p), codes(p), p.Decisions)
			}
		})
	}
}

// Objects that something else deploys are planned, and left to it; in a folder, and by force, they are not.
func TestManaged(t *testing.T) {
	ts := []model.Translation{class("app", "a")}
	tests := map[string]struct {
		change func(*model.Survey, *model.Options)
		byHand bool
	}{
		"Live":   {change: func(*model.Survey, *model.Options) {}, byHand: true},
		"Forced": {change: func(_ *model.Survey, o *model.Options) { o.ForceLive = true }},
		"Folder": {change: func(s *model.Survey, _ *model.Options) { s.Input.Folder = "." }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s, o := surveyed(workload(t, "Deployment", "", mounting)), zeroDowntime(nil)
			s.Workloads[0].Manager = "Flux"
			tc.change(&s, &o)
			p := workloads.Plan(s, ts, o)
			c := change(t, p, "workloads/edit/deployment/shop/web")
			if (c.ByHand != "") != tc.byHand || strings.Contains(codes(p), "M510") != tc.byHand || len(c.Edits) != 2 {
				t.Errorf("by hand %q, codes %s, edits %v", c.ByHand, codes(p), edited(c))
			}
		})
	}
}

// The gate stands under zero downtime only, and as long as there is a volume; the pace is told where files followed before.
func TestGate(t *testing.T) {
	s := surveyed(workload(t, "Deployment", "", mounting))
	ts := []model.Translation{class("app", "a")}
	if got := ids(workloads.Plan(s, ts, model.Options{Strategy: model.Guide})); got != "edit/deployment/shop/web" {
		t.Errorf("guide: %s", got)
	}
	if p := workloads.Plan(model.Survey{}, ts, zeroDowntime(nil)); len(p.Changes)+len(p.Findings) > 0 {
		t.Errorf("nothing to do: %+v", p)
	}
	s.Installed.Settings = map[string]string{"rotation": "true", "rotationPollInterval": "30m"}
	p := workloads.Plan(s, ts, zeroDowntime(nil))
	if codes(p) != "M528" || !strings.Contains(p.Findings[0].Message, "30m") {
		t.Errorf("rotation was on: %v", p.Findings)
	}
	gate := change(t, p, "workloads/check/csi-volumes")
	look := template.Must(template.New("").Parse(strings.TrimPrefix(gate.Command[len(gate.Command)-1], "go-template=")))
	var out strings.Builder
	pods := map[string]any{"items": []any{workload(t, "Pod", "", mounting), workload(t, "Pod", "", "{volumes: [{name: v, csi: {driver: nfs}}, {name: w}]}")}}
	if err := look.Execute(&out, pods); err != nil || out.String() != "shop/web app\n" {
		t.Errorf("the gate sees %q, error %v", out.String(), err)
	}
	if gate.Verb != model.Check || gate.Order <= p.Changes[0].Order || gate.Order >= model.OrderHandOver {
		t.Errorf("the gate is not between workloads and hand-over: %+v", gate)
	}
}
