package inventory

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/spcparams"
)

// placeholders are the `${…}` of a class, which a pipeline replaces before the class reaches a cluster. While the class is read
// each is hidden behind a word that is legal wherever a name is.
type placeholders struct {
	hiding, showing *strings.Replacer
}

// findPlaceholders finds those of all parameters.
func findPlaceholders(parameters map[string]string) placeholders {
	var found []string
	for _, name := range sortedKeys(parameters) {
		found = appendOnce(found, placeholdersOf(parameters[name])...)
	}
	all := strings.Join(slices.Collect(maps.Values(parameters)), "\n")
	if len(found) == 0 {
		return placeholders{}
	}
	word := "zq" // short, since a vault's name may have 24 characters; unlike everything else in the class
	for strings.Contains(all, word) {
		word += "q"
	}
	var hide, show []string
	for i, placeholder := range found {
		hidden := word + strconv.Itoa(i) + "z"
		hide, show = append(hide, placeholder, hidden), append(show, hidden, placeholder)
	}
	return placeholders{strings.NewReplacer(hide...), strings.NewReplacer(show...)}
}

// placeholdersOf lists the `${NAME}` in a text.
func placeholdersOf(text string) []string {
	var found []string
	for {
		_, rest, more := strings.Cut(text, "${")
		if !more {
			return found
		}
		name, after, closed := strings.Cut(rest, "}")
		if closed && name != "" && !strings.ContainsAny(name, " \t\r\n${") {
			found = append(found, "${"+name+"}")
			rest = after
		}
		text = rest
	}
}

// hide returns the parameters with every placeholder hidden.
func (p placeholders) hide(parameters map[string]string) map[string]string {
	if p.hiding == nil {
		return parameters
	}
	hidden := maps.Clone(parameters)
	for name, value := range hidden {
		hidden[name] = p.hiding.Replace(value)
	}
	return hidden
}

// reveal returns a text as it was written.
func (p placeholders) reveal(text string) string {
	if p.showing == nil {
		return text
	}
	return p.showing.Replace(text)
}

// in tells whether a revealed text holds a placeholder.
func (p placeholders) in(text string) bool { return p.hiding != nil && p.hiding.Replace(text) != text }

// show returns what was read as it was written.
func (p placeholders) show(params spcparams.Params) spcparams.Params {
	for _, field := range []*string{&params.ClientID, &params.TenantID, &params.VaultName, &params.CloudName} {
		*field = p.reveal(*field)
	}
	for i := range params.Objects {
		object := &params.Objects[i]
		for _, field := range []*string{&object.Name, &object.Alias, &object.Version} {
			*field = p.reveal(*field)
		}
	}
	for i := range params.Warnings {
		params.Warnings[i].Text = p.reveal(params.Warnings[i].Text)
		params.Warnings[i].Path = p.reveal(params.Warnings[i].Path)
	}
	return params
}
