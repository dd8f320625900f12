package az

import (
	"slices"
	"strings"
)

// Reverse is the command that takes back what another made, and whether there is one: what reads has none, and what deletes has
// none either, since what was there has to be known for it. A command that did nothing (see Run) must not be taken back.
func Reverse(argv []string) ([]string, bool) {
	c, a, err := parse(argv)
	if err != nil {
		return nil, false
	}
	switch c.words {
	case "identity create":
		return a.command("az identity delete", "--name", "--resource-group", "--subscription"), true
	case "identity federated-credential create":
		back := a.command("az identity federated-credential delete", "--name", "--identity-name", "--resource-group", "--subscription")
		return append(back, "--yes"), true
	case "role assignment create":
		return a.command("az role assignment delete", "--assignee-object-id", "--role", "--scope"), true
	case "keyvault set-policy":
		return a.command("az keyvault delete-policy", "--name", "--object-id", "--subscription"), true
	case "k8s-extension create":
		back := a.command("az k8s-extension delete", "--cluster-type", "--cluster-name", "--resource-group", "--name", "--subscription")
		return append(back, "--yes"), true
	}
	return nil, false
}

// command is a command with some of the flags, as far as they are there.
func (a arguments) command(words string, names ...string) []string {
	argv := strings.Fields(words)
	for _, name := range names {
		if values, given := a.flags[name]; given {
			argv = slices.Concat(argv, []string{name}, values)
		}
	}
	return argv
}
