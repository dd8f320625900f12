package read

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// inChart tells whether a file stands in the templates of a chart: below a folder `templates` beside a Chart.yaml.
func inChart(fsys fs.FS, file string) bool {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if path.Base(dir) != "templates" {
			continue
		}
		if _, err := fs.Stat(fsys, path.Join(path.Dir(dir), "Chart.yaml")); err == nil {
			return true
		}
	}
	return false
}

// isTemplate tells whether text that is no YAML has a template's action outside quotes and comments.
func isTemplate(content string) bool {
	quoted := regexp.MustCompile(`"(\\.|[^"\\])*"|'[^']*'`)
	comment := regexp.MustCompile(`(^|\s)#.*$`)
	return slices.ContainsFunc(strings.Split(content, "\n"), func(line string) bool {
		return strings.Contains(comment.ReplaceAllString(quoted.ReplaceAllString(line, ""), ""), "{{")
	})
}

// templateFinding says that a template has to be changed by hand. There is none if the text mentions nothing that migrates.
func templateFinding(file, content string) []model.Finding {
	words := []string{model.Driver, "SecretProviderClass", "secretProviderClass", "SecretSync", "AKVSync"}
	for number, line := range strings.Split(content, "\n") {
		i := slices.IndexFunc(words, func(word string) bool { return strings.Contains(line, word) })
		if i < 0 {
			continue
		}
		place := model.Object{Place: model.Place{File: file, Item: -1, Line: number + 1}}
		return []model.Finding{model.Find(model.HelmTemplate, place, "", "%s is a template and mentions %s.", file, words[i])}
	}
	return nil
}
