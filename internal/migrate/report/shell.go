package report

import (
	"regexp"
	"strings"
)

// Shell is a command as an operator types it: each word quoted where a shell would take it apart. ${VARIABLES} stay variables, in
// double quotes, so that they are one word whatever they hold.
func Shell(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, word := range words {
		quoted = append(quoted, quote(word))
	}
	return strings.Join(quoted, " ")
}

func quote(word string) string {
	plain := regexp.MustCompile(`^[-+=:,./@%_A-Za-z0-9]+$`)
	variable := regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)
	switch {
	case plain.MatchString(word):
		return word
	case !variable.MatchString(word):
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	rest := word
	for _, at := range variable.FindAllStringIndex(word, -1) {
		start, end := at[0]-(len(word)-len(rest)), at[1]-(len(word)-len(rest))
		b.WriteString(escape(rest[:start]) + rest[start:end])
		rest = rest[end:]
	}
	return `"` + b.String() + escape(rest) + `"`
}

// escape makes a text stand for itself within double quotes.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(text)
}
