package workloads_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/workloads"
)

// before is the guide's own pod.
const before = `
apiVersion: v1
kind: Pod
metadata:
  name: my-app
  namespace: shop
spec:
  containers:
  - name: my-app
    image: my-app:latest
    volumeMounts:
    - name: secrets-store-inline
      mountPath: "/mnt/secrets-store"
      readOnly: true
  volumes:
  - name: secrets-store-inline
    csi:
      driver: secrets-store.csi.k8s.io
      readOnly: true
      volumeAttributes:
        secretProviderClass: "my-akv-provider"
      nodePublishSecretRef:
        name: secrets-store-creds
`

// after is what the guide makes of it, but that the volume keeps its name, and that files are listed under their old names.
const after = `
apiVersion: v1
kind: Pod
metadata:
  name: my-app
  namespace: shop
spec:
  containers:
  - name: my-app
    image: my-app:latest
    volumeMounts:
    - name: secrets-store-inline
      mountPath: "/mnt/secrets-store"
      readOnly: true
  volumes:
  - name: secrets-store-inline
    secret:
      secretName: my-akv-provider-files
      items:
      - {key: my-certificate, path: my-certificate}
      - {key: my-secret, path: my-secret}
`

// The guide's own pod, before and after.
func TestGuide(t *testing.T) {
	pod := read(t, before)
	ts := []model.Translation{class("my-akv-provider", "my-certificate", "my-secret")}
	s := surveyed(pod)
	s.Input.Folder = "."
	p := workloads.Plan(s, ts, model.Options{Strategy: model.Guide})
	c := change(t, p, "workloads/edit/pod/shop/my-app")
	if diff := cmp.Diff(read(t, after), patched(t, pod, c.Edits)); diff != "" {
		t.Errorf("edited (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(read(t, after), c.Content); diff != "" {
		t.Errorf("written out (-want +got):\n%s", diff)
	}
	want := []string{"remove spec.volumes[0].csi", "add spec.volumes[0].secret"}
	if diff := cmp.Diff(want, edited(c)); diff != "" {
		t.Errorf("edits (-want +got):\n%s", diff)
	}
}

// edited lists what a change edits.
func edited(c model.Change) []string {
	var list []string
	for _, e := range c.Edits {
		list = append(list, string(e.Op)+" "+e.Path.String())
	}
	return list
}

// workload is an object of a kind in namespace shop, with fields of its spec beside the template, and the pod's spec.
func workload(t *testing.T, kind, spec, pod string) map[string]any {
	t.Helper()
	content := map[string]any{
		"apiVersion": "apps/v1", "kind": kind, "metadata": map[string]any{"namespace": "shop", "name": "web"}, "spec": map[string]any{},
	}
	if spec != "" {
		content["spec"] = read(t, spec)
	}
	var at any = content
	path := podSpec(kind)
	for _, step := range path[:len(path)-1] {
		fields := at.(map[string]any)
		if fields[step.(string)] == nil {
			fields[step.(string)] = map[string]any{}
		}
		at = fields[step.(string)]
	}
	at.(map[string]any)["spec"] = read(t, pod)
	return content
}

// csi is a volume of a class, in flow style.
func csi(name, class string) string {
	return `{name: ` + name + `, csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: ` + class + `}}}`
}

// mounting is a pod that mounts class app.
var mounting = `
containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}]}]
volumes: [` + csi("v", "app") + `]
`

// Each trap of the pods themselves, by the sentence that names it.
func TestVolumes(t *testing.T) {
	app := class("app", "a", "b/c")
	mode := int32(0o400)
	app.Files[0].Mode = &mode
	synced := class("app", "a")
	synced.Syncs = []model.Sync{{Old: "db", New: "db"}}
	split := class("app", "a", "b")
	split.Files[1].Secret = "app-files-2"
	other := class("other", "x")
	tests := map[string]struct {
		reason  string
		pod     string
		ts      []model.Translation
		answers map[string]string
		want    string
		codes   string
	}{
		"Replace": {
			reason: "replace the volume, keep mount paths, subPath, readOnly, every container kind; items list every file, with its mode",
			pod: `
initContainers: [{name: i, volumeMounts: [{name: v, mountPath: /i, readOnly: true}]}]
containers: [{name: c, volumeMounts: [{name: v, mountPath: /c, subPath: b/c}]}]
volumes: [{name: tmp, emptyDir: {}}, ` + csi("v", "app") + `, {name: last, emptyDir: {}}]
`,
			ts: []model.Translation{app},
			want: `
initContainers: [{name: i, volumeMounts: [{name: v, mountPath: /i, readOnly: true}]}]
containers: [{name: c, volumeMounts: [{name: v, mountPath: /c, subPath: b/c}]}]
volumes:
- {name: tmp, emptyDir: {}}
- {name: v, secret: {secretName: app-files, items: [{key: a, path: a, mode: 256}, {key: b.c, path: b/c}]}}
- {name: last, emptyDir: {}}
`,
			codes: "M507 M508",
		},
		"Several": {
			reason: "several SPC volumes -> several Secret volumes",
			pod: `
containers: [{name: c, volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w}]}]
volumes: [` + csi("v", "app") + `, ` + csi("w", "other") + `]
`,
			ts: []model.Translation{class("app", "a"), other},
			want: `
containers: [{name: c, volumeMounts: [{name: v, mountPath: /v}, {name: w, mountPath: /w}]}]
volumes:
- {name: v, secret: {secretName: app-files, items: [{key: a, path: a}]}}
- {name: w, secret: {secretName: other-files, items: [{key: x, path: x}]}}
`,
			codes: "M508",
		},
		"Projected": {
			reason: "files that are split over Secrets are joined by a projected volume",
			pod:    mounting, ts: []model.Translation{split},
			want: `
containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}]}]
volumes:
- name: v
  projected:
    sources:
    - secret: {name: app-files, items: [{key: a, path: a}]}
    - secret: {name: app-files-2, items: [{key: b, path: b}]}
`,
			codes: "M508",
		},
		"Unmounted": {
			reason: "a volume without a mount was there to trigger the sync: it goes; from the last place down, so that indexes stay right",
			pod: `
containers: [{name: c, env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: p}}}], volumeMounts: [{name: tmp, mountPath: /tmp}]}]
volumes: [` + csi("v", "app") + `, {name: tmp, emptyDir: {}}, ` + csi("w", "app") + `]
`,
			ts: []model.Translation{synced},
			want: `
containers: [{name: c, env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: p}}}], volumeMounts: [{name: tmp, mountPath: /tmp}]}]
volumes: [{name: tmp, emptyDir: {}}]
`,
			codes: "M503",
		},
		"Kept": {
			reason: "mounted and read by env: the files are kept unless the operator knows better",
			pod: `
containers: [{name: c, envFrom: [{secretRef: {name: db}}], volumeMounts: [{name: v, mountPath: /v}]}]
volumes: [` + csi("v", "app") + `]
`,
			ts: []model.Translation{synced},
			want: `
containers: [{name: c, envFrom: [{secretRef: {name: db}}], volumeMounts: [{name: v, mountPath: /v}]}]
volumes: [{name: v, secret: {secretName: app-files, items: [{key: a, path: a}]}}]
`,
			codes: "M504 M508",
		},
		"Removed": {
			reason: "remove volume and mounts where the pod mounted only to trigger the sync; lists that are left empty go",
			pod: `
initContainers: [{name: i, volumeMounts: [{name: v, mountPath: /v}, {name: tmp, mountPath: /t}, {name: v, mountPath: /again}]}]
containers: [{name: c, envFrom: [{secretRef: {name: db}}], volumeMounts: [{name: v, mountPath: /v}]}]
volumes: [` + csi("v", "app") + `, {name: tmp, emptyDir: {}}]
`,
			ts: []model.Translation{synced}, answers: map[string]string{"M504/shop/web/Deployment/v": "remove"},
			want: `
initContainers: [{name: i, volumeMounts: [{name: tmp, mountPath: /t}]}]
containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]
volumes: [{name: tmp, emptyDir: {}}]
`,
			codes: "M504",
		},
		"SubPath": {
			reason: "a mount that picks a file is read: nobody is asked, and the answer to a question not asked does nothing",
			pod: `
containers: [{name: c, envFrom: [{secretRef: {name: db}}], volumeMounts: [{name: v, mountPath: /v, subPath: a}]}]
volumes: [` + csi("v", "app") + `]
`,
			ts: []model.Translation{synced}, answers: map[string]string{"M504/shop/web/Deployment/v": "remove"},
			want: `
containers: [{name: c, envFrom: [{secretRef: {name: db}}], volumeMounts: [{name: v, mountPath: /v, subPath: a}]}]
volumes: [{name: v, secret: {secretName: app-files, items: [{key: a, path: a}]}}]
`,
			codes: "M507 M508",
		},
		"FsGroup": {
			reason: "with fsGroup the kubelet adds group read: 0400 -> 0440",
			pod:    "securityContext: {fsGroup: 1}\n" + mounting, ts: []model.Translation{app},
			want: `
securityContext: {fsGroup: 1}
containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}]}]
volumes: [{name: v, secret: {secretName: app-files, items: [{key: a, path: a, mode: 256}, {key: b.c, path: b/c}]}}]
`,
			codes: "M505 M508",
		},
		"Windows": {
			reason: "Windows pods may read Secrets: paths and modes differ; say so",
			pod:    "nodeSelector: {kubernetes.io/os: windows}\n" + mounting, ts: []model.Translation{class("app", "a")},
			want: `
nodeSelector: {kubernetes.io/os: windows}
containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}]}]
volumes: [{name: v, secret: {secretName: app-files, items: [{key: a, path: a}]}}]
`,
			codes: "M506 M508",
		},
		"Others": {
			reason: "volumes of other providers on the driver stay",
			pod: `
containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}, {name: aws, mountPath: /aws}]}]
volumes: [` + csi("aws", "aws-feeds") + `, ` + csi("v", "app") + `]
`,
			ts: []model.Translation{class("app", "a")},
			want: `
containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}, {name: aws, mountPath: /aws}]}]
volumes: [` + csi("aws", "aws-feeds") + `, {name: v, secret: {secretName: app-files, items: [{key: a, path: a}]}}]
`,
			codes: "M508",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			content := workload(t, "Deployment", "", tc.pod)
			p := workloads.Plan(surveyed(content), tc.ts, zeroDowntime(tc.answers))
			c := change(t, p, "workloads/edit/deployment/shop/web")
			if diff := cmp.Diff(workload(t, "Deployment", "", tc.want), patched(t, content, c.Edits)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.codes, codes(p)); diff != "" {
				t.Errorf("%s: codes (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// What a class that is not ready, or not there, does to the workloads that use it.
func TestWaits(t *testing.T) {
	undecided, blocked := class("app", "a"), class("app", "a")
	undecided.Ready, blocked.Ready, blocked.Blocked = false, false, true
	tests := map[string]struct {
		reason string
		ts     []model.Translation
		code   model.Code
		grave  model.Severity
	}{
		"Undecided": {reason: "an undecided class undecides the workload", ts: []model.Translation{undecided}, code: "M502", grave: model.Needed},
		"Blocked":   {reason: "a blocked class blocks the workload", ts: []model.Translation{blocked}, code: "M501", grave: model.Blocking},
		"Missing":   {reason: "a class that is not there blocks the workload", code: "M501", grave: model.Blocking},
		"NoFiles":   {reason: "a class without files cannot serve a mount", ts: []model.Translation{class("app")}, code: "M501", grave: model.Blocking},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := workloads.Plan(surveyed(workload(t, "Deployment", "", mounting)), tc.ts, zeroDowntime(nil))
			if got := ids(p); got != "check/csi-volumes" {
				t.Errorf("%s: changes %s", tc.reason, got)
			}
			if len(p.Findings) != 1 || p.Findings[0].Code != tc.code || p.Findings[0].Severity != tc.grave ||
				!strings.Contains(p.Findings[0].Message, "app") || p.Findings[0].Object.Name != "web" {
				t.Errorf("%s: findings %v", tc.reason, p.Findings)
			}
		})
	}
}
