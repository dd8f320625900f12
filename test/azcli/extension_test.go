//go:build long

package azcli_test

import (
	"fmt"
	"slices"
	"strings"
)

// documented is what Microsoft documents of a command that comes with an extension of the CLI.
type documented struct {
	// required flags have to be there, optional ones may; all take a value but switches.
	required, optional, switches []string
}

// extensions are the commands of extensions that plans have. The extensions cannot be had here: they are not on PyPI.
//
// Sources: https://learn.microsoft.com/cli/azure/k8s-extension (create, delete, show, list),
// https://learn.microsoft.com/cli/azure/connectedk8s (show, update),
// https://learn.microsoft.com/azure/azure-arc/kubernetes/workload-identity (--enable-oidc-issuer), and Microsoft's migration guide,
// whose own commands are of this form.
func extensions() map[string]documented {
	cluster := []string{"--cluster-type", "--cluster-name", "--resource-group"}
	named := append(slices.Clone(cluster), "--name")
	return map[string]documented{
		"k8s-extension create": {
			required: append(slices.Clone(named), "--extension-type"),
			optional: []string{"--scope", "--release-namespace", "--release-train", "--version", "--configuration-settings"},
		},
		"k8s-extension delete": {required: named, switches: []string{"--yes", "--force"}},
		"k8s-extension show":   {required: named},
		"k8s-extension list":   {required: cluster},
		"connectedk8s show":    {required: []string{"--name", "--resource-group"}},
		"connectedk8s update": {
			required: []string{"--name", "--resource-group"}, switches: []string{"--enable-oidc-issuer", "--enable-workload-identity"},
		},
	}
}

// checkExtension says what is wrong with a command of an extension, and whether it is one.
func checkExtension(words []string) (problem string, extension bool) {
	if len(words) < 2 || words[0] != "k8s-extension" && words[0] != "connectedk8s" {
		return "", false
	}
	doc, known := extensions()[strings.Join(words[:2], " ")]
	if !known {
		return "no such command is documented", true
	}
	global := []string{"--query", "--output", "--subscription"}
	given := []string{}
	for i := 2; i < len(words); i++ {
		switch word := words[i]; {
		case slices.Contains(doc.switches, word):
			given = append(given, word)
		case slices.Contains(slices.Concat(doc.required, doc.optional, global), word) && i+1 < len(words):
			given = append(given, word)
			i++
			for word == "--configuration-settings" && i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
				i++ // it takes several
			}
		default:
			return fmt.Sprintf("%q is not documented", word), true
		}
	}
	for _, flag := range doc.required {
		if !slices.Contains(given, flag) {
			return flag + " is missing", true
		}
	}
	return "", true
}
