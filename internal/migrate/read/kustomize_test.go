package read_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mounting is a Deployment that mounts a class.
const mounting = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      volumes:
      - name: s
        csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: app}}
`

func TestFolderKustomizations(t *testing.T) {
	base := map[string]string{"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": mounting}
	with := func(more map[string]string) map[string]string {
		files := map[string]string{}
		for _, from := range []map[string]string{base, more} {
			maps.Copy(files, from)
		}
		return files
	}
	for name, test := range map[string]struct {
		reason   string
		files    map[string]string
		objects  []string
		findings []string
	}{
		"one namespace": {
			reason: "the overlay's goes over that of its base and of its objects, and not over what has none",
			files: map[string]string{
				"base/kustomization.yaml": "namespace: base\nresources: [web.yaml, role.yaml]\n", "base/web.yaml": mounting,
				"base/role.yaml": object("ClusterRole", "r"), "over/Kustomization": "namespace: shop\nbases: [../base]\nresources: [pod.yaml]\n",
				"over/pod.yaml": object("Pod", "p") + "  namespace: other\n",
			},
			objects: []string{"ClusterRole r@base/role.yaml:1", "Deployment shop/web@base/web.yaml:1", "Pod shop/p@over/pod.yaml:1"},
		},
		"two namespaces": {
			reason: "one document stands for two objects",
			files: with(map[string]string{
				"a/kustomization.yaml": "namespace: a\nresources: [../base]\n", "b/kustomization.yml": "namespace: b\nresources: [../base/]\n",
			}),
			objects: []string{"Deployment web@base/web.yaml:1 in a,b"}, findings: []string{"M175 base/web.yaml:1"},
		},
		"a namespace and none": {
			reason:  "an overlay without a namespace leaves the object its own",
			files:   with(map[string]string{"a/kustomization.yaml": "namespace: a\nresources: [../base]\n", "b/kustomization.yaml": "resources: [../base]\n"}),
			objects: []string{"Deployment web@base/web.yaml:1 in a"}, findings: []string{"M175 base/web.yaml:1"},
		},
		"a circle": {
			reason:  "kustomize refuses it, and so it stands for nothing",
			files:   map[string]string{"a/kustomization.yaml": "namespace: a\nresources: [../b]\n", "b/kustomization.yaml": "resources: [../a, p.yaml]\n", "b/p.yaml": object("Pod", "p")},
			objects: []string{"Pod p@b/p.yaml:1"},
		},
		"patches": {
			reason: "files and inline ones are pieces of objects; a target's name goes before the patch's own",
			files: with(map[string]string{
				"over/kustomization.yaml": "namespace: shop\nresources: [../base]\npatches:\n- path: p.yaml\n- target: {kind: Deployment, name: web}\n" +
					"  patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: any}\npatchesStrategicMerge:\n- q.yaml\n" +
					"- |\n  apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: r}\n",
				"over/p.yaml": mounting, "over/q.yaml": mounting,
			}),
			objects: []string{
				"Deployment shop/r@over/kustomization.yaml:13 in /patchesStrategicMerge/1 partial",
				"Deployment shop/web@base/web.yaml:1",
				"Deployment shop/web@over/kustomization.yaml:7 in /patches/1/patch partial",
				"Deployment shop/web@over/p.yaml:1 partial", "Deployment shop/web@over/q.yaml:1 partial",
			},
		},
		"JSON patches": {
			reason: "those that touch volumes of the driver or a class are told with their lines, others are not",
			files: with(map[string]string{
				"base/class.yaml": class, "base/plain.yaml": object("Pod", "plain"),
				"base/kustomization.yaml": "resources: [web.yaml, class.yaml, plain.yaml]\npatches:\n- target: {kind: Deployment, name: web}\n" +
					"  patch: |-\n    - op: replace\n      path: /spec/replicas\n      value: 2\n    - op: remove\n      path: /spec/template/spec/volumes/0\n" +
					"- target: {kind: SecretProviderClass}\n  path: j.yaml\n- target: {kind: Pod}\n  patch: '[{op: remove, path: /spec/volumes/0}]'\n" +
					"patchesJson6902:\n- target: {version: v1, kind: Deployment, name: web}\n  path: add.json\n",
				"base/j.yaml":   "# c\n- op: add\n  path: /spec/x\n  value: 1\n",
				"base/add.json": `[{"op": "add", "path": "/spec/template/spec/volumes/-", "value": {"name": "x", "emptyDir": {}}}]`,
			}),
			objects: []string{
				"Deployment web@base/web.yaml:1", "Pod plain@base/plain.yaml:1", "SecretProviderClass app@base/class.yaml:1",
			},
			findings: []string{"M173 base/kustomization.yaml:8", "M173 base/j.yaml:2"},
		},
		"JSON patches that are not sure": {
			reason: "what they patch, or which volume they count, is not known; one that is sure is the object that it makes",
			files: map[string]string{
				"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": mounting, "a/j.yaml": "- {op: remove, path: /spec/template/spec/volumes/0/csi}\n",
				"a/kustomization.yaml": "resources: [../base]\npatches:\n- {path: j.yaml, target: {kind: Deployment, name: w.b}}\n",
				"b/kustomization.yaml": "resources: [../base]\npatches:\n- target: {kind: Deployment, labelSelector: a=b}\n  patch: '[{op: remove, path: /spec/template/spec/volumes/0/csi}]'\n",
				"c/kustomization.yaml": "resources: [../base]\npatches:\n- target: {kind: Deployment, name: web}\n  patch: '[{op: remove, path: /spec/template/spec/volumes/1/csi}]'\n",
				"d/kustomization.yaml": "resources: [../base]\npatches:\n- target: {kind: Deployment}\n  patch: '[{op: add, path: /spec/template/spec/volumes/0, value: {name: x}}]'\n" +
					"- target: {kind: Deployment}\n  patch: '[{op: remove, path: /spec/template/spec/volumes/1/csi}]'\n",
			},
			objects: []string{
				"Deployment web@a/j.yaml:1 partial", "Deployment web@base/web.yaml:1",
				"Deployment web@d/kustomization.yaml:4 in /patches/0/patch partial",
			},
			findings: []string{"M173 b/kustomization.yaml:4", "M173 c/kustomization.yaml:4", "M173 d/kustomization.yaml:6"},
		},
		"Inline patches that cannot be read": {
			reason: "each is named with its line",
			files: map[string]string{
				"kustomization.yaml": "patches:\n- patch: |-\n    a: [\n- patch: |-\n    - op: remove\n      path: /a\n    - op: remove\n",
			},
			findings: []string{"M189 kustomization.yaml:3", "M189 kustomization.yaml:5"},
		},
		"Flux": {
			reason:  "its kind Kustomization is an object",
			files:   map[string]string{"kustomization.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k}\n"},
			objects: []string{"Kustomization k@kustomization.yaml:1"},
		},
		"what is elsewhere": {
			reason:   "addresses and files that are not there may hold what migrates, as may names that change",
			files:    map[string]string{"a/kustomization.yaml": "namePrefix: x-\nresources: [https://x/y, ../../b, gone.yaml]\npatches: [{path: gone-too.yaml}]\n"},
			findings: []string{"M174 a/kustomization.yaml:1", "M180 a/kustomization.yaml:1", "M180 a/kustomization.yaml:1", "M180 a/kustomization.yaml:1", "M180 a/kustomization.yaml:1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot := folder(t, test.files)
			if diff := cmp.Diff(test.objects, lines(snapshot.Objects)); diff != "" {
				t.Errorf("%s: objects (-want +got):\n%s", test.reason, diff)
			}
			if diff := cmp.Diff(test.findings, codes(snapshot.Findings)); diff != "" {
				t.Errorf("%s: findings (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
