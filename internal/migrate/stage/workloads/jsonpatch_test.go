package workloads_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/jsonpatch"
	"secretstore/internal/migrate/stage/workloads"
)

// patchWith adds to a survey a JSON patch of its Deployment web, as inventory lists it.
func patchWith(t *testing.T, s *model.Survey, operations string) []any {
	t.Helper()
	list := read(t, "patch: "+operations)["patch"].([]any)
	parsed, _ := jsonpatch.Parse(list)
	base := s.Workloads[0]
	patch := base
	patch.Object.Partial = true
	patch.Object.Place = model.Place{File: "overlay.yaml", Item: -1, Line: 1}
	patch.Object.Patch = &model.Patch{Entry: model.Place{File: "kustomization.yaml", Item: -1, Inside: "/patches/1"}}
	patch.States = []model.Workload{base}
	var content any = base.Object.Content
	for i, o := range parsed {
		after, err := o.Apply(content)
		if err != nil {
			t.Fatal(err)
		}
		content = after
		patch.Object.Patch.Steps = append(patch.Object.Patch.Steps, model.Step{Operation: o, Line: i + 1, After: after.(map[string]any)})
		state := surveyed(after.(map[string]any))
		if len(state.Workloads) == 0 {
			state.Workloads = []model.Workload{{PodSpec: base.PodSpec}}
			state.Workloads[0].Object.Content = after.(map[string]any)
		}
		state.Workloads[0].Object.Ref, state.Workloads[0].Object.Partial = base.Object.Ref, true
		patch.States = append(patch.States, state.Workloads[0])
	}
	last := patch.States[len(patch.States)-1]
	patch.Object.Content, patch.Volumes, patch.Uses = last.Object.Content, last.Volumes, last.Uses
	s.Workloads = append(s.Workloads, patch)
	return list
}

// A JSON patch makes of the changed base what the migration makes of the object that it made before.
func TestJSONPatches(t *testing.T) {
	app, other, split := class("app", "a"), class("other", "x"), class("split", "a", "b")
	split.Files[1].Secret = "split-files-2"
	waiting := class("waiting", "a")
	waiting.Ready = false
	ts := []model.Translation{app, other, split, waiting}
	const at = "/spec/template/spec/volumes"
	tests := map[string]struct {
		reason, base, patch string
		want                string // the patch afterwards; empty where it is taken out of the kustomization
		held                bool   // neither is changed
		codes               string
	}{
		"Credentials": {
			reason: "mean nothing any more, tests of them neither", base: mounting,
			patch: `[{op: test, path: ` + at + `/0/name, value: v}, {op: test, path: ` + at + `/0/csi/driver, value: secrets-store.csi.k8s.io},
  {op: add, path: ` + at + `/0/csi/nodePublishSecretRef, value: {name: x}}]`,
			want: `[{op: test, path: ` + at + `/0/name, value: v}]`, codes: "M508 M521",
		},
		"NothingLeft": {
			reason: "an empty patch kustomize refuses", base: mounting,
			patch: `[{op: add, path: ` + at + `/0/csi/readOnly, value: true}]`, codes: "M508",
		},
		"Class": {
			reason: "another class is another Secret", base: mounting,
			patch: `[{op: replace, path: ` + at + `/0/csi/volumeAttributes/secretProviderClass, value: other}]`,
			want:  `[{op: replace, path: ` + at + `/0/secret, value: {secretName: other-files, items: [{key: x, path: x}]}}]`, codes: "M508",
		},
		"Source": {
			reason: "another kind of source takes two operations", base: mounting,
			patch: `[{op: replace, path: ` + at + `/0/csi/volumeAttributes/secretProviderClass, value: split}, {op: add, path: /spec/replicas, value: 2}]`,
			want: `[{op: remove, path: ` + at + `/0/secret}, {op: add, path: ` + at + `/0/projected, value: {sources: [
  {secret: {name: split-files, items: [{key: a, path: a}]}}, {secret: {name: split-files-2, items: [{key: b, path: b}]}}]}},
  {op: add, path: /spec/replicas, value: 2}]`, codes: "M508",
		},
		"Whole": {
			reason: "a volume that is replaced is translated in its value", base: mounting,
			patch: `[{op: replace, path: ` + at + `/0, value: ` + csi("v", "other") + `}]`,
			want:  `[{op: replace, path: ` + at + `/0, value: {name: v, secret: {secretName: other-files, items: [{key: x, path: x}]}}}]`, codes: "M508",
		},
		"Added": {
			reason: "one that is added first, and mounted after", base: mounting,
			patch: `[{op: add, path: ` + at + `/0, value: ` + csi("w", "other") + `},
  {op: add, path: /spec/template/spec/containers/0/volumeMounts/-, value: {name: w, mountPath: /w}}]`,
			want: `[{op: add, path: ` + at + `/0, value: {name: w, secret: {secretName: other-files, items: [{key: x, path: x}]}}},
  {op: add, path: /spec/template/spec/containers/0/volumeMounts/-, value: {name: w, mountPath: /w}}]`, codes: "M508",
		},
		"Removed": {
			reason: "a volume that goes, goes by its number still", base: mounting,
			patch: `[{op: remove, path: /spec/template/spec/containers/0/volumeMounts}, {op: remove, path: ` + at + `/0}]`,
			want:  `[{op: remove, path: /spec/template/spec/containers/0/volumeMounts}, {op: remove, path: ` + at + `/0}]`, codes: "M508",
		},
		"Waits": {
			reason: "a class that waits keeps patch and base back", base: mounting, held: true,
			patch: `[{op: add, path: ` + at + `/-, value: ` + csi("w", "waiting") + `}]`, codes: "M502",
			want: `[{op: add, path: ` + at + `/-, value: ` + csi("w", "waiting") + `}]`,
		},
		"Impossible": {
			reason: "what is copied out of the driver's volume has no successor", base: mounting, held: true,
			patch: `[{op: copy, from: ` + at + `/0/csi/driver, path: /metadata/annotations}]`, codes: "M173 M502",
			want: `[{op: copy, from: ` + at + `/0/csi/driver, path: /metadata/annotations}]`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := surveyed(workload(t, "Deployment", "", tc.base))
			s.Input.Folder = "."
			got := patchWith(t, &s, tc.patch)
			p := workloads.Plan(s, ts, zeroDowntime(nil))
			base, unlisted := 0, false
			for _, c := range p.Changes {
				switch {
				case c.Place.File == "overlay.yaml":
					got = patched(t, map[string]any{"patch": got}, below("patch", c.Edits))["patch"].([]any)
				case c.Place.File == "kustomization.yaml":
					unlisted = cmp.Equal(c.Edits, []model.FieldEdit{{Op: model.OpRemove, Path: model.Path{"patches", 1}}})
				case c.ID == "workloads/edit/deployment/shop/web":
					base++
				}
			}
			if (base == 0) != tc.held || unlisted != (tc.want == "") {
				t.Errorf("%s: base changed %d times, patch taken out: %t", tc.reason, base, unlisted)
			}
			if diff := cmp.Diff(tc.codes, codes(p)); diff != "" {
				t.Errorf("%s: codes (-want +got):\n%s", tc.reason, diff)
			}
			if tc.want == "" {
				return
			}
			if diff := cmp.Diff(read(t, "patch: "+tc.want)["patch"], any(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// below puts edits below a field.
func below(field string, edits []model.FieldEdit) []model.FieldEdit {
	moved := make([]model.FieldEdit, len(edits))
	for i, e := range edits {
		moved[i] = e
		moved[i].Path = model.Path{field}.Of(e.Path...)
	}
	return moved
}
