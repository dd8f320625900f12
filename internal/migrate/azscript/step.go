package azscript

import (
	"encoding/json"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/shell"
)

// step is one step: what is said of it, and its command.
func step(c model.Change, needed map[string]bool) string {
	var b strings.Builder
	b.WriteString("\n" + comment(c.Summary))
	for _, line := range []struct{ mark, of string }{
		{"needs: ", strings.Join(c.Needs, "; ")}, {"risk: ", c.Risk}, {"undo: ", c.Undo},
	} {
		if line.of != "" {
			b.WriteString(comment("  " + line.mark + line.of))
		}
	}
	text := b.String()
	command := render(c, needed)
	if c.When != "" {
		command = condition(c.When) + indent(command) + "fi\n"
	}
	if c.ByHand != "" && c.ByHand != model.LeftToOthers {
		return text + comment("  by hand: "+c.ByHand) + commented(command)
	}
	return text + command
}

// elsewhere tells of a step that is not done in Azure, so that the reader knows when it comes.
func elsewhere(c model.Change) string {
	text := "\n" + comment("(Not in this script: "+c.Summary+")")
	if c.Manual != "" {
		text += commented(c.Manual)
	}
	return text
}

// render is the command of a step.
func render(c model.Change, needed map[string]bool) string {
	words := c.Command
	if c.Token != nil {
		words = slices.Clone(words)
		if at := slices.Index(words, "--federated-token"); at >= 0 {
			words = slices.Delete(words, at, min(at+2, len(words)))
		}
		words = slices.Concat([]string{"exchange", c.Token.Namespace, c.Token.Account, c.Token.Audience}, words)
	}
	command := shell.Bash(words)
	if c.Sets != "" {
		text := c.Sets + "=\"$(" + command + ")\"\n"
		if needed[c.Sets] {
			text += ": \"${" + c.Sets + ":?az gave none}\"\n"
		}
		return text
	}
	if look := existing(words); look != nil {
		if words[len(words)-1] == "--yes" || slices.Contains(words, "delete") {
			return "if " + shell.Bash(look) + " 2>/dev/null; then\n" + indent(command+"\n") + "fi\n"
		}
		return shell.Bash(look) + " 2>/dev/null ||\n" + indent(command+"\n")
	}
	return command + "\n"
}

// existing is the command that tells whether there is already what another makes, or still what it deletes; nil where az can be
// told the same thing twice.
func existing(words []string) []string {
	starts := func(prefix ...string) bool {
		return len(words) >= len(prefix) && slices.Equal(words[:len(prefix)], prefix)
	}
	quiet := []string{"--output", "none"}
	switch {
	case starts("az", "identity", "create"):
		return slices.Concat([]string{"az", "identity", "show"}, flags(words, "--name", "--resource-group", "--subscription"), quiet)
	case starts("az", "k8s-extension", "create"), starts("az", "k8s-extension", "delete"):
		where := flags(words, "--cluster-type", "--cluster-name", "--resource-group", "--name")
		return slices.Concat([]string{"az", "k8s-extension", "show"}, where, quiet)
	case starts("az", "ad", "app", "federated-credential", "create"):
		var parameters struct{ Name string }
		at := slices.Index(words, "--parameters")
		if at < 0 || at+1 == len(words) || json.Unmarshal([]byte(words[at+1]), &parameters) != nil {
			return nil
		}
		show := []string{"az", "ad", "app", "federated-credential", "show", "--federated-credential-id", parameters.Name}
		return slices.Concat(show, flags(words, "--id"), quiet)
	}
	return nil
}

// flags are some of a command's flags with their values.
func flags(words []string, names ...string) []string {
	var found []string
	for _, name := range names {
		if at := slices.Index(words, name); at >= 0 && at+1 < len(words) {
			found = append(found, name, words[at+1])
		}
	}
	return found
}

// condition begins an if of `NAME=value` or `NAME!=value`.
func condition(when string) string {
	if name, value, found := strings.Cut(when, "!="); found {
		return "if [ \"${" + name + ":-}\" != " + shell.Bash([]string{value}) + " ]; then\n"
	}
	name, value, _ := strings.Cut(when, "=")
	return "if [ \"${" + name + ":-}\" = " + shell.Bash([]string{value}) + " ]; then\n"
}
