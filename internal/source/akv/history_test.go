package akv

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/fault"
	"secretstore/internal/spcparams"
)

//covers:field SecretProviderClass.spec.parameters.objects[].objectVersion
//covers:field SecretProviderClass.spec.parameters.objects[].objectVersionHistory
func TestPick(t *testing.T) {
	t.Parallel()
	version := func(id string, created int64, enabled bool) entry {
		return entry{name: "n", version: id, state: state{created: created, updated: created}, enabled: enabled}
	}
	// In the vault's own order, which says nothing of age.
	vault := []entry{
		version("b", 2, true), version("e", 5, false), version("a", 1, true), version("d", 4, true), version("c", 3, false),
	}
	for name, tc := range map[string]struct {
		reason string
		object spcparams.Object
		want   []string
		kind   fault.Kind
		says   string
	}{
		"Exactly":    {"exactly as many as asked for, the latest first", spcparams.Object{History: 2}, []string{"d", "b"}, 0, ""},
		"Fewer":      {"fewer if the vault has no more that are enabled", spcparams.Object{History: 9}, []string{"d", "b", "a"}, 0, ""},
		"FromPinned": {"counted from the version that is named", spcparams.Object{History: 2, Version: "b"}, []string{"b", "a"}, 0, ""},
		"FromDisabled": {
			"a named version that is disabled is skipped like any other", spcparams.Object{History: 2, Version: "c"}, []string{"b", "a"}, 0, "",
		},
		"Unknown": {
			"a named version that is not there is said",
			spcparams.Object{Name: "n", Type: "secret", History: 2, Version: "x"},
			nil,
			fault.ObjectMissing, "no version x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			picked, err := pick(vault, tc.object)
			var got []string
			for _, e := range picked {
				got = append(got, e.version)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if tc.says == "" && err != nil {
				t.Errorf("%s: %v", tc.reason, err)
			}
			if tc.says != "" && (err == nil || fault.Of(err).Kind != tc.kind || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("%s: error %v", tc.reason, err)
			}
		})
	}
	if _, err := pick([]entry{version("a", 1, false)}, spcparams.Object{History: 2}); err == nil || fault.Of(err).Kind != fault.ObjectDisabled {
		t.Errorf("no enabled version at all gives %v", err)
	}
	if vault[0].version != "b" {
		t.Error("pick changed its argument")
	}
}

func TestCurrentVersionOfTheSameSecond(t *testing.T) {
	t.Parallel()
	at := func(id string, created int64) entry {
		return entry{version: id, state: state{created: created}, enabled: true}
	}
	for name, tc := range map[string]struct {
		reason string
		picked []entry
		object spcparams.Object
		want   bool
	}{
		"Told":   {"times tell which is the latest", []entry{at("a", 2), at("b", 1)}, spcparams.Object{}, false},
		"Tie":    {"two of the same second do not", []entry{at("a", 2), at("b", 2)}, spcparams.Object{}, true},
		"Pinned": {"from a version that is named it does not matter", []entry{at("a", 2), at("b", 2)}, spcparams.Object{Version: "a"}, false},
		"One":    {"nor with one", []entry{at("a", 2)}, spcparams.Object{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := sameSecond(tc.picked, tc.object); got != tc.want {
				t.Errorf("%s: %v", tc.reason, got)
			}
		})
	}
	order := func(entries []entry) (ids string) {
		for _, e := range entries {
			ids += e.version
		}
		return ids
	}
	picked := []entry{at("a", 2), at("b", 2), at("c", 1)}
	if got := order(putFirst(picked, "b")); got != "bac" || order(picked) != "abc" {
		t.Errorf("with b first: %s, and before %s", got, order(picked))
	}
	if got := order(putFirst(picked, "unknown")); got != "abc" {
		t.Errorf("with a version first that is not there: %s", got)
	}
}
