package emulator_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"software.sslmate.com/src/go-pkcs12"
)

// object is what tests look at in the answers.
type object struct {
	ID, KID, SID, Value, ContentType, CER, RecoveryID string
	Managed                                           bool
	Attributes                                        struct {
		Enabled               bool
		Created, Updated, Exp int64
	}
	Tags map[string]string
	Key  map[string]any
}

// must makes a call that must end with the status, and reads the object that it answers.
func (f *fixture) must(status int, method, path, token, body string) object {
	f.tb.Helper()
	r := f.call(method, vaultURL+"/"+path+version, token, body)
	if r.status != status {
		f.tb.Fatalf("%s %s: got %d %s, want %d", method, path, r.status, r.body, status)
	}
	var o object
	if r.body != "" {
		if err := json.Unmarshal([]byte(r.body), &o); err != nil {
			f.tb.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return o
}

func TestSecretsLifeCycle(t *testing.T) {
	f := start(t)
	operator := f.operator()
	first := f.must(200, http.MethodPut, "secrets/Rotating", operator, `{"value":"one","contentType":"text/plain","tags":{"a":"b"}}`)
	f.clock.Step(10 * time.Second)
	second := f.must(200, http.MethodPut, "secrets/rotating", operator, `{"value":"two"}`)
	if first.ID == second.ID || !strings.HasPrefix(second.ID, vaultURL+"/secrets/Rotating/") {
		t.Errorf("ids are %s and %s, want two versions under the first name", first.ID, second.ID)
	}
	if got := f.must(200, http.MethodGet, "secrets/ROTATING", operator, ""); got.Value != "two" || got.ID != second.ID {
		t.Errorf("the current version: got %+v", got)
	}
	versionPath := strings.TrimPrefix(first.ID, vaultURL+"/")
	old := f.must(200, http.MethodGet, versionPath, operator, "")
	if diff := cmp.Diff(object{
		ID: first.ID, Value: "one", ContentType: "text/plain", Tags: map[string]string{"a": "b"}, Attributes: first.Attributes,
	}, old); diff != "" {
		t.Errorf("the old version: -want +got\n%s", diff)
	}

	f.clock.Step(10 * time.Second)
	updated := f.must(200, http.MethodPatch, strings.TrimPrefix(second.ID, vaultURL+"/"), operator, `{"attributes":{"enabled":false,"exp":1900000000}}`)
	if updated.Attributes.Enabled || updated.Attributes.Updated != second.Attributes.Updated+10 || updated.Attributes.Created != second.Attributes.Created || updated.Attributes.Exp != 1900000000 {
		t.Errorf("disabled: got %+v", updated.Attributes)
	}
	f.must(403, http.MethodGet, "secrets/rotating", operator, "")
	f.must(200, http.MethodGet, versionPath, operator, "") // the old one is still enabled

	deleted := f.must(200, http.MethodDelete, "secrets/rotating", operator, "")
	if deleted.RecoveryID != vaultURL+"/deletedsecrets/Rotating" || deleted.Value != "" {
		t.Errorf("deleted: got %+v", deleted)
	}
	f.must(404, http.MethodGet, "secrets/rotating", operator, "")
	got, message := refusalOf(t, f.call(http.MethodPut, vaultURL+"/secrets/rotating"+version, operator, `{"value":"x"}`))
	if want := (refusal{409, "Conflict", "ObjectIsDeletedButRecoverable"}); got != want || !strings.Contains(message, "deleted but recoverable state") {
		t.Errorf("setting a deleted secret: got %v %q", got, message)
	}
	f.must(200, http.MethodGet, "deletedsecrets/rotating", operator, "")
	f.must(200, http.MethodPost, "deletedsecrets/rotating/recover", operator, "")
	f.must(404, http.MethodPost, "deletedsecrets/rotating/recover", operator, "")
	f.must(200, http.MethodGet, versionPath, operator, "")

	f.must(200, http.MethodDelete, "secrets/rotating", operator, "")
	f.must(204, http.MethodDelete, "deletedsecrets/rotating", operator, "")
	f.must(404, http.MethodGet, "deletedsecrets/rotating", operator, "")
	f.must(404, http.MethodDelete, "deletedsecrets/rotating", operator, "")
	f.must(200, http.MethodPut, "secrets/rotating", operator, `{"value":"born again"}`)
}

func TestKeysLifeCycle(t *testing.T) {
	f := start(t)
	operator := f.operator()
	for name, tc := range map[string]struct {
		reason string
		path   string
		method string
		body   string
		want   map[string]any // members of the JSON web key
	}{
		"seeded":  {"as the seed says", "keys/my-key", http.MethodGet, "", map[string]any{"kty": "EC-HSM", "crv": "P-384"}},
		"created": {"the default size", "keys/rsa/create", http.MethodPost, `{"kty":"RSA"}`, map[string]any{"kty": "RSA", "e": "AQAB"}},
		"curve":   {"the largest", "keys/ec/create", http.MethodPost, `{"kty":"EC","crv":"P-521"}`, map[string]any{"kty": "EC", "crv": "P-521"}},
		"imported": {
			"the private part is not given back", "keys/imported", http.MethodPut,
			`{"key":{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}}`,
			map[string]any{"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "d": nil},
		},
	} {
		t.Run(name, func(t *testing.T) {
			key := f.must(200, tc.method, tc.path, operator, tc.body).Key
			for member, want := range tc.want {
				if key[member] != want {
					t.Errorf("%s: %s is %v, want %v", tc.reason, member, key[member], want)
				}
			}
			if kid, _ := key["kid"].(string); !strings.HasPrefix(kid, vaultURL+"/keys/") {
				t.Errorf("%s: kid is %q", tc.reason, kid)
			}
		})
	}
}

func TestCertificateHasAKeyAndASecret(t *testing.T) {
	f := start(t)
	operator := f.operator()
	cert := f.must(200, http.MethodGet, "certificates/my-certificate", operator, "")
	secret := f.must(200, http.MethodGet, strings.TrimPrefix(cert.SID, vaultURL+"/"), operator, "")
	key := f.must(200, http.MethodGet, strings.TrimPrefix(cert.KID, vaultURL+"/"), operator, "")
	id := func(url string) string { return url[strings.LastIndex(url, "/")+1:] }
	if id(cert.ID) != id(cert.SID) || id(cert.ID) != id(cert.KID) || secret.KID != cert.KID || !secret.Managed || !key.Managed {
		t.Errorf("the three do not belong together: %s, %s, %s", cert.ID, secret.KID, cert.KID)
	}
	der, err := base64.StdEncoding.DecodeString(secret.Value)
	if err != nil || secret.ContentType != "application/x-pkcs12" {
		t.Fatalf("the secret is no PKCS#12 in base64: %s %v", secret.ContentType, err)
	}
	_, leaf, others, err := pkcs12.DecodeChain(der, "")
	if err != nil || len(others) != 1 || base64.StdEncoding.EncodeToString(leaf.Raw) != cert.CER {
		t.Errorf("the secret holds %d other certificates and %v, want the certificate and one intermediate", len(others), err)
	}
	f.must(200, http.MethodDelete, "certificates/my-certificate", operator, "")
	f.must(404, http.MethodGet, "secrets/my-certificate", operator, "")
	f.must(404, http.MethodGet, "keys/my-certificate", operator, "")
	f.must(200, http.MethodPost, "deletedcertificates/my-certificate/recover", operator, "")
	f.must(200, http.MethodGet, "secrets/my-certificate", operator, "")
	f.must(200, http.MethodPatch, "certificates/my-certificate/"+id(cert.ID), operator, `{"attributes":{"enabled":false}}`)
	f.must(200, http.MethodGet, "certificates/my-certificate", operator, "")
	f.must(403, http.MethodGet, "secrets/my-certificate", operator, "") // the public half only is still given
}

func TestCertificatesAreMadeAndImported(t *testing.T) {
	f := start(t)
	operator := f.operator()
	started := f.call(http.MethodPost, vaultURL+"/certificates/made/create"+version, operator,
		`{"policy":{"key_props":{"kty":"EC","crv":"P-256"},"secret_props":{"contentType":"application/x-pem-file"},"x509_props":{"subject":"CN=made","sans":{"dns_names":["made.example"]},"validity_months":3},"issuer":{"name":"Self"}}}`)
	if started.status != http.StatusAccepted || started.json(t)["status"] != "inProgress" {
		t.Fatalf("create: got %d %s", started.status, started.body)
	}
	pending := f.call(http.MethodGet, vaultURL+"/certificates/made/pending"+version, operator, "").json(t)
	if pending["status"] != "completed" || pending["target"] != vaultURL+"/certificates/made" {
		t.Errorf("pending: got %v", pending)
	}
	policy := f.call(http.MethodGet, vaultURL+"/certificates/made/policy"+version, operator, "").json(t)
	if got := policy["x509_props"].(map[string]any)["subject"]; got != "CN=made" {
		t.Errorf("the policy's subject is %v", got)
	}
	made := f.must(200, http.MethodGet, "secrets/made", operator, "")
	if !strings.HasPrefix(made.Value, "-----BEGIN PRIVATE KEY-----") || strings.Count(made.Value, "BEGIN CERTIFICATE") != 1 {
		t.Errorf("the secret is not a key followed by one certificate")
	}
	body, _ := json.Marshal(map[string]any{"value": made.Value, "policy": map[string]any{"secret_props": map[string]any{"contentType": "application/x-pem-file"}}})
	f.must(200, http.MethodPost, "certificates/imported/import", operator, string(body))
	if got := f.must(200, http.MethodGet, "secrets/imported", operator, ""); got.Value != made.Value {
		t.Error("the imported PEM came back changed")
	}
	pfx := f.must(200, http.MethodGet, "secrets/my-certificate", operator, "")
	body, _ = json.Marshal(map[string]any{"value": pfx.Value})
	f.must(200, http.MethodPost, "certificates/imported-pfx/import", operator, string(body))
	want := f.must(200, http.MethodGet, "certificates/my-certificate", operator, "")
	if got := f.must(200, http.MethodGet, "certificates/imported-pfx", operator, ""); got.CER != want.CER {
		t.Error("the imported PFX has another certificate")
	}
	if r := f.call(http.MethodGet, vaultURL+"/certificates/imported-pfx/pending"+version, operator, ""); r.status != http.StatusNotFound {
		t.Errorf("an imported certificate is pending: got %d", r.status)
	}
}

// names follows the pages of a list.
func (f *fixture) names(token, path string) (names []string, pages []int, err error) {
	for link := vaultURL + "/" + path; link != ""; {
		r, err := f.try(http.MethodGet, link, token, "")
		if err != nil {
			return nil, nil, err
		}
		var page struct {
			Value    []object
			NextLink string
		}
		if err := json.Unmarshal([]byte(r.body), &page); err != nil || r.status != http.StatusOK {
			return nil, nil, fmt.Errorf("%s: %d %s", link, r.status, r.body)
		}
		for _, o := range page.Value {
			names = append(names, strings.TrimPrefix(o.ID, vaultURL+"/secrets/"))
		}
		pages, link = append(pages, len(page.Value)), page.NextLink
	}
	return names, pages, nil
}

func TestPagesOfSeveralClients(t *testing.T) {
	f := startRealTime(t)
	operator := f.operator()
	var want []string
	for i := range 60 {
		name := fmt.Sprintf("paged-%02d", i)
		want = append(want, name)
		f.must(200, http.MethodPut, "secrets/"+name, operator, `{"value":"canary"}`)
	}
	want = append([]string{"my-certificate", "my-secret", "off"}, want...)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			names, pages, err := f.names(operator, "secrets"+version)
			if diff := cmp.Diff(want, names); err != nil || diff != "" {
				t.Errorf("%v: -want +got\n%s", err, diff)
			}
			if diff := cmp.Diff([]int{25, 25, 13}, pages); diff != "" {
				t.Errorf("pages: -want +got\n%s", diff)
			}
		})
	}
	clients.Wait()
	if _, pages, err := f.names(operator, "secrets"+version+"&maxresults=21"); err != nil || len(pages) != 3 {
		t.Errorf("maxresults lowers the page: got %v %v", pages, err)
	}
}

func TestPagesWhileOthersWrite(t *testing.T) {
	f := startRealTime(t)
	operator := f.operator()
	for i := range 40 {
		f.must(200, http.MethodPut, fmt.Sprintf("secrets/stays-%02d", i), operator, `{"value":"x"}`)
	}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 10 {
				path := fmt.Sprintf("%s/secrets/comes-%d-%d%s", vaultURL, worker, i, version)
				if r, err := f.try(http.MethodPut, path, operator, `{"value":"x"}`); err != nil || r.status != http.StatusOK {
					t.Errorf("setting %s: %d %v", path, r.status, err)
				}
				if r, err := f.try(http.MethodDelete, path, operator, ""); err != nil || r.status != http.StatusOK {
					t.Errorf("deleting %s: %d %v", path, r.status, err)
				}
			}
		})
		all.Go(func() {
			names, _, err := f.names(operator, "secrets"+version)
			stays := 0
			for _, name := range names {
				if strings.HasPrefix(name, "stays-") {
					stays++
				}
			}
			if err != nil || stays != 40 {
				t.Errorf("a list that others change lost or doubled what stays: %d of 40, %v", stays, err)
			}
		})
	}
	all.Wait()
}

func TestListsOfVersions(t *testing.T) {
	f := start(t)
	operator := f.operator()
	for i := range 30 {
		f.clock.Step(time.Second)
		f.must(200, http.MethodPut, "secrets/many", operator, fmt.Sprintf(`{"value":"canary-%d"}`, i))
	}
	names, pages, err := f.names(operator, "secrets/many/versions"+version)
	if err != nil || len(names) != 30 || len(pages) != 2 {
		t.Fatalf("got %d versions on %v pages, %v", len(names), pages, err)
	}
	for _, name := range names {
		if len(strings.TrimPrefix(name, "many/")) != 32 {
			t.Errorf("the id %s has no version", name)
		}
	}
	if names, _, err := f.names(operator, "secrets/nothing/versions"+version); err != nil || len(names) != 0 {
		t.Errorf("versions of nothing: got %v %v, want an empty list", names, err)
	}
	r := f.call(http.MethodGet, vaultURL+"/secrets"+version, operator, "")
	if strings.Contains(r.body, "canary") || strings.Contains(r.body, `"value":"`) {
		t.Error("a list holds values")
	}
}
