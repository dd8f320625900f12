package azscript_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/azscript"
	"secretstore/internal/migrate/model"
)

// report is one with the given steps.
func report(changes ...model.Change) model.Report {
	return model.Report{
		Input: model.Input{Cluster: "uid"}, Options: model.Options{Target: model.TargetSecretStore, Strategy: model.ZeroDowntime},
		Plan: model.Plan{Changes: changes},
	}
}

func run(order int, command ...string) model.Change {
	return model.Change{Stage: model.Prepare, Order: order, Verb: model.Run, Command: command, Summary: "Do it.", Undo: "Undo it."}
}

// fakeAz notes how many arguments it got and each of them, ended by NUL bytes. It knows nothing that it is asked to show, but
// answers what is asked for by --query.
const fakeAz = `#!/usr/bin/env bash
printf '%s\0' "$#" "$@" >>"$AZ_LOG"
for word in "$@"; do
  if [ "$word" = --query ]; then echo "$AZ_ANSWER"; exit 0; fi
done
for word in "$@"; do
  if [ "$word" = show ]; then exit "${AZ_SHOW:-1}"; fi
done
`

// execute runs a section of a script with a stand-in for az, and returns the commands that it got.
func execute(t *testing.T, script, section string, env ...string) (commands [][]string, output string, failed bool) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	for name, content := range map[string]string{"az": fakeAz, "kubectl": "#!/bin/sh\necho token\n", "script": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "script"), section)
	command.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "AZ_LOG="+log, "AZ_ANSWER=answer")
	command.Env = append(command.Env, env...)
	out, err := command.CombinedOutput()
	noted, readErr := os.ReadFile(log)
	if readErr != nil && !os.IsNotExist(readErr) {
		t.Fatal(readErr)
	}
	for words := strings.Split(string(noted), "\x00"); len(words) > 1; {
		count, err := strconv.Atoi(words[0])
		if err != nil {
			t.Fatal(err)
		}
		commands = append(commands, words[1:1+count])
		words = words[1+count:]
	}
	return commands, string(out), err != nil
}

func parses(t *testing.T, script string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", "-n")
	command.Stdin = strings.NewReader(script)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("bash does not understand the script: %v\n%s\n%s", err, out, script)
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	create := run(201, "az", "identity", "create", "--name", "${USER_ASSIGNED_IDENTITY_NAME}", "--resource-group", "g", "--location", "l")
	read := run(202, "az", "identity", "show", "--name", "n", "--query", "clientId")
	read.Sets = "USER_ASSIGNED_CLIENT_ID"
	onlyRBAC, onlyPolicy := run(203, "az", "role", "x", "${USER_ASSIGNED_CLIENT_ID}"), run(203, "az", "policy")
	onlyRBAC.When, onlyPolicy.When = "USER_ASSIGNED_CLIENT_ID=answer", "USER_ASSIGNED_CLIENT_ID!=answer"
	exchange := run(204, "az", "login", "--username", "u", "--federated-token", "${FEDERATED_TOKEN}", "--output", "none")
	exchange.Token = &model.Token{Namespace: "shop", Account: "sa", Audience: "aud"}
	manual := run(200)
	manual.Manual = "config.yaml:\n  - 'x'\n"
	theirs := run(205, "az", "ad", "app")
	theirs.ByHand = "another tenant"
	others := run(206, "az", "left", "to-others")
	others.ByHand = model.LeftToOthers
	revoke := run(1001, "az", "role", "assignment", "delete")
	revoke.Stage, revoke.Irreversible = model.Cleanup, true
	remove := run(800, "az", "k8s-extension", "delete", "--name", "x", "--yes")
	remove.Stage = model.Switchover
	script := azscript.Script(report(revoke, remove, others, theirs, exchange, onlyPolicy, onlyRBAC, read, create, manual))
	parses(t, script)
	for name, c := range map[string]struct {
		reason  string
		section string
		env     []string
		want    []string
		failed  bool
		says    string
	}{
		"prepare": {
			reason: "in order, by condition, with a token, and what others do left out", section: "prepare",
			env: []string{"USER_ASSIGNED_IDENTITY_NAME=a b"},
			want: []string{
				"identity|show|--name|a b|--resource-group|g|--output|none", "identity|create|--name|a b|--resource-group|g|--location|l",
				"identity|show|--name|n|--query|clientId", "role|x|answer", "cloud|show|--query|name|--output|tsv",
				"login|--username|u|--output|none|--federated-token|token", "left|to-others",
			},
		},
		"prepare again": {
			reason: "what is there is not made", section: "prepare", env: []string{"USER_ASSIGNED_IDENTITY_NAME=a b", "AZ_SHOW=0"},
			want: []string{
				"identity|show|--name|a b|--resource-group|g|--output|none",
				"identity|show|--name|n|--query|clientId", "role|x|answer", "cloud|show|--query|name|--output|tsv",
				"login|--username|u|--output|none|--federated-token|token", "left|to-others",
			},
		},
		"a variable is missing": {
			reason: "it is said which", section: "prepare", failed: true,
			says: "USER_ASSIGNED_IDENTITY_NAME: say a name for the managed identity",
		},
		"az knows nothing": {
			reason: "what is read must not be empty", section: "prepare", failed: true, says: "USER_ASSIGNED_CLIENT_ID: az gave none",
			env:  []string{"USER_ASSIGNED_IDENTITY_NAME=n", "AZ_ANSWER="},
			want: []string{"identity|show|--name|n|--resource-group|g|--output|none", "identity|create|--name|n|--resource-group|g|--location|l", "identity|show|--name|n|--query|clientId"},
		},
		"no section": {reason: "nothing happens by accident", env: []string{"USER_ASSIGNED_IDENTITY_NAME=n"}, failed: true, says: "usage:"},
		"clean up": {
			reason: "nothing is revoked unless it is asked for", section: "cleanup", env: []string{"USER_ASSIGNED_IDENTITY_NAME=n"},
			says: "Nothing is revoked",
		},
		"clean up, revoke": {
			reason: "it is asked for", section: "cleanup", env: []string{"USER_ASSIGNED_IDENTITY_NAME=n", "REVOKE=yes"},
			want: []string{"role|assignment|delete"},
		},
		"switch over, gone": {
			reason: "what is gone is not deleted", section: "switchover", env: []string{"USER_ASSIGNED_IDENTITY_NAME=n"},
			want: []string{"k8s-extension|show|--name|x|--output|none"},
		},
		"switch over": {
			reason: "the extension goes", section: "switchover", env: []string{"USER_ASSIGNED_IDENTITY_NAME=n", "AZ_SHOW=0"},
			want: []string{"k8s-extension|show|--name|x|--output|none", "k8s-extension|delete|--name|x|--yes"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			commands, output, failed := execute(t, script, c.section, c.env...)
			var got []string
			for _, command := range commands {
				got = append(got, strings.Join(command, "|"))
			}
			if diff := cmp.Diff(c.want, got); diff != "" || failed != c.failed || !strings.Contains(output, c.says) {
				t.Errorf("%s; failed: %t, it said %q; commands -want +got:\n%s", c.reason, failed, output, diff)
			}
		})
	}
	for _, text := range []string{"#!/usr/bin/env bash\n", "set -euo pipefail\n", "  #   undo: Undo it.\n", "  #     - 'x'\n", "another tenant"} {
		if !strings.Contains(script, text) {
			t.Errorf("%q is missing from\n%s", text, script)
		}
	}
}

// TestWordsArriveAsTheyAre: whatever stands in a plan (an operator's names and those of manifests), the script is one that bash
// understands, az gets the very words, and nothing else is run.
func TestWordsArriveAsTheyAre(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"a", " ", "'", `"`, "`touch x`", "$(touch x)", "$HOME", `\`, "\n", "\t", ";", "&", "|", "<", ">", "#", "*", "?", "[", "{", "}", "!",
		"~", "é", "(", ")", "=", "--x", "\r", "${", "fi", "''",
	}
	r := rand.New(rand.NewPCG(7, 8))
	text := func() string {
		var b strings.Builder
		for range r.IntN(6) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	for range 25 {
		var changes []model.Change
		var want [][]string
		for i := range 1 + r.IntN(4) {
			c := run(200+i, "az", "do")
			for range r.IntN(4) {
				c.Command = append(c.Command, text())
			}
			want = append(want, slices.Clone(c.Command[1:]))
			if r.IntN(2) == 0 {
				c.Command = append(c.Command, text()+"${SOME_VALUE}"+text())
				last := strings.ReplaceAll(c.Command[len(c.Command)-1], "${SOME_VALUE}", "it's a \"value\"")
				want[i] = append(want[i], last)
			}
			c.Summary, c.Undo, c.Risk, c.Needs = text(), text(), text(), []string{text()}
			if r.IntN(4) == 0 {
				c.Manual = text() + "\n" + text()
			}
			changes = append(changes, c)
		}
		script := azscript.Script(report(changes...))
		parses(t, script)
		if again := azscript.Script(report(changes...)); again != script {
			t.Fatal("the same plan gives another script")
		}
		got, output, failed := execute(t, script, "prepare", `SOME_VALUE=it's a "value"`)
		if diff := cmp.Diff(want, got); diff != "" || failed || output != "" {
			t.Fatalf("%s\n%s\n-want +got:\n%s", script, output, diff)
		}
	}
}

// TestNothingToDo: a plan without steps in Azure is a script all the same.
func TestNothingToDo(t *testing.T) {
	t.Parallel()
	script := azscript.Script(report(model.Change{Stage: model.Workloads, Command: []string{"az", "x"}}))
	parses(t, script)
	if commands, output, failed := execute(t, script, "cleanup"); len(commands) > 0 || failed || !strings.Contains(output, "Nothing is") {
		t.Errorf("%v %q %t", commands, output, failed)
	}
}
