package redact_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"secretstore/internal/redact"
)

const canary = "canary-7f3a"

// outer has the value in an unexported field, where fmt does not call methods.
type outer struct {
	Shown  redact.Bytes
	hidden redact.Bytes
}

func TestNothingFormatsTheValue(t *testing.T) {
	t.Parallel()
	value := redact.FromString(canary)
	holder := outer{Shown: value, hidden: value}
	hex := fmt.Sprintf("%x", canary)
	decimal := strings.Trim(fmt.Sprintf("%d", []byte(canary)), "[]")

	texts := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08b", "%p"} {
		texts["value "+verb] = fmt.Sprintf(verb, value)
		texts["pointer "+verb] = fmt.Sprintf(verb, &value)
		texts["struct "+verb] = fmt.Sprintf(verb, holder)
		texts["slice "+verb] = fmt.Sprintf(verb, []redact.Bytes{value})
		texts["map "+verb] = fmt.Sprintf(verb, map[string]redact.Bytes{"k": value})
	}
	texts["error"] = fmt.Errorf("reading %v: %w", value, errors.New("no")).Error()
	asJSON, err := json.Marshal(map[string]any{"a": value, "b": &holder})
	if err != nil {
		t.Fatal(err)
	}
	texts["json"] = string(asJSON)
	asYAML, err := yaml.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	texts["yaml"] = string(asYAML)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value, "holder", holder)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value, "holder", holder)
	texts["slog"] = log.String()

	for name, text := range texts {
		for _, form := range []string{canary, hex, strings.ToUpper(hex), decimal, "Y2FuYXJ5LTdmM2E"} {
			if strings.Contains(text, form) {
				t.Errorf("%s shows the value: %s", name, text)
			}
		}
	}
}

func TestRevealAndEqual(t *testing.T) {
	t.Parallel()
	a, b := redact.FromString(canary), redact.New([]byte(canary))
	if !a.Equal(b) || string(a.Reveal()) != canary || a.Len() != len(canary) {
		t.Errorf("a value wrapped twice is not the same: %d and %d bytes", a.Len(), b.Len())
	}
	var zero redact.Bytes
	if zero.Len() != 0 || !zero.Equal(redact.New(nil)) {
		t.Error("the zero value is not the empty secret")
	}
	if a.Equal(zero) {
		t.Error("a value equals the empty secret")
	}
}
