package emulator_test

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// TestTheGuidesExamplesAreTrue loads the seed and the faults that the guide shows, and looks for what it must not forget.
func TestTheGuidesExamplesAreTrue(t *testing.T) {
	guide, err := os.ReadFile("../../docs/reference/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(language string) []byte {
		found := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(guide)
		if found == nil {
			t.Fatalf("the guide has no example in %s", language)
		}
		return found[1]
	}
	seed, err := state.Load("emulator.md", block("yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := state.New(seed, time.Now, rand.Reader); err != nil {
		t.Error(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(block("json"))))
	decoder.DisallowUnknownFields()
	var behaviour wire.Behaviour
	if err := decoder.Decode(&behaviour); err != nil {
		t.Fatal(err)
	}
	if err := behaviour.Validate(); err != nil {
		t.Error(err)
	}
	for setting := range reflect.TypeFor[state.ManagementSettings]().Fields() {
		if name := setting.Tag.Get("yaml"); !strings.Contains(string(guide), "| `"+name+"` |") {
			t.Errorf("the guide does not explain the setting %s", name)
		}
	}
	for _, role := range state.Roles() {
		if !strings.Contains(strings.ReplaceAll(string(guide), "\n", " "), strings.TrimPrefix(role.Name, "Key Vault ")) {
			t.Errorf("the guide does not name the role %s", role.Name)
		}
	}
	f := start(t)
	for _, kind := range []string{wire.KindLatency, wire.KindUnreachable, wire.KindRefuse, wire.KindHang, wire.KindStatus, wire.KindGarbage, wire.KindCut} {
		if !strings.Contains(string(guide), "| `"+kind+"` |") {
			t.Errorf("the guide does not explain the fault %s", kind)
		}
	}
	for _, path := range []string{"/healthz", "/admin/requests", "/admin/counters", "/admin/faults", "/admin/management"} {
		if r := f.call("GET", "https://"+f.Addr()+path, "", ""); r.status != 200 || !strings.Contains(string(guide), "GET "+path) {
			t.Errorf("%s: it answers %d, or the guide does not name it", path, r.status)
		}
	}
}
