package act

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// UnsetError says that a step needs a variable that has no value.
type UnsetError struct {
	Name string
	// SetBy is the step that sets it, zero if none does.
	SetBy model.Change
}

// Error says who sets it.
func (e *UnsetError) Error() string {
	switch {
	case e.SetBy.ID == "" && !model.IsPlans(e.Name):
		return fmt.Sprintf("the variable %s has no value, and no step gives it one: no plan uses it, so that an object holds it as "+
			"text, such as a class with a placeholder that nobody filled in: correct the object", e.Name)
	case e.SetBy.ID == "":
		return fmt.Sprintf("the variable %s has no value, and no step gives it one: set it in the environment or by its flag", e.Name)
	case e.SetBy.ByHand != "":
		return fmt.Sprintf("the variable %s has no value: the step %s would give it one, but %s Set it in the environment.", e.Name,
			e.SetBy.ID, e.SetBy.ByHand)
	}
	return fmt.Sprintf("the variable %s has no value: the step %s, which reads it, found none", e.Name, e.SetBy.ID)
}

// variables are the values of the plan's variables. An empty value is none.
type variables struct {
	values map[string]string
	setBy  map[string]model.Change
}

func newVariables(given map[string]string, changes []model.Change) variables {
	v := variables{values: map[string]string{}, setBy: map[string]model.Change{}}
	maps.Copy(v.values, given)
	for _, c := range changes {
		if c.Sets != "" {
			v.setBy[c.Sets] = c
		}
	}
	return v
}

// wanted tells whether a step's condition holds. A variable that nobody set is an error.
func (v variables) wanted(when string) (bool, error) {
	if when == "" {
		return true, nil
	}
	name, value, differs := strings.Cut(when, "!=")
	if !differs {
		name, value, _ = strings.Cut(when, "=")
	}
	have, set := v.values[name]
	if !set {
		return false, &UnsetError{Name: name, SetBy: v.setBy[name]}
	}
	return (have == value) != differs, nil
}

// resolve replaces the variables in what a step does. Content and edits of workloads are the cluster's own, in which `${NAME}` is
// an application's. The words for people keep the variables that have no value.
func (v variables) resolve(c model.Change) (model.Change, error) {
	r := replacer{variables: v}
	c.Summary, c.Manual, c.Undo = v.lenient(c.Summary), v.lenient(c.Manual), v.lenient(c.Undo)
	c.Command, c.Back = r.words(c.Command), r.words(c.Back)
	if c.Stage != model.Workloads {
		if c.Content != nil {
			c.Content, _ = r.value(c.Content).(map[string]any)
		}
		c.Edits = slices.Clone(c.Edits)
		for i := range c.Edits {
			c.Edits[i].Value = r.value(c.Edits[i].Value)
		}
	}
	if c.Gate != nil {
		gate := *c.Gate
		gate.Issuer, gate.Client, gate.Tenant = r.text(gate.Issuer), r.text(gate.Client), r.text(gate.Tenant)
		c.Gate = &gate
	}
	if c.Token != nil {
		c.Token = &model.Token{
			Namespace: r.text(c.Token.Namespace), Account: r.text(c.Token.Account), Audience: r.text(c.Token.Audience),
		}
	}
	return c, r.err
}

// known replaces what has a value in a step that somebody else does, and leaves the rest.
func (v variables) known(c model.Change) model.Change {
	c, _ = v.resolve(c) // what has no value stays as it is
	return c
}

// lenient replaces the variables that have a value.
func (v variables) lenient(text string) string {
	r := replacer{variables: v}
	return r.text(text)
}

// replacer replaces variables, and keeps the first error.
type replacer struct {
	variables
	err error
}

func (r *replacer) words(words []string) []string {
	words = slices.Clone(words)
	for i := range words {
		words[i] = r.text(words[i])
	}
	return words
}

// value replaces within a value of JSON.
func (r *replacer) value(value any) any {
	switch v := value.(type) {
	case string:
		return r.object(v)
	case []any:
		list := make([]any, 0, len(v))
		for _, entry := range v {
			list = append(list, r.value(entry))
		}
		return list
	case map[string]any:
		fields := make(map[string]any, len(v))
		for name, field := range v {
			fields[name] = r.value(field)
		}
		return fields
	}
	return value
}

// object replaces in a text of an object. What no plan uses is the text of whoever wrote the object.
func (r *replacer) object(text string) string {
	before := r.err
	replaced := r.text(text)
	unset := (*UnsetError)(nil)
	if before == nil && errors.As(r.err, &unset) && unset.SetBy.ID == "" && !model.IsPlans(unset.Name) {
		r.err = nil
	}
	return replaced
}

// text replaces each `${NAME}`, NAME being capitals, digits and underscores.
func (r *replacer) text(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || name == "" || model.Variable(name) != name {
			b.WriteString("${")
			text = rest
			continue
		}
		b.WriteString(r.of(name))
		text = after
	}
}

// of is a variable's value, or the variable itself if it has none.
func (r *replacer) of(name string) string {
	if value := r.values[name]; value != "" {
		return value
	}
	variable := "${" + name + "}"
	if name != model.VariableToken && variable != model.UIDOfSync && variable != model.UIDOfClass && r.err == nil {
		r.err = &UnsetError{Name: name, SetBy: r.setBy[name]}
	}
	return variable
}
