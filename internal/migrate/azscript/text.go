package azscript

import (
	"regexp"
	"strings"
)

// width is where comments are broken.
const width = 110

// comment is a text as comment lines, broken at blanks. Lines of the text that begin with blanks keep them.
func comment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		margin := line[:len(line)-len(strings.TrimLeft(line, " "))]
		current := ""
		for word := range strings.FieldsSeq(line) {
			if current != "" && len(margin)+len(current)+1+len(word) > width {
				b.WriteString("# " + margin + current + "\n")
				current = ""
			}
			if current != "" {
				current += " "
			}
			current += word
		}
		b.WriteString(strings.TrimRight("# "+margin+current, " ") + "\n")
	}
	return b.String()
}

// commented puts lines that are code, or a text whose lines have to stay, into comments.
func commented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		b.WriteString(strings.TrimRight("#   "+line, " \n") + "\n")
	}
	return b.String()
}

// indent moves lines to the right. No word has a line's end in it (see literal), so that every line begins one of the script.
func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			b.WriteString("  ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// shell is a command as an operator types it: each word quoted where a shell would take it apart. ${VARIABLES} stay variables,
// within a word that stays one whatever they hold.
func shell(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, word := range words {
		quoted = append(quoted, quote(word))
	}
	return strings.Join(quoted, " ")
}

// quote is one word. Pieces between variables are quoted by apostrophes where they have to be, variables by quotation marks.
func quote(word string) string {
	if plain().MatchString(word) {
		return word
	}
	if word == "" {
		return "''"
	}
	var b strings.Builder
	rest := 0
	for _, at := range variable().FindAllStringIndex(word, -1) {
		b.WriteString(literal(word[rest:at[0]]))
		b.WriteString(`"` + word[at[0]:at[1]] + `"`)
		rest = at[1]
	}
	return b.String() + literal(word[rest:])
}

// literal is a text that stands for itself, on one line.
func literal(text string) string {
	if text == "" || plain().MatchString(text) {
		return text
	}
	if strings.ContainsAny(text, "\n\r\t") {
		escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
		return "$'" + escape.Replace(text) + "'"
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func plain() *regexp.Regexp { return regexp.MustCompile(`^[-+=:,./@%_A-Za-z0-9]+$`) }

func variable() *regexp.Regexp { return regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`) }

// variables are the names of those in a word.
func variables(word string) []string {
	var names []string
	for _, found := range variable().FindAllString(word, -1) {
		names = append(names, strings.Trim(found, "${}"))
	}
	return names
}

// Line is a command on one line, as an operator types it.
func Line(words []string) string { return shell(words) }
