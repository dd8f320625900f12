package akv

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/fault"
	"secretstore/internal/spcparams"
)

//covers:field SecretProviderClass.spec.parameters.objects[].objectVersion
//covers:field SecretProviderClass.spec.parameters.objects[].objectVersionHistory
func TestPick(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return time.Date(2026, 11, 1, 12, minute, 0, 0, time.UTC) }
	// In the vault's own order, which says nothing of age.
	vault := []versionInfo{
		{"b", at(2), true}, {"e", at(5), false}, {"a", at(1), true}, {"d", at(4), true}, {"c", at(3), false},
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
			got, err := pick(vault, tc.object)
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
	if _, err := pick([]versionInfo{{"a", at(1), false}}, spcparams.Object{History: 2}); err == nil || fault.Of(err).Kind != fault.ObjectDisabled {
		t.Errorf("no enabled version at all gives %v", err)
	}
	if vault[0].version != "b" {
		t.Error("pick changed its argument")
	}
}
