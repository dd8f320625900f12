package write

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"secretstore/internal/migrate/model"
)

// Manifests makes files of changes to a live cluster, for a person to review and to apply: each new object as a manifest, each
// change of an object that is there as a JSON patch that tests what it replaces, and a script that applies them in their order.
func Manifests(changes []model.Change) (Result, error) {
	r := Result{Files: map[string][]byte{}}
	var script []string
	for _, c := range changes {
		switch c.Verb {
		case model.Create:
			text, err := yaml.Marshal(c.Content)
			if err != nil {
				return Result{}, fmt.Errorf("writing %s: %w", c.Object, err)
			}
			name := path.Join(cmp.Or(harmless(c.Object.Namespace), "_cluster"), FileName(c.Object))
			r.Files[name] = text
			script = append(script, comment(c), "kubectl apply -f "+name, "")
		case model.Edit:
			patch, err := json.MarshalIndent(JSONPatch(c.Edits), "", "  ")
			if err != nil {
				return Result{}, fmt.Errorf("writing the patch of %s: %w", c.Object, err)
			}
			name := path.Join(cmp.Or(harmless(c.Object.Namespace), "_cluster"),
				strings.TrimSuffix(FileName(c.Object), ".yaml")+".patch.json")
			r.Files[name] = append(patch, '\n')
			script = append(script, comment(c), kubectlPatch(c, name), "")
		case model.Delete, model.Run, model.Check:
		}
	}
	if len(script) > 0 {
		const head = "#!/bin/sh\n# Applies what lies beside this file, in this order. Review it first.\n" +
			"set -eu\ncd \"$(dirname \"$0\")\"\n\n"
		r.Files["apply.sh"] = []byte(head + strings.Join(script, "\n"))
	}
	return r, nil
}

// comment says above a command what it does.
func comment(c model.Change) string {
	text := "# " + strings.ReplaceAll(c.Summary, "\n", "\n# ")
	if c.ByHand != "" {
		text += "\n# By hand: " + strings.ReplaceAll(c.ByHand, "\n", "\n# ")
	}
	return text
}

// kubectlPatch is the command that applies a patch; of what is somebody else's it is a comment.
func kubectlPatch(c model.Change, file string) string {
	command := "kubectl patch " + strings.ToLower(c.Object.Kind)
	if group := c.Object.Group(); group != "" {
		_, version, _ := strings.Cut(c.Object.APIVersion, "/")
		command += "." + version + "." + group
	}
	command += " " + c.Object.Name
	if c.Object.Namespace != "" {
		command += " -n " + c.Object.Namespace
	}
	command += " --type=json --patch-file=" + file
	if c.ByHand != "" {
		return "# " + command
	}
	return command
}

// JSONPatch is a change's edits as a JSON patch (RFC 6902). What an edit says that it replaces is tested first, so that an object
// that somebody changed meanwhile is refused.
func JSONPatch(edits []model.FieldEdit) []map[string]any {
	patch := make([]map[string]any, 0, len(edits))
	for _, e := range edits {
		pointer := e.Path.Pointer()
		if e.Op != model.OpAdd && e.Was != nil {
			patch = append(patch, map[string]any{"op": "test", "path": pointer, "value": e.Was})
		}
		operation := map[string]any{"op": string(e.Op), "path": pointer}
		if e.Op != model.OpRemove {
			operation["value"] = e.Value
		}
		patch = append(patch, operation)
	}
	return patch
}
