package integration

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
	"text/template"

	"secretstore/test/stack"
)

// slots are places to test in, made before the tests run: each has a namespace, a managed identity that is federated with
// its service account, and a vault of its own, so that tests can run at the same time and break what they like.
type slots struct{ taken atomic.Int32 }

const (
	slotCount = 72
	// briefSlot and renewedSlot are two more, whose access tokens live for seconds: the first is past the time at which clients
	// renew them from the start, the second comes to it after two seconds (they do so five minutes ahead).
	briefSlot, renewedSlot       = slotCount + 1, slotCount + 2
	briefSeconds, renewedSeconds = 2, 302
	tenantID                     = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	// canary stands in every secret value, so that one that shows up where it must not can be found.
	canary = "canary-5e1f"
)

// slot is one place.
type slot struct{ Number int }

// Namespace, Account, Vault and ClientID are the slot's own.
func (s slot) Namespace() string { return fmt.Sprintf("slot-%02d", s.Number) }

// Account is the service account that the slot's identity is federated with.
func (slot) Account() string { return "web" }

// Vault is the slot's vault.
func (s slot) Vault() string { return fmt.Sprintf("vault-%02d", s.Number) }

// ClientID is that of the slot's managed identity.
func (s slot) ClientID() string {
	return fmt.Sprintf("11111111-0000-0000-0000-0000000000%02d", s.Number)
}

// TokenSeconds is how long the access tokens of the slot's identity live.
func (s slot) TokenSeconds() int {
	switch s.Number {
	case briefSlot:
		return briefSeconds
	case renewedSlot:
		return renewedSeconds
	default:
		return 24 * 60 * 60
	}
}

// operator may change what is in all vaults.
func operator() stack.Operator {
	return stack.Operator{TenantID: tenantID, ClientID: "99999999-8888-7777-6666-555555555555", ClientSecret: canary + "-operator"}
}

// take gives the next slot.
func (s *slots) take(t *testing.T) slot {
	t.Helper()
	n := int(s.taken.Add(1))
	if n > slotCount {
		t.Fatalf("all %d slots are taken: raise slotCount", slotCount)
	}
	return slot{Number: n}
}

// seed is the emulator's state with all slots.
func (*slots) seed(issuer string) []byte {
	const text = `
tenants: [{id: {{.Tenant}}, name: Contoso, domain: contoso.onmicrosoft.com}]
applications:
  - {clientID: {{.Operator.ClientID}}, name: operator, kind: application, clientSecrets: [{value: {{.Operator.ClientSecret}}}]}
  - {clientID: 11111111-0000-0000-0000-0000000000ff, name: unfederated}
{{- range .Slots}}
  - clientID: {{.ClientID}}
    name: identity-{{.Number}}
    tokenLifetimeSeconds: {{.TokenSeconds}}
    federatedCredentials: [{name: cluster, issuer: "{{$.Issuer}}", subject: "system:serviceaccount:{{.Namespace}}:{{.Account}}"}]
{{- end}}
vaults:
{{- range .Slots}}
  - name: {{.Vault}}
    roleAssignments:
      - {clientID: {{$.Operator.ClientID}}, role: Key Vault Administrator}
      - {clientID: {{.ClientID}}, role: Key Vault Reader}
      - {clientID: {{.ClientID}}, role: Key Vault Secrets User}
    secrets:
      - {name: plain, value: {{$.Canary}}-plain}
      - {name: other, value: {{$.Canary}}-other}
      - {name: "off", value: {{$.Canary}}-off, enabled: false}
      - name: versions
        versions:
          - {value: {{$.Canary}}-oldest, created: 2026-01-01T00:00:00Z}
          - {value: {{$.Canary}}-older, created: 2026-01-02T00:00:00Z}
          - {value: {{$.Canary}}-off, created: 2026-01-03T00:00:00Z, enabled: false}
          - {value: {{$.Canary}}-newest, created: 2026-01-04T00:00:00Z}
    certificates:
      - {name: pfx, keyType: EC, chain: {intermediates: 1, root: true, order: shuffled}}
      - {name: pem, keyType: EC, contentType: application/x-pem-file}
      - name: renewed
        keyType: EC
        versions: [{created: 2026-01-01T00:00:00Z}, {created: 2026-02-01T00:00:00Z}]
    keys:
      - {name: signing, kty: EC, curve: P-256}
{{- end}}
  - {name: policies, authorization: accessPolicies, secrets: [{name: plain, value: {{$.Canary}}-policies}]}
  - {name: forbidden, secrets: [{name: plain, value: {{$.Canary}}-forbidden}]}
`
	list := make([]slot, 0, renewedSlot)
	for n := range renewedSlot {
		list = append(list, slot{Number: n + 1})
	}
	var out bytes.Buffer
	err := template.Must(template.New("seed").Parse(text)).Execute(&out, map[string]any{
		"Tenant": tenantID, "Operator": operator(), "Issuer": issuer, "Slots": list, "Canary": canary,
	})
	if err != nil {
		panic(err) // the template is a constant: it works or no test does
	}
	return out.Bytes()
}
