//go:build long

// Package azcli checks the commands for Azure that a migration plans: by the very parser of the Azure CLI, which is installed for
// it from PyPI, once, into bin; and, where a command is an extension's of the CLI, by the flags that Microsoft documents.
package azcli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"secretstore/internal/migrate/azscript"
	"secretstore/internal/migrate/model"
)

// TestCommandsAreUnderstood: every az command of every plan, and every one that undoes a step, is one that the CLI takes.
func TestCommandsAreUnderstood(t *testing.T) {
	var commands [][]string
	for name, r := range reports() {
		found := commandsOf(t, r)
		if len(found) == 0 {
			t.Errorf("%s has no command", name)
		}
		commands = append(commands, found...)
	}
	commands = distinct(commands)
	var core [][]string
	for _, words := range commands {
		if problem, extension := checkExtension(words); !extension {
			core = append(core, words)
		} else if problem != "" {
			t.Errorf("az %s: %s", strings.Join(words, " "), problem)
		}
	}
	said := complaints(t, core)
	for i, words := range core {
		if said[i] != "" {
			t.Errorf("az %s\n%s", strings.Join(words, " "), said[i])
		}
	}
	t.Logf("%d commands, %d of them of extensions", len(commands), len(commands)-len(core))
}

// TestMistakesAreSeen: what is no command is not taken for one.
func TestMistakesAreSeen(t *testing.T) {
	wrong := [][]string{
		{"identity", "creat", "--name", "x", "--resource-group", "g"},
		{"identity", "create", "--name", "x"},
		{"identity", "create", "--name", "x", "--resource-group", "g", "--no-such-flag", "y"},
		{"keyvault", "set-policy", "--name", "kv", "--object-id", "x", "--secret-permissions", "read"},
		{"identity", "show", "--name", "x", "--resource-group", "g", "--query", "[?"},
	}
	for i, said := range complaints(t, wrong) {
		if said == "" {
			t.Errorf("az %s is taken for a command", strings.Join(wrong[i], " "))
		}
	}
	for _, words := range [][]string{
		{"k8s-extension", "create", "--cluster-name", "x"},
		{"connectedk8s", "update", "--name", "x", "--resource-group", "g", "--oidc"},
		{"k8s-extension", "remove"},
	} {
		if problem, _ := checkExtension(words); problem == "" {
			t.Errorf("az %s is taken for a command", strings.Join(words, " "))
		}
	}
}

// commandsOf are the commands of a plan as a shell hands them to az: those of the script, of steps that somebody else does, and of
// what undoes them.
func commandsOf(t *testing.T, r model.Report) [][]string {
	t.Helper()
	dir := t.TempDir()
	script := azscript.Script(r)
	lines := []string{}
	for _, c := range r.Changes {
		if undo := undoing(c.Undo); undo != "" {
			lines = append(lines, undo)
		}
		if c.ByHand != "" && c.ByHand != model.LeftToOthers && len(c.Command) > 0 && c.Command[0] == "az" {
			appendByHand(t, dir, c.Command)
		}
	}
	for _, show := range []string{"0", "1"} {
		for _, section := range []string{"prepare", "switchover", "cleanup"} {
			run(t, dir, script, show, section)
		}
	}
	run(t, dir, strings.Join(lines, "\n")+"\n", "1", "undo")
	return read(t, filepath.Join(dir, "log"))
}

// undoing is the command that a sentence begins with, or that a loop does again and again.
func undoing(text string) string {
	if _, looped, found := strings.Cut(text, "; do "); found {
		text = strings.TrimSuffix(looped, "; done")
	}
	if !strings.HasPrefix(text, "az ") {
		return ""
	}
	return regexp.MustCompile(`( \(|; | with the |…).*`).ReplaceAllString(text, "")
}

// appendByHand notes a command that the script has in its comments only.
func appendByHand(t *testing.T, dir string, words []string) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(strconv.Itoa(len(words)-1) + "\x00")
	for _, word := range words[1:] {
		b.WriteString(regexp.MustCompile(`\$\{\w+\}`).ReplaceAllString(word, "value") + "\x00")
	}
	if _, err = log.WriteString(b.String()); err == nil {
		err = log.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// fakeAz notes how many arguments it got and each of them, ended by NUL bytes.
const fakeAz = `#!/usr/bin/env bash
printf '%s\0' "$#" "$@" >>"$AZ_LOG"
for word in "$@"; do
  if [ "$word" = --query ]; then echo "${AZ_ANSWER}"; exit 0; fi
done
for word in "$@"; do
  if [ "$word" = show ]; then exit "$AZ_SHOW"; fi
done
`

// run runs a section of a script with a stand-in for az, which answers questions by true, so that every condition is met once.
func run(t *testing.T, dir, script, show, section string) {
	t.Helper()
	for name, content := range map[string]string{"az": fakeAz, "kubectl": "#!/bin/sh\necho token\n", "script": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	answers := []string{"true", "value"}
	for _, answer := range answers {
		command := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "script"), section)
		command.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "AZ_LOG="+filepath.Join(dir, "log"), "AZ_ANSWER="+answer,
			"AZ_SHOW="+show, "REVOKE=yes")
		for _, found := range regexp.MustCompile(`\$\{(\w+)[:}]`).FindAllStringSubmatch(script, -1) {
			if !strings.HasPrefix(found[1], "AZ_") && found[1] != "REVOKE" {
				command.Env = append(command.Env, found[1]+"=value")
			}
		}
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", section, err, out, script)
		}
	}
}

// read reads the notes of the stand-in.
func read(t *testing.T, log string) [][]string {
	t.Helper()
	noted, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var commands [][]string
	for words := strings.Split(string(noted), "\x00"); len(words) > 1; {
		count, err := strconv.Atoi(words[0])
		if err != nil {
			t.Fatal(err)
		}
		commands = append(commands, words[1:1+count])
		words = words[1+count:]
	}
	return commands
}

// distinct sorts commands and drops repetitions.
func distinct(commands [][]string) [][]string {
	slices.SortFunc(commands, slices.Compare)
	return slices.CompactFunc(commands, slices.Equal)
}

// complaints are what the Azure CLI says of commands, which it does not run; empty of those that it understands.
func complaints(t *testing.T, commands [][]string) []string {
	t.Helper()
	python := install(t)
	input, err := json.Marshal(commands)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), python, "testdata/parse.py")
	command.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	command.Env = append(os.Environ(), "AZURE_CONFIG_DIR="+t.TempDir(), "AZURE_CORE_COLLECT_TELEMETRY=no")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("asking the Azure CLI: %v\n%s", err, stderr.Bytes())
	}
	var said []string
	if err := json.Unmarshal(out, &said); err != nil || len(said) != len(commands) {
		t.Fatalf("the Azure CLI answers %q: %v", out, err)
	}
	return said
}

// install makes a virtual environment with the pinned Azure CLI in bin, if there is none, and returns its Python. It takes some
// minutes and 1 GB the first time, and needs python3 and PyPI.
func install(t *testing.T) string {
	t.Helper()
	requirements, err := os.ReadFile("testdata/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimPrefix(strings.TrimSpace(string(requirements)), "azure-cli==")
	dir := filepath.Join("..", "..", "bin", "azcli-"+version)
	python, done := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "complete")
	if _, err := os.Stat(done); err == nil {
		return python
	}
	for _, words := range [][]string{
		{"python3", "-m", "venv", "--clear", dir},
		{python, "-m", "pip", "install", "--quiet", "--requirement", "testdata/requirements.txt"},
	} {
		command := exec.CommandContext(t.Context(), words[0], words[1:]...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("installing the Azure CLI by %s: %v\n%s", strings.Join(words, " "), err, out)
		}
	}
	if err := os.WriteFile(done, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return python
}
