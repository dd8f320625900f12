package azscript

import "strings"

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

// indent moves lines to the right. No word has a line's end in it (see shell.Bash), so that every line begins one of the script.
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
