package translate

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/jsonpatch"
	"secretstore/internal/spcparams"
)

// Overlays patch classes, to read another vault for one. The patch has to reach the class's successor as well: its entry's
// target gets both names. That is right where the patch makes of the successor what the successor of the patched class would be.

// pieces are the patches of a class.
func (p *planner) pieces(w *work) []model.Class {
	var pieces []model.Class
	for _, c := range p.survey.Classes {
		if patch := c.Object.Patch; patch != nil && patch.Base != nil && patch.Base.Place == w.class.Object.Place {
			pieces = append(pieces, c)
		}
	}
	return pieces
}

// isFollowed tells whether a piece is a patch of a class that is planned by itself.
func (p *planner) isFollowed(piece model.Object) bool {
	return piece.Patch != nil && piece.Patch.Base != nil && slices.ContainsFunc(p.survey.Classes, func(c model.Class) bool {
		return c.Object.Place == piece.Patch.Base.Place
	})
}

// checkPatches tells of patches of the class that cannot reach its successor.
func (p *planner) checkPatches(w *work) {
	for _, piece := range p.pieces(w) {
		reason := cmp.Or(piece.Object.Patch.Unsure, w.unfit(piece), entryProblem(w, piece))
		if reason == "" {
			continue
		}
		p.plan.Findings = append(p.plan.Findings, model.Find(codePatched, piece.Object, "", "%s patches the class %s, and the patch "+
			"cannot reach its successor: %s.", piece.Object.Place, w.ref().Name, reason))
		p.tell(w, codePatched, "The patch at %s cannot reach the successor of the class: %s.", piece.Object.Place, reason)
	}
}

// unfit says why a patch does not make of the successor what the successor of the patched class would be; empty if it does.
func (w *work) unfit(piece model.Class) string {
	if !slices.Equal(given(piece.Params), given(w.class.Params)) {
		return "its objects give other files than those of the class, and SecretSyncs and volumes of the base list the latter"
	}
	patched := *w
	patched.class = piece
	if text := piece.Parameters[paramObjects]; text != w.class.Parameters[paramObjects] {
		if w.objects != w.class.Parameters[paramObjects] {
			return "its objects need another objectVersionHistory, as those of the class do: raise it in both first"
		}
		patched.objects = text
	}
	wanted, got := any(newClass(&patched)), any(newClass(w))
	patch := piece.Object.Patch
	for _, step := range patch.Steps {
		var err error
		if got, err = step.Apply(got); err != nil {
			return err.Error()
		}
	}
	if patch.Piece != nil {
		got, _ = jsonpatch.Merge(got, map[string]any{"spec": patch.Piece["spec"]})
	}
	spec := model.Path{"spec"}
	want, _ := spec.Get(wanted)
	have, _ := spec.Get(got)
	if !jsonpatch.Equal(want, have) {
		return "it sets what the successor has not, or has under another name (" + strings.Join(differing(want, have), ", ") + ")"
	}
	return ""
}

// differing are the fields of two specs that are not the same.
func differing(a, b any) []string {
	var names []string
	for _, at := range []model.Path{{}, {"parameters"}} {
		x, y := fieldsAt(a, at), fieldsAt(b, at)
		all := maps.Clone(x)
		maps.Copy(all, y)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if name != "parameters" && !jsonpatch.Equal(x[name], y[name]) {
				names = append(names, at.Of(name).String())
			}
		}
	}
	return names
}

// fieldsAt is the map that a path leads to, empty if it leads to none.
func fieldsAt(v any, at model.Path) map[string]any {
	found, _ := at.Get(v)
	if fields, ok := found.(map[string]any); ok {
		return fields
	}
	return map[string]any{}
}

// given is what files come of the objects of a class, sorted: everything about them but what the vault calls them.
func given(params spcparams.Params) []string {
	var all []string
	for _, o := range params.Objects {
		all = append(all, strings.Join([]string{
			o.Base(), string(o.Type), string(o.Format), string(o.Encoding), o.FilePermission, strconv.Itoa(o.History),
		}, "|"))
	}
	slices.Sort(all)
	return all
}

// entryProblem says why the entry of a patch cannot be made to name the successor too; empty if it can, or does.
func entryProblem(w *work, piece model.Class) string {
	patch := piece.Object.Patch
	list := jsonpatch.Steps(patch.Entry.Inside)[0]
	if !reaches(patch, w.newClass) && list == "patchesStrategicMerge" {
		return "an entry of patchesStrategicMerge has no target; list the patch under patches, by path, first"
	}
	return ""
}

// reaches tells whether a patch reaches a class of the name already.
func reaches(patch *model.Patch, name string) bool {
	if !patch.Targeted {
		return patch.Base != nil && patch.Base.Name == name
	}
	masked := variables().ReplaceAllLiteralString(patch.Target, "x")
	expression, err := regexp.Compile("^(?:" + masked + ")$")
	return patch.Target == "" || err == nil && expression.MatchString(variables().ReplaceAllLiteralString(name, "x"))
}

// spreadPatches has the patches of a class reach its successor too.
func (p *planner) spreadPatches(w *work) {
	for _, piece := range p.pieces(w) {
		patch := piece.Object.Patch
		if reaches(patch, w.newClass) {
			continue
		}
		steps := jsonpatch.Steps(patch.Entry.Inside)
		i, _ := strconv.Atoi(steps[1])
		target := model.Path{steps[0], i, "target"}
		edit := model.FieldEdit{Op: model.OpReplace, Path: target.Of("name"), Value: both(patch.Target, w.newClass), Was: patch.Target}
		if !patch.Targeted {
			edit = model.FieldEdit{Op: model.OpAdd, Path: target, Value: map[string]any{
				"kind": kindClass, "name": both(literally(w.ref().Name), w.newClass),
			}}
		}
		c := p.step(w, model.OrderTranslate+orderClass, model.Edit, piece.Object.Ref)
		c.ID += "@" + piece.Object.Place.String()
		c.Place, c.Edits = patch.Entry, []model.FieldEdit{edit}
		c.Place.Inside = ""
		c.For = w.ref()
		c.Summary = "Have the patch of the class " + w.ref().Name + " reach " + w.newClass + " as well: its target gets both names."
		c.Undo = "In a folder take the file back by version control."
		p.plan.Changes = append(p.plan.Changes, c)
	}
}

// both is a regular expression that fits what an old one fits, and a name.
func both(old, name string) string {
	if end, found := strings.CutPrefix(name, old); found && end == suffix {
		return old + "(" + suffix + ")?"
	}
	return old + "|" + literally(name)
}

// literally is a regular expression for a name. Of what a name may have only the dot means something else; variables stay.
func literally(name string) string { return strings.ReplaceAll(name, ".", `\.`) }
