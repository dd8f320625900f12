package entra

import (
	"strings"
	"testing"

	"secretstore/internal/fault"
)

func TestAVaultOfAnotherTenant(t *testing.T) {
	t.Parallel()
	const ours, theirs = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "00000000-bbbb-cccc-dddd-eeeeeeeeeeee"
	for name, tc := range map[string]struct {
		reason, class, vault string
		refused              bool
	}{
		"Same":    {"the class names the vault's tenant", ours, ours, false},
		"Case":    {"letter case does not count in an ID", ours, strings.ToUpper(ours), false},
		"Other":   {"a token of another tenant would be refused by the vault without saying why", ours, theirs, true},
		"Domain":  {"a tenant named by its domain cannot be compared", "contoso.onmicrosoft.com", theirs, false},
		"Unknown": {"a vault that does not say cannot be compared", ours, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := (&Credential{subject: Subject{TenantID: tc.class}}).checkTenant(tc.vault)
			if refused := err != nil; refused != tc.refused {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if err == nil {
				return
			}
			f := fault.Of(err)
			if f.Kind != fault.IdentityRejected {
				t.Errorf("%s: kind %d", tc.reason, f.Kind)
			}
			for _, text := range []string{ours, theirs, "correct tenantID", "keyvaultName"} {
				if !strings.Contains(f.Message, text) {
					t.Errorf("%s: %q does not say %q", tc.reason, f.Message, text)
				}
			}
		})
	}
}
