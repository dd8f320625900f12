package az

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/shell"
)

// arguments are a command's, taken apart.
type arguments struct {
	flags map[string][]string
	// query is what the pattern of --query matched, the whole first.
	query []string
}

// one is the value of a flag, empty without it.
func (a arguments) one(flag string) string { return strings.Join(a.flags[flag], " ") }

// or is the value of a flag, or another without it.
func (a arguments) or(flag, other string) string {
	if value := a.one(flag); value != "" {
		return value
	}
	return other
}

// common are flags that every command understands.
func common() []string { return []string{"--query", "--output", "--yes", "--only-show-errors"} }

// parse finds a command in the table, and refuses what is not wholly known.
func parse(argv []string) (command, arguments, error) {
	unsupported := func(why string) (command, arguments, error) {
		return command{}, arguments{}, &UnsupportedError{Command: shell.Bash(withoutTokens(argv)), Why: why}
	}
	at := slices.IndexFunc(argv, func(word string) bool { return strings.HasPrefix(word, "-") })
	if at < 0 {
		at = len(argv)
	}
	if at == 0 || argv[0] != "az" {
		return unsupported("it is no az command")
	}
	words := strings.Join(argv[1:at], " ")
	table := commands()
	found := slices.IndexFunc(table, func(c command) bool { return c.words == words })
	if found < 0 {
		return unsupported("az " + words + " is none that it knows")
	}
	c, a := table[found], arguments{flags: flags(argv[at:])}
	if why := c.refuses(&a); why != "" {
		return unsupported(why)
	}
	return c, a, nil
}

// flags are the flags with their values, which may be several.
func flags(words []string) map[string][]string {
	found, last := map[string][]string{}, ""
	for _, word := range words {
		if strings.HasPrefix(word, "--") {
			last = word
			found[last] = []string{}
			continue
		}
		found[last] = append(found[last], word)
	}
	return found
}

// refuses says what of the arguments a command does not know, and keeps what its query matched.
func (c command) refuses(a *arguments) string {
	return cmp.Or(c.refusesFlags(*a), c.refusesValues(*a), c.refusesQuery(a))
}

func (c command) refusesFlags(a arguments) string {
	known := slices.Concat(c.needs, c.either, c.flags, common())
	for _, flag := range slices.Sorted(maps.Keys(a.flags)) {
		if !slices.Contains(known, flag) {
			return "the flag " + flag + " is none that it knows here"
		}
	}
	for _, flag := range c.needs {
		if a.one(flag) == "" {
			return "the flag " + flag + " is missing"
		}
	}
	given := func(flag string) bool { return a.one(flag) != "" }
	if len(c.either) > 0 && !slices.ContainsFunc(c.either, given) {
		return "one of the flags " + strings.Join(c.either, ", ") + " is missing"
	}
	return ""
}

func (c command) refusesValues(a arguments) string {
	for _, flag := range segments() {
		if strings.ContainsAny(a.one(flag), "/?#") {
			return "the value of " + flag + " is no name"
		}
	}
	only := maps.Clone(c.only)
	if only == nil {
		only = map[string][]string{}
	}
	only["--output"] = []string{"tsv", "json", "none"}
	for _, flag := range slices.Sorted(maps.Keys(only)) {
		same := func(value string) bool { return strings.EqualFold(value, a.one(flag)) }
		if a.one(flag) != "" && !slices.ContainsFunc(only[flag], same) {
			return flag + " " + a.one(flag) + " is none that it knows here"
		}
	}
	return ""
}

func (c command) refusesQuery(a *arguments) string {
	query := a.one("--query")
	if len(c.queries) == 0 && query == "" {
		return ""
	}
	for _, pattern := range c.queries {
		if a.query = regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(query); a.query != nil {
			return ""
		}
	}
	return "the query " + query + " is none that it knows here"
}

// segments are the flags whose values become part of an ARM ID.
func segments() []string {
	return []string{"--subscription", "--resource-group", "--name", "--identity-name", "--cluster-name"}
}

// withoutTokens is a command that may be shown.
func withoutTokens(argv []string) []string {
	shown := slices.Clone(argv)
	for i := range shown {
		if i > 0 && slices.Contains([]string{"--federated-token", "--password"}, shown[i-1]) {
			shown[i] = "${" + model.VariableToken + "}"
		}
	}
	return shown
}
