package translate_test

import (
	"encoding/json"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"

	"secretstore/internal/migrate/model"
	"secretstore/internal/spcparams"
)

// manifest reads YAML into what JSON gives.
func manifest(t *testing.T, text string) map[string]any {
	t.Helper()
	content := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &content); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return content
}

// read is a manifest as it was read.
func read(content map[string]any) model.Object {
	text := func(at ...any) string {
		value, _ := model.Path(at).Get(content)
		s, _ := value.(string)
		return s
	}
	return model.Object{Ref: model.Ref{
		APIVersion: text("apiVersion"), Kind: text("kind"), Namespace: text("metadata", "namespace"), Name: text("metadata", "name"),
	}, Content: content}
}

// class makes of a manifest what stage inventory makes of it; mistakes about clientID and variables are none there.
func class(t *testing.T, content map[string]any) model.Class {
	t.Helper()
	c := model.Class{Object: read(content), Parameters: map[string]string{}}
	parameters, _ := model.Path{"spec", "parameters"}.Get(content)
	for name, value := range parameters.(map[string]any) {
		c.Parameters[name] = value.(string)
	}
	c.Params, _ = spcparams.Parse(c.Parameters)
	if entries, ok := (model.Path{"spec", "secretObjects"}).Get(content); ok {
		data, err := json.Marshal(entries)
		if err != nil {
			t.Fatal(err)
		}
		var list []struct {
			SecretName          string
			Type                string
			Labels, Annotations map[string]string
			Data                []model.SecretKey
		}
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			c.SecretObjects = append(c.SecretObjects, model.SecretObject{
				Name: e.SecretName, Type: e.Type, Labels: e.Labels, Annotations: e.Annotations, Data: e.Data,
			})
		}
	}
	return c
}

// mounts makes a workload of each class, that mounts it with these subPaths, "" being the whole volume.
func mounts(s *model.Survey, class string, subPaths ...string) {
	for i := range s.Classes {
		c := &s.Classes[i]
		if c.Object.Name != class {
			continue
		}
		ref := model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: c.Object.Namespace, Name: "app-" + class}
		volume := model.Volume{Name: "secrets", Class: class, Credential: "creds"}
		for _, subPath := range subPaths {
			volume.Mounts = append(volume.Mounts, model.Mount{Container: "app", List: "containers", MountPath: "/mnt", SubPath: subPath})
		}
		s.Workloads = append(s.Workloads, model.Workload{Object: model.Object{Ref: ref}, Volumes: []model.Volume{volume}})
		c.UsedBy = append(c.UsedBy, ref)
	}
}

// survey makes a survey of classes, each mounted whole unless it is not to be.
func survey(t *testing.T, classes ...string) model.Survey {
	t.Helper()
	s := model.Survey{Secrets: map[string][]string{}}
	for _, text := range classes {
		s.Classes = append(s.Classes, class(t, manifest(t, text)))
	}
	slices.SortFunc(s.Classes, func(a, b model.Class) int { return a.Object.Compare(b.Object.Ref) })
	return s
}

// mounted is survey with every class mounted whole.
func mounted(t *testing.T, classes ...string) model.Survey {
	t.Helper()
	s := survey(t, classes...)
	for _, c := range s.Classes {
		mounts(&s, c.Object.Name, "")
	}
	return s
}

// identities give every class of a survey the account `secretstore`.
func identities(s model.Survey) model.Identities {
	ids := model.Identities{Identities: []model.Identity{{
		Key: "1", Name: "id", ClientID: "11111111-2222-3333-4444-555555555555", Tenant: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
	}}}
	for _, c := range s.Classes {
		ids.Accounts = append(ids.Accounts, model.Account{
			Namespace: c.Object.Namespace, Name: "secretstore", Identity: "1", Classes: []string{c.Object.Name},
		})
	}
	return ids
}

// apply makes the edits of a step, as a JSON patch would, and checks what they say about what was there.
func apply(t *testing.T, content map[string]any, edits []model.FieldEdit) map[string]any {
	t.Helper()
	data, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	var copied any
	if err := json.Unmarshal(data, &copied); err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		was, has := e.Path.Get(copied)
		if has != (e.Op != model.OpAdd) && e.Path.String() != "metadata.ownerReferences" {
			t.Fatalf("%s %s: the field is there: %v", e.Op, e.Path, has)
		}
		if e.Op != model.OpAdd && !sameJSON(t, was, e.Was) {
			t.Fatalf("%s %s: was %v, not %v", e.Op, e.Path, was, e.Was)
		}
		copied = edited(copied, e.Path, e)
	}
	return copied.(map[string]any)
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return string(x) == string(y)
}

func edited(in any, at model.Path, e model.FieldEdit) any {
	switch step := at[0].(type) {
	case string:
		fields := in.(map[string]any)
		switch {
		case len(at) > 1:
			fields[step] = edited(fields[step], at[1:], e)
		case e.Op == model.OpRemove:
			delete(fields, step)
		default:
			fields[step] = e.Value
		}
		return fields
	case int:
		list := in.([]any)
		switch {
		case len(at) > 1:
			list[step] = edited(list[step], at[1:], e)
		case e.Op == model.OpRemove:
			list = slices.Delete(list, step, step+1)
		case e.Op == model.OpAdd:
			list = slices.Insert(list, step, e.Value)
		default:
			list[step] = e.Value
		}
		return list
	}
	panic("a path of neither names nor indices")
}

// codes are the codes of findings, without repetition.
func codes(findings []model.Finding) []model.Code {
	found := []model.Code{}
	for _, f := range findings {
		found = append(found, f.Code)
	}
	slices.Sort(found)
	return slices.Compact(found)
}
