// Package shell writes commands as an operator types them: each word quoted where a shell would take it apart. ${VARIABLES} stay
// variables, within a word that stays one whatever they hold.
//
// It is pure.
package shell

import (
	"regexp"
	"strings"
)

// Command is a command for any shell.
func Command(words []string) string { return join(words, apostrophes) }

// Bash is a command for bash, on one line whatever its words hold.
func Bash(words []string) string { return join(words, oneLine) }

// Variables are the names of the variables in a word.
func Variables(word string) []string {
	var names []string
	for _, found := range variable().FindAllString(word, -1) {
		names = append(names, strings.Trim(found, "${}"))
	}
	return names
}

func join(words []string, literal func(string) string) string {
	quoted := make([]string, 0, len(words))
	for _, word := range words {
		quoted = append(quoted, quote(word, literal))
	}
	return strings.Join(quoted, " ")
}

// quote is one word. Pieces between variables are made literal where they have to be, variables quoted by quotation marks.
func quote(word string, literal func(string) string) string {
	if word == "" {
		return "''"
	}
	var b strings.Builder
	rest := 0
	for _, at := range variable().FindAllStringIndex(word, -1) {
		b.WriteString(piece(word[rest:at[0]], literal))
		b.WriteString(`"` + word[at[0]:at[1]] + `"`)
		rest = at[1]
	}
	return b.String() + piece(word[rest:], literal)
}

// piece is a text that stands for itself.
func piece(text string, literal func(string) string) string {
	if text == "" || regexp.MustCompile(`^[-+=:,./@%_A-Za-z0-9]+$`).MatchString(text) {
		return text
	}
	return literal(text)
}

func apostrophes(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func oneLine(text string) string {
	if !strings.ContainsAny(text, "\n\r\t") {
		return apostrophes(text)
	}
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	return "$'" + escape.Replace(text) + "'"
}

func variable() *regexp.Regexp { return regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`) }
