package install

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// Step is the ID of the step that installs the chart.
const Step = "switchover/run/secretstore"

// Image splits the name of an image into the values of the chart: repository[:tag][@digest].
func Image(name string) (repository, tag, digest string) {
	name, digest, _ = strings.Cut(name, "@")
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") {
		name, tag = name[:at], name[at+1:]
	}
	return name, tag, digest
}

// Command is the helm command of the step with a file of values and an image in it; empty ones leave what the plan has. A
// person may run the command instead: it does the same.
func Command(planned []string, values, image string) []string {
	var command, more []string
	if values != "" {
		more = append(more, "--values", values)
	}
	repository, tag, digest := Image(image)
	for _, set := range [][2]string{{"repository", repository}, {"tag", tag}, {"digest", digest}} {
		if set[1] != "" {
			more = append(more, "--set", "image."+set[0]+"="+set[1])
		}
	}
	for i := 0; i < len(planned); i++ {
		// Of the image, a value that is not given is the file's or the chart's.
		if planned[i] == "--set" && i+1 < len(planned) && strings.HasPrefix(planned[i+1], "image.") && len(more) > 0 {
			i++
			continue
		}
		command = append(command, planned[i])
	}
	return append(command, more...)
}

// parse reads a helm command: the release, and the values that its files and settings add up to.
func parse(command []string) (Release, error) {
	r := Release{Values: map[string]any{}}
	if len(command) < 4 || command[0] != "helm" || command[1] != "upgrade" {
		return r, &act.ByHandError{Command: command, Why: "no program does this here"}
	}
	var sets, files, names []string
	for words := append(slices.Clone(command[2:]), ""); len(words) > 1; {
		value := words[1] // of the last word it is empty
		taken := 2
		switch words[0] {
		case "--namespace":
			r.Namespace = value
		case "--set":
			sets = append(sets, value)
		case "--values":
			files = append(files, value)
		case "--install", "--create-namespace":
			taken = 1
		default:
			names, taken = append(names, words[0]), 1
		}
		words = words[taken:]
	}
	if len(names) == 0 {
		return r, fmt.Errorf("%s names no release", strings.Join(command, " "))
	}
	r.Name = names[0]
	return r, settle(r.Values, files, sets)
}

// settle adds files and settings up; settings win over files, as with helm.
func settle(values map[string]any, files, sets []string) error {
	for _, file := range files {
		if err := merge(values, file); err != nil {
			return err
		}
	}
	for _, set := range sets {
		if err := strvals.ParseInto(set, values); err != nil {
			return fmt.Errorf("reading --set %s: %w", set, err)
		}
	}
	return nil
}

// merge puts the values of a file over those that are there.
func merge(into map[string]any, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the values of the chart: %w", err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		return fmt.Errorf("reading the values of the chart: %s: %w", file, err)
	}
	maps.Copy(into, values)
	return nil
}

// Is tells whether a step is the one that Chart carries out.
func Is(c model.Change) bool { return c.ID == Step && len(c.Command) > 0 && c.Command[0] == "helm" }
