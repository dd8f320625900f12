// Package azscript writes the part of a plan that is done in Azure as a script for bash: to be read by a person, and then run by
// one who is signed in there.
//
// Promises: the script holds no secret; each step says what it does, what it needs and risks, and how it is undone; it stops at
// the first failure; a section can be run again; credentials of an identity are written one after the other; what takes rights
// away does nothing unless it is asked to by REVOKE=yes; and words reach az as they are in the plan, whatever is in them.
//
// It is pure.
package azscript

import (
	"fmt"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/shell"
)

// section is a part of the script that is run by itself.
type section struct{ name, function, title string }

// sections are those of the script, in their order. What is planned for a stage that is none of them is not done in Azure.
func sections() map[model.StageName]section {
	return map[model.StageName]section{
		model.Prepare:    {"prepare", "prepare", "Prepare: identities, their rights and credentials"},
		model.Switchover: {"switchover", "switch_over", "Switch over: extensions come and go; see the plan for the right moment"},
		model.Cleanup:    {"cleanup", "clean_up", "Clean up: what the old principals may do; last of all"},
	}
}

// Script is the script of a report.
func Script(r model.Report) string {
	changes := model.SortChanges(slices.Clone(r.Changes))
	var b strings.Builder
	b.WriteString(heading(r))
	b.WriteString(inputs(changes))
	b.WriteString(functions)
	for _, stage := range []model.StageName{model.Prepare, model.Switchover, model.Cleanup} {
		s := sections()[stage]
		fmt.Fprintf(&b, "\n# ---- %s ----\n%s() {\n", s.title, s.function)
		b.WriteString(indent(body(stage, changes)))
		b.WriteString("}\n")
	}
	b.WriteString(ending)
	return b.String()
}

// heading says what the script is.
func heading(r model.Report) string {
	source := "the cluster " + r.Input.Cluster
	if r.Input.IsFolder() {
		source = "the folder " + r.Input.Folder
	}
	return "#!/usr/bin/env bash\n" + comment("The part of a migration to "+string(r.Options.Target)+" (strategy "+
		""+string(r.Options.Strategy)+
		") that is done in Azure, planned from "+source+".") + "#\n" +
		comment("Read it before you run it. Run one section at a time, when the plan has come there:") +
		"#   bash azure.sh prepare\n#   bash azure.sh switchover\n#   REVOKE=yes bash azure.sh cleanup\n#\n" +
		comment("It holds no secret. It stops at the first failure, and a section can be run again.") +
		"set -euo pipefail\n"
}

// functions are what steps are made of. The token of a service account is minted for each try and kept in memory; the login that
// it is tried with is kept in a folder of its own, so that yours stays.
const functions = `
# exchange NAMESPACE ACCOUNT AUDIENCE COMMAND… waits until Entra takes a token of the service account: ten minutes at most.
# It runs by itself, so that the login that it tries leaves nothing on the disk, however it ends.
exchange() (
  namespace="$1" account="$2" audience="$3" token='' cloud='' folder=''
  shift 3
  cloud="$(az cloud show --query name --output tsv)"
  folder="$(mktemp -d)"
  trap 'rm -rf "$folder"' EXIT
  for _ in $(seq 1 40); do
    token="$(kubectl create token "$account" --namespace "$namespace" --audience "$audience" --duration 10m)"
    if AZURE_CONFIG_DIR="$folder" AZURE_CLOUD_NAME="$cloud" "$@" --federated-token "$token"; then
      return 0
    fi
    sleep 15
  done
  echo "Entra does not take tokens of $namespace/$account: compare issuer, subject and audience of its credential" >&2
  return 1
)
`

const ending = `
case "${1:-}" in
  prepare) prepare ;;
  switchover) switch_over ;;
  cleanup) clean_up ;;
  *)
    echo "usage: $0 prepare | switchover | cleanup" >&2
    exit 2
    ;;
esac
`

// inputs are the variables that the operator has to set: all that the steps use and none of them sets.
func inputs(changes []model.Change) string {
	set := map[string]bool{model.VariableToken: true}
	used := map[string]bool{}
	for _, c := range changes {
		if !isAzure(c) {
			continue
		}
		if c.Sets != "" {
			set[c.Sets] = true
		}
		for _, word := range c.Command {
			for _, name := range shell.Variables(word) {
				used[name] = true
			}
		}
	}
	var lines []string
	for name := range used {
		if !set[name] {
			lines = append(lines, fmt.Sprintf(": \"${%s:?say %s}\"\n", name, meaning(name)))
		}
	}
	if len(lines) == 0 {
		return ""
	}
	slices.Sort(lines)
	return "\n# What the plan was not told.\n" + strings.Join(lines, "")
}

// meaning says what a variable of the guide stands for.
func meaning(name string) string {
	known := map[string]string{
		"SUBSCRIPTION": "the subscription for the managed identities", "RESOURCE_GROUP": "the resource group of the cluster",
		"CLUSTER_NAME": "the name of the cluster in Azure", "LOCATION": "the Azure region for the managed identities",
		"AZURE_TENANT_ID": "the Entra tenant of the managed identities", "USER_ASSIGNED_IDENTITY_NAME": "a name for the " +
			"managed identity",
		"KUBERNETES_NAMESPACE": "the namespace that the manifests are applied to", "KEYVAULT_NAME": "the name of the key vault",
	}
	if text, ok := known[name]; ok {
		return text
	}
	return "what the manifests mean by this variable"
}

// isAzure tells the steps that this script is for.
func isAzure(c model.Change) bool {
	_, known := sections()[c.Stage]
	return known && len(c.Command) > 0 && c.Command[0] == "az"
}

// body is the steps of a section. What takes rights away is put behind a condition, after what writes down what they were.
func body(stage model.StageName, changes []model.Change) string {
	var plain, final strings.Builder
	needed := usedLater(changes)
	for _, c := range changes {
		switch {
		case c.Stage != stage:
		case !isAzure(c):
			plain.WriteString(elsewhere(c))
		case c.Irreversible:
			final.WriteString(step(c, needed))
		default:
			plain.WriteString(step(c, needed))
		}
	}
	text := plain.String()
	if dropComments(final.String()) == "" {
		text += final.String()
	} else {
		text += "\nif [ \"${REVOKE:-no}\" = yes ]; then\n" + indent(strings.TrimPrefix(final.String(), "\n")) + "else\n" +
			"  echo 'Nothing is revoked: run with REVOKE=yes once all is proved.' >&2\nfi\n"
	}
	if dropComments(text) == "" {
		text += "\necho 'Nothing is to be done in Azure here.' >&2\n"
	}
	return strings.TrimPrefix(text, "\n")
}

// dropComments leaves the lines that do something.
func dropComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); trimmed != "" && !strings.HasPrefix(trimmed, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// usedLater are the variables that commands are made of.
func usedLater(changes []model.Change) map[string]bool {
	used := map[string]bool{}
	for _, c := range changes {
		if isAzure(c) {
			for _, word := range c.Command {
				for _, name := range shell.Variables(word) {
					used[name] = true
				}
			}
		}
	}
	return used
}
