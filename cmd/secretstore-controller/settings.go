package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"
)

// applySettings sets the flags that a settings file names and the command line does not. A name that is no setting is
// refused with the list of those that are.
func applySettings(flags *pflag.FlagSet, text []byte) error {
	var settings map[string]any
	if err := yaml.UnmarshalStrict(text, &settings); err != nil {
		return fmt.Errorf("they are not a YAML mapping of names to values: %w", err)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		// Names in a file are exact: kebab case is a courtesy of the command line.
		flag := flags.Lookup(name)
		if flag == nil || flag.Name != name || onlyOnCommandLine(name) {
			errs = append(errs, fmt.Errorf("%s is no setting: there are %s", name, strings.Join(settingNames(flags), ", ")))
			continue
		}
		if flag.Changed {
			continue
		}
		if err := flags.Set(name, settingText(settings[name])); err != nil {
			errs = append(errs, fmt.Errorf("%s is %v: %w", name, settings[name], err))
		}
	}
	return errors.Join(errs...)
}

// onlyOnCommandLine names what is about this process and not about the installation.
func onlyOnCommandLine(name string) bool { return name == "config" || name == "kubeconfig" }

// settingNames lists what may stand in a settings file.
func settingNames(flags *pflag.FlagSet) []string {
	var names []string
	flags.VisitAll(func(flag *pflag.Flag) {
		if !onlyOnCommandLine(flag.Name) {
			names = append(names, flag.Name)
		}
	})
	return names
}

// settingText is a value as a flag takes it; the elements of a list are parted by commas.
func settingText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case float64:
		// Numbers of JSON, which YAML is read as, are floating; those of settings are whole.
		return strings.TrimSuffix(fmt.Sprintf("%f", v), ".000000")
	case []any:
		parts := make([]string, 0, len(v))
		for _, part := range v {
			parts = append(parts, settingText(part))
		}
		return strings.Join(parts, ",")
	default:
		return fmt.Sprint(v)
	}
}
