package workloads_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/workloads"
)

// Each way to refer to a Secret: it stays where name and key match, and follows where they do not.
func TestReferences(t *testing.T) {
	pod := `
containers:
- name: c
  env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: p}}}, {name: X_q, value: mine}]
  envFrom: [{configMapRef: {name: db}}, {prefix: X_, secretRef: {name: db, optional: true}}]
- name: d
  envFrom: [{secretRef: {name: db}}]
volumes:
- {name: all, secret: {secretName: db}}
- {name: one, secret: {secretName: db, items: [{key: p, path: x}, {key: q, path: y}]}}
- {name: joined, projected: {sources: [{configMap: {name: db}}, {secret: {name: db}}]}}
- {name: not, secret: {secretName: other}}
`
	tests := map[string]struct {
		reason string
		sync   model.Sync
		want   string
		codes  string
	}{
		"Same": {
			reason: "secretKeyRef blocks stay where name and key match", sync: model.Sync{Old: "db", New: "db"}, want: pod,
		},
		"Name": {
			reason: "a new name is followed everywhere, and only there", sync: model.Sync{Old: "db", New: "db-2"}, codes: "M523",
			want: `
containers:
- name: c
  env: [{name: P, valueFrom: {secretKeyRef: {name: db-2, key: p}}}, {name: X_q, value: mine}]
  envFrom: [{configMapRef: {name: db}}, {prefix: X_, secretRef: {name: db-2, optional: true}}]
- name: d
  envFrom: [{secretRef: {name: db-2}}]
volumes:
- {name: all, secret: {secretName: db-2}}
- {name: one, secret: {secretName: db-2, items: [{key: p, path: x}, {key: q, path: y}]}}
- {name: joined, projected: {sources: [{configMap: {name: db}}, {secret: {name: db-2}}]}}
- {name: not, secret: {secretName: other}}
`,
		},
		"Keys": {
			reason: "new keys are read under the old names: of files, and of variables unless one of the name was there",
			sync:   model.Sync{Old: "db", New: "db", Keys: map[string]string{"p": "v0", "q": "v1"}}, codes: "M523",
			want: `
containers:
- name: c
  env:
  - {name: P, valueFrom: {secretKeyRef: {name: db, key: v0}}}
  - {name: X_q, value: mine}
  - {name: X_p, valueFrom: {secretKeyRef: {name: db, key: v0, optional: true}}}
  envFrom: [{configMapRef: {name: db}}, {prefix: X_, secretRef: {name: db, optional: true}}]
- name: d
  env:
  - {name: p, valueFrom: {secretKeyRef: {name: db, key: v0}}}
  - {name: q, valueFrom: {secretKeyRef: {name: db, key: v1}}}
  envFrom: [{secretRef: {name: db}}]
volumes:
- {name: all, secret: {secretName: db, items: [{key: v0, path: p}, {key: v1, path: q}, {key: r, path: r}]}}
- {name: one, secret: {secretName: db, items: [{key: v0, path: x}, {key: v1, path: y}]}}
- name: joined
  projected:
    sources:
    - configMap: {name: db}
    - secret: {name: db, items: [{key: v0, path: p}, {key: v1, path: q}, {key: r, path: r}]}
- {name: not, secret: {secretName: other}}
`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			content := workload(t, "Deployment", "", pod)
			app := class("app", "a")
			app.Syncs = []model.Sync{tc.sync}
			s := surveyed(content)
			s.Classes = []model.Class{{Object: model.Object{Ref: app.Class}, SecretObjects: []model.SecretObject{
				{Name: "db", Data: []model.SecretKey{{Key: "r"}, {Key: "q"}, {Key: "p"}}},
			}}}
			p := workloads.Plan(s, []model.Translation{app}, zeroDowntime(nil))
			got := content
			if len(p.Changes) > 0 {
				got = patched(t, content, p.Changes[0].Edits)
			}
			if diff := cmp.Diff(workload(t, "Deployment", "", tc.want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if got := codes(p); got != tc.codes {
				t.Errorf("%s: codes %s, want %s", tc.reason, got, tc.codes)
			}
		})
	}
}

// Readers without pods: an Ingress follows, wherever the path of its reference ends.
func TestReaders(t *testing.T) {
	ingress := read(t, `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: web, namespace: shop, labels: {app.kubernetes.io/managed-by: Helm},
  annotations: {meta.helm.sh/release-name: web}}, spec: {tls: [{hosts: [h], secretName: tls}]}}`)
	app := class("app", "a")
	app.Syncs = []model.Sync{{Old: "tls", New: "tls-2"}}
	for _, path := range []model.Path{{"spec", "tls", 0, "secretName"}, {"spec", "tls", 0}} {
		s := surveyed(ingress)
		s.Readers[0].Uses[0].Path = path
		p := workloads.Plan(s, []model.Translation{app}, zeroDowntime(nil))
		c := change(t, p, "workloads/edit/ingress/shop/web")
		if got := word(patched(t, ingress, c.Edits), "spec", "tls", 0, "secretName"); got != "tls-2" || c.ByHand == "" || codes(p) != "M510 M523" {
			t.Errorf("%s: reads %s, by hand %q, codes %s", path, got, c.ByHand, codes(p))
		}
	}
	s := surveyed(ingress)
	s.Readers[0].Uses[0].Path = model.Path{"spec", "rules", 0}
	if p := workloads.Plan(s, []model.Translation{app}, zeroDowntime(nil)); codes(p) != "M524" || len(p.Changes) > 0 {
		t.Errorf("a reference that is not where it was: codes %s, changes %s", codes(p), ids(p))
	}
	s = surveyed(ingress)
	s.Readers[0].Uses[0].Namespace = "elsewhere"
	if p := workloads.Plan(s, []model.Translation{app}, zeroDowntime(nil)); len(p.Changes) > 0 {
		t.Errorf("a Secret of that name in another namespace is another Secret: %s", ids(p))
	}
}

// What reads a Secret of a class that is not decided waits with it, though it mounts nothing.
func TestReadersWait(t *testing.T) {
	undecided := class("app", "a")
	undecided.Ready = false
	s := surveyed(
		read(t, `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop}, spec: {tls: [{secretName: db}]}}`),
		workload(t, "Deployment", "", "containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]"),
	)
	s.Classes = []model.Class{{Object: model.Object{Ref: undecided.Class}, SecretObjects: []model.SecretObject{{Name: "db"}}}}
	p := workloads.Plan(s, []model.Translation{undecided}, zeroDowntime(nil))
	if len(p.Findings) != 2 || codes(p) != "M502" || len(p.Changes) > 0 {
		t.Errorf("findings %v, changes %s", p.Findings, ids(p))
	}
}

// Reloader's annotations for classes become those for Secrets, on the workload and on its template.
func TestReloader(t *testing.T) {
	const spc, sec = "secretproviderclass.reloader.stakater.com/", "secret.reloader.stakater.com/"
	type notes = map[string]any
	app := class("app", "a")
	app.Syncs = []model.Sync{{Old: "db", New: "db"}, {Old: "unread", New: "unread"}}
	reads := "{name: web, envFrom: [{secretRef: {name: db}}], volumeMounts: [{name: v, mountPath: /mnt}]}"
	aws := ", " + csi("aws", "aws-feeds")
	tests := map[string]struct {
		reason       string
		before, want notes
		more         string
	}{
		"Reload":   {reason: "the Secrets that it reads take the class's place", before: notes{spc + "reload": "app"}, want: notes{sec + "reload": "app-files,db"}},
		"Joined":   {reason: "beside those that were there", before: notes{spc + "reload": "app", sec + "reload": "mine, db"}, want: notes{sec + "reload": "mine,db,app-files"}},
		"Rest":     {reason: "other providers' classes stay", before: notes{spc + "reload": "aws-feeds, app"}, want: notes{spc + "reload": "aws-feeds", sec + "reload": "app-files,db"}},
		"Foreign":  {reason: "nothing to move", before: notes{spc + "reload": "aws-feeds"}, want: notes{spc + "reload": "aws-feeds"}},
		"Auto":     {reason: "auto for auto", before: notes{spc + "auto": "true"}, want: notes{sec + "auto": "true"}},
		"AutoBoth": {reason: "auto stays while another provider's volume does", before: notes{spc + "auto": "true"}, more: aws, want: notes{spc + "auto": "true", sec + "auto": "true"}},
		"AutoOff":  {reason: "what was said of Secrets counts", before: notes{spc + "auto": "true", sec + "auto": "false"}, want: notes{sec + "auto": "false"}},
		"Exclude": {
			reason: "what was excluded stays so", before: notes{"secretproviderclasses.exclude.reloader.stakater.com/reload": "app"},
			want: notes{"secrets.exclude.reloader.stakater.com/reload": "app-files,db"},
		},
		"General": {reason: "the general annotation watches Secrets already", before: notes{"reloader.stakater.com/auto": "true"}, want: notes{"reloader.stakater.com/auto": "true"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			content := workload(t, "Deployment", "", "containers: ["+reads+"]\nvolumes: ["+csi("v", "app")+tc.more+"]")
			content["metadata"].(map[string]any)["annotations"] = tc.before
			content["spec"].(map[string]any)["template"].(map[string]any)["metadata"] = map[string]any{"annotations": tc.before}
			p := workloads.Plan(surveyed(content), []model.Translation{app}, zeroDowntime(nil))
			got := patched(t, content, change(t, p, "workloads/edit/deployment/shop/web").Edits)
			for _, path := range []model.Path{{"metadata", "annotations"}, {"spec", "template", "metadata", "annotations"}} {
				annotations, _ := path.Get(got)
				if diff := cmp.Diff(any(tc.want), annotations); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", tc.reason, path, diff)
				}
			}
		})
	}
}

// A pod's own annotations are one place, not two.
func TestReloaderOfPod(t *testing.T) {
	content := workload(t, "Pod", "", mounting)
	content["metadata"].(map[string]any)["annotations"] = map[string]any{"secretproviderclass.reloader.stakater.com/auto": "true"}
	p := workloads.Plan(surveyed(content), []model.Translation{class("app", "a")}, zeroDowntime(nil))
	patched(t, content, change(t, p, "workloads/edit/pod/shop/web").Edits)
}

// Who else uses a class: other credentials, and those who read what this one keeps alive.
func TestCompany(t *testing.T) {
	second := workload(t, "DaemonSet", "", `
containers: [{name: web, volumeMounts: [{name: v, mountPath: /mnt}]}]
volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, nodePublishSecretRef: {name: batch}, volumeAttributes: {secretProviderClass: app}}}]
`)
	p := workloads.Plan(surveyed(workload(t, "Deployment", "", mounting), second), []model.Translation{class("app", "a")}, zeroDowntime(nil))
	if diff := cmp.Diff("M508 M521", codes(p)); diff != "" {
		t.Errorf("two credentials (-want +got):\n%s", diff)
	}
	app := class("app", "a")
	app.Syncs = []model.Sync{{Old: "db", New: "db"}}
	reader := workload(t, "DaemonSet", "", "containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]")
	p = workloads.Plan(surveyed(workload(t, "Deployment", "", mounting), reader), []model.Translation{app}, zeroDowntime(nil))
	if diff := cmp.Diff("M508 M525", codes(p)); diff != "" {
		t.Errorf("a keeper (-want +got):\n%s", diff)
	}
	p = workloads.Plan(surveyed(workload(t, "Deployment", "", mounting)), []model.Translation{app}, zeroDowntime(nil))
	if diff := cmp.Diff("M508", codes(p)); diff != "" {
		t.Errorf("nobody to keep for (-want +got):\n%s", diff)
	}
}
