package inventory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/inventory"
)

// objects reads manifests. A document that begins with the comment `# patch` is a piece of an object.
func objects(t testing.TB, manifests ...string) []model.Object {
	t.Helper()
	var read []model.Object
	for i, document := range strings.Split(strings.Join(manifests, "\n---\n"), "\n---\n") {
		var content map[string]any
		if err := yaml.Unmarshal([]byte(document), &content); err != nil {
			t.Fatalf("document %d: %v\n%s", i, err, document)
		}
		if content == nil {
			continue
		}
		at := func(path ...any) string {
			v, _ := model.Path(path).Get(content)
			s, _ := v.(string)
			return s
		}
		read = append(read, model.Object{
			Ref: model.Ref{
				APIVersion: at("apiVersion"), Kind: at("kind"), Namespace: at("metadata", "namespace"), Name: at("metadata", "name"),
			},
			Content: content, Partial: strings.HasPrefix(strings.TrimSpace(document), "# patch"),
		})
	}
	return read
}

// class is a class of the namespace shop.
func class(name string, more ...string) string {
	return `
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {name: ` + name + `, namespace: shop}
spec:
  provider: azure
  parameters:
    keyvaultName: kv-shop
    tenantId: 7a1e0000-1111-4222-8333-0000000000aa
    objects: |
      array:
        - |
          objectName: db
          objectType: secret
` + strings.Join(more, "\n")
}

// syncing is the part of a class that makes a Secret.
func syncing(secret string) string {
	return "  secretObjects: [{secretName: " + secret + ", type: Opaque, data: [{objectName: db, key: password}]}]"
}

// spec is a pod spec, in flow style, whose one container mounts one class.
func spec(class string) string {
	return `{containers: [{name: main, volumeMounts: [{name: kv, mountPath: /kv}]}], volumes: [` + volume("kv", class, "creds") + `]}`
}

// volume is a volume of the driver.
func volume(name, class, credential string) string {
	secret := ""
	if credential != "" {
		secret = ", nodePublishSecretRef: {name: " + credential + "}"
	}
	return "{name: " + name + ", csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: " + class + "}" + secret + "}}"
}

// object is an object of the namespace shop. Meta is what else its metadata say, body what is beside them.
func object(apiVersion, kind, name, meta, body string) string {
	return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: shop" + meta + "}\n" + body
}

// ownedBy is the part of metadata that names a controller.
func ownedBy(apiVersion, kind, name string) string {
	return ", ownerReferences: [{apiVersion: " + apiVersion + ", kind: " + kind + ", name: " + name + ", controller: true}]"
}

func deployment(name, podSpec string) string {
	return object("apps/v1", "Deployment", name, "", "spec: {template: {spec: "+podSpec+"}}")
}

// told is what a survey says of workloads and readers, a line each, and of findings and decisions.
func told(s model.Survey) []string {
	var lines []string
	for _, w := range s.Workloads {
		line := fmt.Sprintf("%s at %s pods %d", w.Object.Ref, w.PodSpec, w.Pods)
		for _, v := range w.Volumes {
			line += fmt.Sprintf("; %s=%s %s %s", v.Name, v.Class, v.Credential, v.Path)
			for _, m := range v.Mounts {
				line += fmt.Sprintf(" (%s %s %s:%s)", m.Container, m.Path, m.MountPath, m.SubPath)
			}
		}
		line += usesOf(w.Uses)
		for i, set := range []bool{w.Unknown, w.Static, w.Held} {
			if set {
				line += "; " + []string{"unknown", "static", "held"}[i]
			}
		}
		if w.Manager != "" {
			line += "; of " + w.Manager
		}
		lines = append(lines, line)
	}
	for _, r := range s.Readers {
		lines = append(lines, "reader "+r.Object.String()+usesOf(r.Uses))
	}
	for _, f := range s.Findings {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Code, f.Severity, f.Object)))
	}
	return lines
}

func usesOf(uses []model.Use) string {
	text := ""
	for _, u := range uses {
		text += fmt.Sprintf("; %s %s %s %s", u.How, u.Secret, u.Key, u.Path)
	}
	return text
}

// quiet drops lines that every case would have: that no driver was read, and that credentials are missing.
func quiet(lines []string) []string {
	return slices.DeleteFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "M132") || strings.HasPrefix(line, "M120")
	})
}

// TestWorkloads has a case for each trap of the inventory that concerns workloads.
func TestWorkloads(t *testing.T) {
	t.Parallel()
	const volumeAt = "kv=app creds spec.template.spec.volumes[0] (main spec.template.spec.containers[0].volumeMounts[0] /kv:)"
	pod := func(name, meta, more string) string {
		return object("v1", "Pod", name, meta, "spec: "+spec("app")+more)
	}
	for name, tt := range map[string]struct {
		reason    string
		manifests []string
		folder    bool
		decisions map[string]string
		want      []string
	}{
		"the seed's filter misses CronJobs": {
			reason:    "their template is two levels down, and they need not have run",
			manifests: []string{object("batch/v1", "CronJob", "nightly", "", "spec: {suspend: true, jobTemplate: {spec: {template: {spec: "+spec("app")+"}}}}")},
			want: []string{"CronJob shop/nightly at spec.jobTemplate.spec.template.spec pods 0; kv=app creds spec.jobTemplate.spec.template.spec.volumes[0] " +
				"(main spec.jobTemplate.spec.template.spec.containers[0].volumeMounts[0] /kv:)"},
		},
		"every kind's own path": {
			reason: "each kind of Kubernetes' own that has a template",
			manifests: []string{
				object("apps/v1", "StatefulSet", "a", "", "spec: {replicas: 0, template: {spec: "+spec("app")+"}}"),
				object("apps/v1", "DaemonSet", "b", "", "spec: {template: {spec: "+spec("app")+"}}"),
				object("apps/v1", "ReplicaSet", "c", "", "spec: {template: {spec: "+spec("app")+"}}"),
				object("v1", "ReplicationController", "d", "", "spec: {template: {spec: "+spec("app")+"}}"),
				object("batch/v1", "Job", "e", "", "spec: {suspend: true, template: {spec: "+spec("app")+"}}"),
				object("v1", "PodTemplate", "f", "", "template: {spec: "+spec("app")+"}"),
				deployment("g", spec("app")), pod("h", "", ""),
				object("extensions/v1beta1", "Deployment", "i", "", "spec: {template: {spec: "+spec("app")+"}}"),
			},
			want: []string{
				"DaemonSet shop/b at spec.template.spec pods 0; " + volumeAt,
				"Deployment shop/g at spec.template.spec pods 0; " + volumeAt,
				"Deployment shop/i at spec.template.spec pods 0; " + volumeAt,
				"Job shop/e at spec.template.spec pods 0; " + volumeAt,
				"Pod shop/h at spec pods 1; kv=app creds spec.volumes[0] (main spec.containers[0].volumeMounts[0] /kv:)",
				"PodTemplate shop/f at template.spec pods 0; kv=app creds template.spec.volumes[0] (main template.spec.containers[0].volumeMounts[0] /kv:)",
				"ReplicaSet shop/c at spec.template.spec pods 0; " + volumeAt,
				"ReplicationController shop/d at spec.template.spec pods 0; " + volumeAt,
				"StatefulSet shop/a at spec.template.spec pods 0; " + volumeAt,
			},
		},
		"from each pod climb ownerReferences to the top": {
			reason: "only the top is listed; its pods count, but for one that has ended",
			manifests: []string{
				deployment("web", spec("app")),
				object("apps/v1", "ReplicaSet", "web-1", ownedBy("apps/v1beta1", "Deployment", "web"), "spec: {template: {spec: "+spec("app")+"}}"),
				pod("web-1-a", ownedBy("apps/v1", "ReplicaSet", "web-1"), ""), pod("web-1-b", ownedBy("apps/v1", "ReplicaSet", "web-1"), ""),
				pod("web-1-c", ownedBy("apps/v1", "ReplicaSet", "web-1"), "\nstatus: {phase: Failed}"),
			},
			want: []string{"Deployment shop/web at spec.template.spec pods 2; " + volumeAt},
		},
		"an owner of the whole cluster": {
			reason: "it has no namespace, while what it owns has one",
			manifests: []string{
				"apiVersion: example.com/v1\nkind: Fleet\nmetadata: {name: f}\nspec: {template: {spec: {containers: [{name: main}]}}}",
				pod("f-a", ownedBy("example.com/v1", "Fleet", "f"), ""),
			},
			want: []string{"Fleet f at spec.template.spec pods 1; unknown; held", "M110 needs-decision Fleet f", "M115 warning Fleet f"},
		},
		"an owner that was not read": {
			reason:    "the pod is its own top, and somebody may undo changes to it",
			manifests: []string{pod("lost", ownedBy("apps/v1", "ReplicaSet", "gone"), "")},
			want: []string{
				"Pod shop/lost at spec pods 1; kv=app creds spec.volumes[0] (main spec.containers[0].volumeMounts[0] /kv:); held",
				"M114 needs-decision Pod shop/lost",
			},
		},
		"an owner that has no template": {
			reason: "an operator makes the StatefulSet of settings of its own; the highest with a template is listed",
			manifests: []string{
				object("db.example.com/v1", "Database", "main", "", "spec: {version: 3}"),
				object("apps/v1", "StatefulSet", "main", ownedBy("db.example.com/v1", "Database", "main"), "spec: {template: {spec: "+spec("app")+"}}"),
			},
			want: []string{"StatefulSet shop/main at spec.template.spec pods 0; " + volumeAt + "; held", "M114 needs-decision StatefulSet shop/main"},
		},
		"an unknown top kind": {
			reason: "the template is found by search, and its path is named",
			manifests: []string{
				object("argoproj.io/v1alpha1", "Rollout", "web", "", "spec: {template: {spec: "+spec("app")+"}}"),
				object("apps/v1", "ReplicaSet", "web-1", ownedBy("argoproj.io/v1alpha1", "Rollout", "web"), "spec: {template: {spec: "+spec("app")+"}}"),
				pod("web-1-a", ownedBy("apps/v1", "ReplicaSet", "web-1"), ""),
			},
			want: []string{"Rollout shop/web at spec.template.spec pods 1; " + volumeAt + "; unknown; held", "M110 needs-decision Rollout shop/web"},
		},
		"an unknown top kind that the operator decided to edit": {
			reason:    "the answer lets it be changed",
			manifests: []string{object("argoproj.io/v1alpha1", "Rollout", "web", "", "spec: {template: {spec: "+spec("app")+"}}")},
			decisions: map[string]string{"M110/shop/web/Rollout": model.AnswerEdit},
			want:      []string{"Rollout shop/web at spec.template.spec pods 0; " + volumeAt + "; unknown"},
		},
		"an unknown top kind that the operator left": {
			reason:    "nothing is changed, and it is said that the driver has to wait for it",
			manifests: []string{object("argoproj.io/v1alpha1", "Rollout", "web", "", "spec: {template: {spec: "+spec("app")+"}}")},
			decisions: map[string]string{"M110/shop/web/Rollout": model.AnswerLeave},
			want:      []string{"Rollout shop/web at spec.template.spec pods 0; " + volumeAt + "; unknown; held", "M116 warning Rollout shop/web"},
		},
		"an operator's resource whose template is in a list": {
			reason:    "the first template that is of concern is the pod spec; volumes of all are listed",
			manifests: []string{object("search.example.com/v1", "Cluster", "s", "", "spec: {sets: [{pods: {spec: {containers: [{name: a}]}}}, {pods: {spec: "+spec("app")+"}}]}")},
			want: []string{"Cluster shop/s at spec.sets[1].pods.spec pods 0; kv=app creds spec.sets[1].pods.spec.volumes[0] " +
				"(main spec.sets[1].pods.spec.containers[0].volumeMounts[0] /kv:); unknown; held", "M110 needs-decision Cluster shop/s"},
		},
		"an operator's resource that takes volumes without containers": {
			reason:    "a workflow's volumes are next to steps, not to containers",
			manifests: []string{object("argoproj.io/v1alpha1", "Workflow", "w", "", "spec: {volumes: ["+volume("kv", "app", "")+"]}")},
			want:      []string{"Workflow shop/w at spec pods 0; kv=app  spec.volumes[0]; unknown; held", "M110 needs-decision Workflow shop/w"},
		},
		"static pods": {
			reason: "a mirror of a file cannot be changed, nor served by a Secret",
			manifests: []string{
				pod("audit-node-1", ", annotations: {kubernetes.io/config.mirror: abc}"+ownedBy("v1", "Node", "node-1"), ""),
				class("app"),
			},
			want: []string{
				"Pod shop/audit-node-1 at spec pods 1; kv=app creds spec.volumes[0] (main spec.containers[0].volumeMounts[0] /kv:); static; held",
				"M111 blocked Pod shop/audit-node-1", "M111 blocked SecretProviderClass shop/app",
			},
		},
		"static pods of a file and of old": {
			reason:    "the annotations tell without an owner",
			manifests: []string{pod("a", ", annotations: {kubernetes.io/config.mirror: abc}", ""), pod("b", ", annotations: {kubernetes.io/config.source: file}", "")},
			want: []string{
				"Pod shop/a at spec pods 1; kv=app creds spec.volumes[0] (main spec.containers[0].volumeMounts[0] /kv:); static; held",
				"Pod shop/b at spec pods 1; kv=app creds spec.volumes[0] (main spec.containers[0].volumeMounts[0] /kv:); static; held",
				"M111 blocked Pod shop/a", "M111 blocked Pod shop/b", "M111 blocked SecretProviderClass shop/app",
			},
		},
		"a pod with two CSI volumes": {
			reason: "each is listed, in every kind of container; one of another driver and one of another provider are not",
			manifests: []string{
				class("two"), object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "vault", "", "spec: {provider: vault}"),
				deployment("web", `{containers: [{name: c, volumeMounts: [{name: a, mountPath: /a/x, subPath: x}, {name: a, mountPath: /a/z, subPath: z}, {name: v, mountPath: /v}]}],
  initContainers: [{name: i, volumeMounts: [{name: b, mountPath: /b}]}], ephemeralContainers: [{name: e, volumeMounts: [{name: b, mountPath: /e}]}],
  volumes: [{name: other, csi: {driver: disk.csi.azure.com}}, `+volume("a", "app", "creds")+", "+volume("b", "two", "")+", "+volume("v", "vault", "")+`]}`),
			},
			want: []string{
				"Deployment shop/web at spec.template.spec pods 0" +
					"; a=app creds spec.template.spec.volumes[1] (c spec.template.spec.containers[0].volumeMounts[0] /a/x:x) (c spec.template.spec.containers[0].volumeMounts[1] /a/z:z)" +
					"; b=two  spec.template.spec.volumes[2] (i spec.template.spec.initContainers[0].volumeMounts[0] /b:) (e spec.template.spec.ephemeralContainers[0].volumeMounts[0] /e:)",
				"M130 warning", "M102 info SecretProviderClass shop/vault",
			},
		},
		"a class that does not exist": {
			reason:    "such pods do not start today either",
			manifests: []string{deployment("web", spec("gone"))},
			want: []string{
				"Deployment shop/web at spec.template.spec pods 0; kv=gone creds spec.template.spec.volumes[0] (main spec.template.spec.containers[0].volumeMounts[0] /kv:); held",
				"M112 blocked Deployment shop/web", "M101 info SecretProviderClass shop/app",
			},
		},
		"a class that is not in the folder": {
			reason: "it may be kept elsewhere: nobody can say that it does not exist",
			folder: true, manifests: []string{deployment("web", spec("gone"))},
			want: []string{
				"Deployment shop/web at spec.template.spec pods 0; kv=gone creds spec.template.spec.volumes[0] (main spec.template.spec.containers[0].volumeMounts[0] /kv:); held",
				"M113 needs-decision Deployment shop/web", "M101 info SecretProviderClass shop/app",
			},
		},
		"patches are walked as well": {
			reason: "one adds a volume without saying the driver, one only changes the credentials of a volume of the base",
			folder: true, manifests: []string{
				deployment("web", spec("app")),
				"# patch\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {volumes: [{name: kv, csi: {nodePublishSecretRef: {name: staging}}}, {name: more, csi: {volumeAttributes: {secretProviderClass: app}}}, {name: disk, csi: {nodePublishSecretRef: {name: x}}}]}}}",
			},
			want: []string{
				"Deployment web at spec.template.spec pods 0; kv=app staging spec.template.spec.volumes[0]; more=app  spec.template.spec.volumes[1]",
				"Deployment shop/web at spec.template.spec pods 0; " + volumeAt,
			},
		},
		"consumers of the synced Secret that mount nothing": {
			reason: "each way to refer to a Secret; Secrets that no class makes are nobody's business",
			manifests: []string{
				class("db", syncing("made")),
				deployment("keeper", spec("db")),
				deployment("web", `{imagePullSecrets: [{name: made}, {name: own}], containers: [{name: c, env: [{name: A, valueFrom: {secretKeyRef: {name: made, key: password}}}, {name: B, valueFrom: {secretKeyRef: {name: own, key: k}}}]}],
  initContainers: [{name: i, envFrom: [{configMapRef: {name: made}}, {secretRef: {name: made}}]}],
  volumes: [{name: v, secret: {secretName: made, items: [{key: password, path: p}]}}, {name: w, secret: {secretName: made, items: [{key: a, path: a}, {key: b, path: b}]}}, {name: p, projected: {sources: [{configMap: {name: made}}, {secret: {name: made}}]}}, {name: s, azureFile: {secretName: made}}]}`),
				object("networking.k8s.io/v1", "Ingress", "in", "", "spec: {tls: [{secretName: own}, {secretName: made}]}"),
				object("gateway.networking.k8s.io/v1", "Gateway", "gw", "", "spec: {listeners: [{tls: {certificateRefs: [{name: made}, {name: made, kind: ConfigMap}, {name: made, namespace: other}]}}]}"),
				object("v1", "ServiceAccount", "sa", "", "imagePullSecrets: [{name: made}]\nsecrets: [{name: made}]"),
			},
			want: []string{
				"Deployment shop/keeper at spec.template.spec pods 0; kv=db creds spec.template.spec.volumes[0] (main spec.template.spec.containers[0].volumeMounts[0] /kv:)",
				"Deployment shop/web at spec.template.spec pods 0" +
					"; env made password spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef" +
					"; envFrom made  spec.template.spec.initContainers[0].envFrom[1].secretRef" +
					"; volume made password spec.template.spec.volumes[0].secret; volume made  spec.template.spec.volumes[1].secret" +
					"; projected made  spec.template.spec.volumes[2].projected.sources[1].secret; volume made  spec.template.spec.volumes[3].azureFile" +
					"; imagePullSecrets made  spec.template.spec.imagePullSecrets[0]",
				"reader Gateway shop/gw; certificateRefs made  spec.listeners[0].tls.certificateRefs[0]",
				"reader Ingress shop/in; tls made  spec.tls[1]",
				"reader ServiceAccount shop/sa; imagePullSecrets made  imagePullSecrets[0]; secrets made  secrets[0]",
				"M101 info SecretProviderClass shop/app",
			},
		},
		"pods of an earlier template": {
			reason: "the driver must wait for them, although the template is clean",
			manifests: []string{
				deployment("web", "{containers: [{name: main}]}"),
				object("apps/v1", "ReplicaSet", "web-1", ownedBy("apps/v1", "Deployment", "web"), "spec: {template: {spec: "+spec("app")+"}}"),
				pod("web-1-a", ownedBy("apps/v1", "ReplicaSet", "web-1"), ""),
			},
			want: []string{"Deployment shop/web at spec.template.spec pods 1", "M115 warning Deployment shop/web"},
		},
		"pods that read or mount what is in no template": {
			reason: "a webhook gave one a Secret; the class of the other is gone since it started",
			manifests: []string{
				class("db", syncing("made")), deployment("web", "{containers: [{name: main}]}"), deployment("old", "{containers: [{name: main}]}"),
				object("v1", "Pod", "web-a", ownedBy("apps/v1", "Deployment", "web"), "spec: {containers: [{name: main, envFrom: [{secretRef: {name: made}}]}]}"),
				object("v1", "Pod", "old-a", ownedBy("apps/v1", "Deployment", "old"), "spec: "+spec("gone")),
			},
			want: []string{
				"Deployment shop/old at spec.template.spec pods 1", "Deployment shop/web at spec.template.spec pods 1",
				"M115 warning Deployment shop/old", "M115 warning Deployment shop/web",
				"M101 info SecretProviderClass shop/app", "M101 info SecretProviderClass shop/db",
			},
		},
		"a revision's copy of a template": {
			reason:    "Kubernetes keeps it for undoing; it runs nothing",
			manifests: []string{object("apps/v1", "ControllerRevision", "web-1", "", "data: {spec: {template: {spec: "+spec("app")+"}}}")},
			want:      []string{"M101 info SecretProviderClass shop/app"},
		},
		"deployed by somebody else": {
			reason:    "a change in the cluster would be undone",
			manifests: []string{object("apps/v1", "Deployment", "web", ", labels: {app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: r}", "spec: {template: {spec: "+spec("app")+"}}")},
			want:      []string{"Deployment shop/web at spec.template.spec pods 0; " + volumeAt + "; of Helm"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := model.Snapshot{Objects: objects(t, append(tt.manifests, class("app"))...)}
			if tt.folder {
				s.Input.Folder = "manifests"
			}
			if strings.Contains(strings.Join(tt.manifests, ""), "name: app, namespace: shop}\nspec:") {
				s.Objects = s.Objects[:len(s.Objects)-1] // the case brings its own
			}
			got := quiet(told(inventory.Survey(s, model.Options{Decisions: tt.decisions})))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
