package workloads_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/workloads"
)

// overlay adds a patch of Deployment web to a survey. Its namespace is unknown, as a patch's is.
func overlay(t *testing.T, s *model.Survey, pod string) map[string]any {
	t.Helper()
	content := workload(t, "Deployment", "", pod)
	delete(content["metadata"].(map[string]any), "namespace")
	patch := surveyed(content)
	if len(patch.Workloads) == 0 { // as inventory lists it: for what it says of credentials, or of mounts
		patch.Workloads = []model.Workload{{PodSpec: podSpec("Deployment"), Object: model.Object{
			Ref: model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, Content: content,
		}}}
	}
	patch.Workloads[0].Object.Partial = true
	patch.Workloads[0].Object.Place = model.Place{File: "overlay.yaml", Line: 1}
	s.Workloads = append(s.Workloads, patch.Workloads[0])
	return content
}

// What a patch says of a volume changes with its base: merged, the two must not have two sources.
func TestPatches(t *testing.T) {
	app, other, split := class("app", "a"), class("other", "x"), class("split", "a", "b")
	split.Files[1].Secret = "split-files-2"
	waiting := class("waiting", "a")
	waiting.Ready = false
	ts := []model.Translation{app, other, split, waiting}
	credentials := "volumes: [{name: v, csi: {nodePublishSecretRef: {name: staging}}}]"
	tests := map[string]struct {
		reason      string
		base, patch string
		want        string // the patch afterwards; the base is changed in any case, unless held
		held        bool
		codes       string
	}{
		"Credentials": {
			reason: "credentials for the base's volume mean nothing any more", base: mounting, patch: credentials, want: "{}", codes: "M508",
		},
		"Beside": {
			reason: "what the patch says of other volumes stays", base: mounting,
			patch: "volumes: [{name: tmp, emptyDir: {}}, {name: v, csi: {nodePublishSecretRef: {name: staging}}}, {name: nfs, csi: {driver: nfs}}]",
			want:  "volumes: [{name: tmp, emptyDir: {}}, {name: nfs, csi: {driver: nfs}}]", codes: "M508",
		},
		"Class": {
			reason: "another class in the base's volume: another Secret in its place; lists of items replace each other", base: mounting,
			patch: "volumes: [{name: v, csi: {volumeAttributes: {secretProviderClass: other}}}]",
			want:  "volumes: [{name: v, secret: {secretName: other-files, items: [{key: x, path: x}]}}]", codes: "M508",
		},
		"Source": {
			reason: "another kind of source takes the base's away by null", base: mounting,
			patch: "volumes: [{name: v, csi: {volumeAttributes: {secretProviderClass: split}}}]",
			want: `volumes: [{name: v, secret: null, projected: {sources: [
  {secret: {name: split-files, items: [{key: a, path: a}]}}, {secret: {name: split-files-2, items: [{key: b, path: b}]}}]}}]`, codes: "M508",
		},
		"Added": {
			reason: "a volume that the patch adds is like any other", base: mounting,
			patch: "{containers: [{name: web, volumeMounts: [{name: w, mountPath: /w}]}], volumes: [" + csi("w", "other") + "]}",
			want: `{containers: [{name: web, volumeMounts: [{name: w, mountPath: /w}]}],
  volumes: [{name: w, secret: {secretName: other-files, items: [{key: x, path: x}]}}]}`, codes: "M508",
		},
		"AddedWaits": {
			reason: "what waits is left, what is merged into the base is not", base: mounting,
			patch: "volumes: [{name: v, csi: {nodePublishSecretRef: {name: staging}}}, " + csi("w", "waiting") + "]",
			want:  "volumes: [" + csi("w", "waiting") + "]", codes: "M502 M508",
		},
		"BothWait": {
			reason: "a patch that puts a class that waits into the base's volume keeps the base back", base: mounting, held: true,
			patch: "volumes: [{name: v, csi: {volumeAttributes: {secretProviderClass: waiting}}}]",
			want:  "volumes: [{name: v, csi: {volumeAttributes: {secretProviderClass: waiting}}}]", codes: "M502",
		},
		"Mounted": {
			reason: "a volume that only the patch mounts is mounted", base: "volumes: [" + csi("v", "app") + "]",
			patch: "containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}]}]",
			want:  "containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}]}]", codes: "M508",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := surveyed(workload(t, "Deployment", "", tc.base))
			s.Input.Folder = "."
			got := overlay(t, &s, tc.patch)
			p := workloads.Plan(s, ts, zeroDowntime(nil))
			changed := 0
			for _, c := range p.Changes {
				switch c.ID {
				case "workloads/edit/deployment//web@overlay.yaml:1":
					got = patched(t, got, c.Edits)
				case "workloads/edit/deployment/shop/web":
					changed++
				}
			}
			want := workload(t, "Deployment", "", tc.want)
			delete(want["metadata"].(map[string]any), "namespace")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.codes, codes(p)); diff != "" || (changed == 0) != tc.held {
				t.Errorf("%s: base changed %d times, codes (-want +got):\n%s", tc.reason, changed, diff)
			}
		})
	}
}

// A volume that goes from the base goes from its patches, mounts and all.
func TestPatchOfRemoved(t *testing.T) {
	app := class("app", "a")
	app.Syncs = []model.Sync{{Old: "db", New: "db"}}
	s := surveyed(workload(t, "Deployment", "", `
containers: [{name: web, envFrom: [{secretRef: {name: db}}], volumeMounts: [{name: v, mountPath: /mnt}]}]
volumes: [`+csi("v", "app")+`]
`))
	patch := overlay(t, &s, `
containers: [{name: side, volumeMounts: [{name: v, mountPath: /mnt}]}]
volumes: [{name: v, csi: {nodePublishSecretRef: {name: staging}}}]
`)
	p := workloads.Plan(s, []model.Translation{app}, zeroDowntime(map[string]string{"M504/shop/web/Deployment/v": "remove"}))
	got := patched(t, patch, change(t, p, "workloads/edit/deployment//web@overlay.yaml:1").Edits)
	spec, _ := podSpec("Deployment").Get(got)
	if diff := cmp.Diff(any(read(t, "containers: [{name: side}]")), spec); diff != "" {
		t.Errorf("the patch (-want +got):\n%s", diff)
	}
}

// Without its base a patch that means the driver cannot be understood; one that names a class can, and takes the base's source
// away, if there is one.
func TestPatchWithoutBase(t *testing.T) {
	var s model.Survey
	overlay(t, &s, "volumes: [{name: v, csi: {nodePublishSecretRef: {name: staging}}}]")
	p := workloads.Plan(s, nil, zeroDowntime(nil))
	if codes(p) != "M522" || len(p.Changes) > 0 {
		t.Errorf("codes %s, changes %s", codes(p), ids(p))
	}
	s = model.Survey{}
	patch := overlay(t, &s, "{containers: [{name: c, volumeMounts: [{name: v, mountPath: /v}]}], volumes: ["+csi("v", "app")+"]}")
	p = workloads.Plan(s, []model.Translation{class("app", "a")}, zeroDowntime(nil))
	got := patched(t, patch, p.Changes[0].Edits)
	volumes, _ := podSpec("Deployment").Of("volumes").Get(got)
	want := read(t, "volumes: [{name: v, csi: null, secret: {secretName: app-files, items: [{key: a, path: a}]}}]")["volumes"]
	if diff := cmp.Diff(want, volumes); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	again := surveyed(got)
	again.Workloads = append(again.Workloads, model.Workload{PodSpec: podSpec("Deployment"), Object: model.Object{
		Ref: s.Workloads[0].Object.Ref, Content: got, Partial: true,
	}})
	if p := workloads.Plan(again, []model.Translation{class("app", "a")}, zeroDowntime(nil)); len(p.Changes) > 0 {
		t.Errorf("a second run changes %s", ids(p))
	}
}

// A base and its patches wait for each other where inventory holds one of them.
func TestHeldPatch(t *testing.T) {
	for i, want := range []string{"base", "patch"} {
		s := surveyed(workload(t, "Deployment", "", mounting))
		overlay(t, &s, "volumes: [{name: v, csi: {nodePublishSecretRef: {name: staging}}}]")
		s.Workloads[i].Held = true
		p := workloads.Plan(s, []model.Translation{class("app", "a")}, zeroDowntime(nil))
		if codes(p) != "M502" || ids(p) != "check/csi-volumes" {
			t.Errorf("%s held: codes %s, changes %s", want, codes(p), ids(p))
		}
	}
}
