package translate_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/translate"
	"secretstore/internal/spcparams"
)

// draw makes a survey of a few classes of every kind of object, from a seed.
func draw(t *testing.T, r *rand.Rand) model.Survey {
	t.Helper()
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var classes []string
	for c := range 1 + r.IntN(4) {
		var objects []string
		for i := range 1 + r.IntN(5) {
			o := fmt.Sprintf("objectName: o%d-%d", c, i)
			o += pick("", "", "\nobjectAlias: dir/f"+strconv.Itoa(i), "\nobjectAlias: f_"+strconv.Itoa(i)+".txt")
			switch kind := pick("secret", "secret", "cert", "key"); kind {
			case "secret":
				o += "\nobjectType: secret" + pick("", "\nobjectFormat: pfx", "\nobjectEncoding: base64")
			default:
				o += "\nobjectType: " + kind
			}
			o += pick("", "", "\nobjectVersionHistory: 3", "\nobjectVersionHistory: 1") + pick("", "\nfilePermission: \"0400\"")
			objects = append(objects, o)
		}
		text := azure("class-"+strconv.Itoa(c), pick("", "usePodIdentity: \"false\"", "cloudName: AzureChinaCloud"), objects...)
		parsed := class(t, manifest(t, text)).Params
		var entries []string
		for i := range r.IntN(3) {
			paths := parsed.SourcePaths()
			entries = append(entries, secretObject("secret-"+strconv.Itoa(c+i), "Opaque", pick(paths...)+"=a", pick(paths...)+"=b"))
		}
		if len(entries) > 0 {
			text = making(text, entries...)
		}
		classes = append(classes, text)
	}
	s := survey(t, classes...)
	for _, c := range s.Classes {
		switch r.IntN(4) {
		case 0:
		case 1:
			mounts(&s, c.Object.Name)
		case 2:
			mounts(&s, c.Object.Name, c.Params.Objects[0].Base())
		default:
			mounts(&s, c.Object.Name, "")
		}
	}
	for i := range 5 {
		if name := "secret-" + strconv.Itoa(i); r.IntN(2) == 0 {
			s.Synced = append(s.Synced, driverMade(name))
			s.Secrets["shop"] = append(s.Secrets["shop"], name)
		}
	}
	return s
}

// options draws the operator's choices, sometimes with every question answered as proposed.
func options(r *rand.Rand, s model.Survey) model.Options {
	o := model.Options{
		Strategy: []model.Strategy{model.ZeroDowntime, model.Guide}[r.IntN(2)],
		Style:    []model.Style{model.StyleDirect, model.StyleAKVSync}[r.IntN(2)],
	}
	if r.IntN(3) > 0 {
		plan, _ := translate.Plan(s, identities(s), o)
		o.Decisions = map[string]string{}
		for _, d := range plan.Decisions {
			o.Decisions[d.ID] = d.Proposal
		}
	}
	return o
}

// done is the survey after a plan was carried out: what it made is there, healthy, and Secrets are handed over.
func done(t *testing.T, s model.Survey, plan model.Plan) model.Survey {
	t.Helper()
	after := s
	after.Classes, after.Existing, after.Synced = nil, nil, nil
	after.Secrets = map[string][]string{"shop": s.Secrets["shop"]}
	add := func(content map[string]any) {
		o := read(content)
		if o.Kind == "SecretProviderClass" {
			after.Classes = append(after.Classes, class(t, content))
		}
		after.Existing = append(after.Existing, o)
	}
	made := func(name, class, account string, data any) {
		content := map[string]any{
			"apiVersion": "secret-sync.x-k8s.io/v1alpha1", "kind": "SecretSync", "metadata": map[string]any{"name": name, "namespace": "shop"},
			"spec":   map[string]any{"secretProviderClassName": class, "serviceAccountName": account, "secretObject": data},
			"status": map[string]any{"conditions": []any{map[string]any{"type": "Update", "reason": "UpdateNoValueChangeSucceeded"}}},
		}
		add(content)
		after.Secrets["shop"] = append(after.Secrets["shop"], name)
	}
	edits := map[model.Ref][]model.FieldEdit{}
	for _, c := range plan.Changes {
		if c.Verb == model.Edit {
			edits[c.Object] = c.Edits
		}
		if c.Verb != model.Create {
			continue
		}
		spec := c.Content["spec"].(map[string]any)
		switch c.Object.Kind {
		case "SecretSync":
			made(c.Object.Name, spec["secretProviderClassName"].(string), spec["serviceAccountName"].(string), spec["secretObject"])
		case "AKVSync":
			add(c.Content)
			for _, e := range spec["objects"].([]any) {
				made(e.(map[string]any)["kubernetesSecretName"].(string), c.Object.Name, "secretstore", nil)
			}
		default:
			add(c.Content)
		}
	}
	for _, c := range s.Classes {
		content := apply(t, c.Object.Content, edits[c.Object.Ref])
		changed := class(t, content)
		changed.UsedBy = c.UsedBy
		after.Classes = append(after.Classes, changed)
		after.Existing = append(after.Existing, changed.Object)
	}
	for _, secret := range s.Synced {
		if edits[secret.Ref] != nil {
			secret.Managed = false
			secret.Owners = []model.Ref{{Kind: "SecretSync", Namespace: "shop", Name: secret.Ref.Name}}
		}
		after.Synced = append(after.Synced, secret)
	}
	return after
}

// unaccounted lists the objects of a class in use that are no file, no key, and the matter of no finding.
func unaccounted(c model.Class, tr model.Translation, plan model.Plan) []string {
	var missing []string
	for _, o := range c.Params.Objects {
		seen := false
		for _, f := range tr.Files {
			seen = seen || f.Name == o.Base() || strings.HasPrefix(f.Name, o.Base()+"/")
		}
		for _, entry := range c.SecretObjects {
			for _, d := range entry.Data {
				ref, err := (spcparams.Params{Objects: []spcparams.Object{o}}).Resolve(d.ObjectName)
				seen = seen || err == nil && ref.Object == 0
			}
		}
		for _, f := range plan.Findings {
			seen = seen || f.Object == c.Object.Ref && strings.Contains(f.Message, o.Base())
		}
		if !seen {
			missing = append(missing, o.Base())
		}
	}
	return missing
}

func TestProperties(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := draw(t, r)
		ids, o := identities(s), options(r, s)
		before, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		plan, translations := translate.Plan(s, ids, o)
		again, translationsAgain := translate.Plan(s, ids, o)
		if diff := cmp.Diff(plan, again) + cmp.Diff(translations, translationsAgain); diff != "" {
			t.Fatalf("seed %d: two runs differ:\n%s", seed, diff)
		}
		if after, _ := json.Marshal(s); string(before) != string(after) {
			t.Fatalf("seed %d: the survey was changed", seed)
		}
		i := 0
		for _, c := range s.Classes {
			if len(c.UsedBy) == 0 {
				continue
			}
			if i >= len(translations) || translations[i].Class != c.Object.Ref {
				t.Fatalf("seed %d: the class %s has no translation", seed, c.Object.Name)
			}
			if missing := unaccounted(c, translations[i], plan); len(missing) > 0 {
				t.Errorf("seed %d: class %s: nothing is said of %v", seed, c.Object.Name, missing)
			}
			i++
		}
		after := done(t, s, plan)
		second, _ := translate.Plan(after, ids, o)
		if got := steps(second); len(got) > 0 {
			t.Fatalf("seed %d (%s, %s): a second run would still do %v\n%+v", seed, o.Strategy, o.Style, got, second.Changes[0])
		}
	}
}
