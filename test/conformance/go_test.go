package conformance_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/wire"
)

func TestFederatedIdentityReadsASecret(t *testing.T) {
	a := start(t)
	client := a.secrets(vaultURL, a.identity(identityID, func() string { return a.issuer.Token(subject, nil) }))
	for range 2 {
		got, err := client.GetSecret(t.Context(), "seeded", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		if *got.Value != "a seeded value" || got.ID.Name() != "seeded" || len(got.ID.Version()) != 32 || !*got.Attributes.Enabled {
			t.Errorf("got %v", *got.ID)
		}
	}
	var operations []string
	for _, entry := range a.Requests() {
		operations = append(operations, fmt.Sprint(entry.Operation, " ", entry.Status))
	}
	want := []string{"challenge 401", "entra.instance 200", "entra.discovery 200", "entra.token 200", "secrets.get 200", "secrets.get 200"}
	if diff := cmp.Diff(want, operations); diff != "" {
		t.Errorf("the first call is challenged, the second one has its token: -want +got\n%s", diff)
	}
}

func TestOperatorChangesSecrets(t *testing.T) {
	a := start(t)
	client, ctx := a.secrets(vaultURL, a.operator(operatorID, password)), t.Context()
	set := func(value string) azsecrets.SetSecretResponse {
		t.Helper()
		got, err := client.SetSecret(ctx, "rotating", azsecrets.SetSecretParameters{
			Value: &value, ContentType: new("text/plain"), Tags: map[string]*string{"team": new("shop")},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	before := time.Now().Truncate(time.Second)
	first, second := set("one"), set("two")
	if got, err := client.GetSecret(ctx, "ROTATING", "", nil); err != nil || *got.Value != "two" || *got.ID != *second.ID {
		t.Errorf("the current version: %v %v", got.ID, err)
	}
	old, err := client.GetSecret(ctx, "rotating", first.ID.Version(), nil)
	if err != nil || *old.Value != "one" || *old.ContentType != "text/plain" || *old.Tags["team"] != "shop" || old.Attributes.Created.Before(before) {
		t.Errorf("the old version: %v %v", old.ID, err)
	}

	_, err = client.UpdateSecretProperties(ctx, "rotating", second.ID.Version(), azsecrets.UpdateSecretPropertiesParameters{
		SecretAttributes: &azsecrets.SecretAttributes{Enabled: new(false)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.GetSecret(ctx, "rotating", "", nil)
	wantError(t, err, http.StatusForbidden, "Forbidden", "SecretDisabled")
	enabled := map[string]bool{}
	for pager := client.NewListSecretPropertiesVersionsPager("rotating", nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Value {
			enabled[item.ID.Version()] = *item.Attributes.Enabled
		}
	}
	if diff := cmp.Diff(map[string]bool{first.ID.Version(): true, second.ID.Version(): false}, enabled); diff != "" {
		t.Errorf("versions: -want +got\n%s", diff)
	}

	if _, err := client.DeleteSecret(ctx, "rotating", nil); err != nil {
		t.Fatal(err)
	}
	_, err = client.GetSecret(ctx, "rotating", "", nil)
	wantError(t, err, http.StatusNotFound, "SecretNotFound", "")
	_, err = client.SetSecret(ctx, "rotating", azsecrets.SetSecretParameters{Value: new("x")}, nil)
	wantError(t, err, http.StatusConflict, "Conflict", "ObjectIsDeletedButRecoverable")
	if deleted, err := client.GetDeletedSecret(ctx, "rotating", nil); err != nil || deleted.ScheduledPurgeDate.Before(deleted.DeletedDate.AddDate(0, 0, 89)) {
		t.Errorf("the deleted one: %v", err)
	}
	if _, err := client.RecoverDeletedSecret(ctx, "rotating", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetSecret(ctx, "rotating", first.ID.Version(), nil); err != nil {
		t.Errorf("after recovery: %v", err)
	}
	if _, err := client.DeleteSecret(ctx, "rotating", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PurgeDeletedSecret(ctx, "rotating", nil); err != nil {
		t.Fatal(err)
	}
	_, err = client.GetDeletedSecret(ctx, "rotating", nil)
	wantError(t, err, http.StatusNotFound, "SecretNotFound", "")
}

// wantError compares what the SDK makes of an error.
func wantError(t *testing.T, err error, status int, code, inner string) {
	t.Helper()
	var response *azcore.ResponseError
	if !errors.As(err, &response) {
		t.Errorf("got %v, want an error of the service", err)
		return
	}
	if response.StatusCode != status || response.ErrorCode != code || !strings.Contains(response.Error(), inner) {
		t.Errorf("got %d %s, want %d %s with %s in\n%v", response.StatusCode, response.ErrorCode, status, code, inner, err)
	}
}

func TestSeveralClientsPageAtOnce(t *testing.T) {
	a := start(t)
	operator := a.operator(operatorID, password)
	client := a.secrets(vaultURL, operator)
	want := []string{"seeded", "seeded-certificate"}
	for i := range 60 {
		name := fmt.Sprintf("paged-%02d", i)
		want = append(want, name)
		if _, err := client.SetSecret(t.Context(), name, azsecrets.SetSecretParameters{Value: new("x")}, nil); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(want)
	var clients sync.WaitGroup
	for range 6 {
		own := a.secrets(vaultURL, operator)
		clients.Go(func() {
			var got []string
			pages := 0
			for pager := own.NewListSecretPropertiesPager(nil); pager.More(); pages++ {
				page, err := pager.NextPage(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				for _, item := range page.Value {
					got = append(got, item.ID.Name())
					if item.ID.Version() != "" || (item.Managed != nil) != strings.HasSuffix(item.ID.Name(), "certificate") {
						t.Errorf("listed is %v", *item.ID)
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || pages != 3 {
				t.Errorf("%d pages: -want +got\n%s", pages, diff)
			}
		})
	}
	clients.Wait()
}

func TestErrorsReachTheClient(t *testing.T) {
	a := start(t)
	operator := a.operator(operatorID, password)
	identity := a.identity(identityID, func() string { return a.issuer.Token(subject, nil) })
	get := func(credential azcore.TokenCredential, name, version string) error {
		_, err := a.secrets(vaultURL, credential).GetSecret(t.Context(), name, version, nil)
		return err
	}
	_, errSet := a.secrets(vaultURL, identity).SetSecret(t.Context(), "seeded", azsecrets.SetSecretParameters{Value: new("x")}, nil)
	_, errLarge := a.secrets(vaultURL, operator).SetSecret(t.Context(), "large", azsecrets.SetSecretParameters{Value: new(strings.Repeat("x", 26000))}, nil)
	for name, tc := range map[string]struct {
		err         error
		status      int
		code, inner string
	}{
		"missing secret":  {get(identity, "nothing", ""), 404, "SecretNotFound", ""},
		"missing version": {get(identity, "seeded", "00000000000000000000000000000000"), 404, "SecretNotFound", ""},
		"bad name":        {get(operator, "a_b", ""), 400, "BadParameter", ""},
		"role missing":    {errSet, 403, "Forbidden", "ForbiddenByRbac"},
		"value too large": {errLarge, 400, "BadParameter", ""},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, tc.err, tc.status, tc.code, tc.inner) })
	}
	if _, err := a.secrets("https://another-vault.vault.azure.net", operator).GetSecret(t.Context(), "x", "", nil); err == nil {
		t.Error("a vault that is not there has answered")
	}
}

func TestEntrasErrorsReachTheClient(t *testing.T) {
	a := start(t)
	token := func(subject string) func() string { return func() string { return a.issuer.Token(subject, nil) } }
	for name, tc := range map[string]struct {
		credential azcore.TokenCredential
		status     int
		code       string
	}{
		"unknown client":  {a.identity("44444444-0000-0000-0000-000000000000", token(subject)), 400, "AADSTS700016"},
		"no credentials":  {a.identity(operatorID, token(subject)), 401, "AADSTS70025"},
		"another subject": {a.identity(identityID, token("system:serviceaccount:shop:other")), 401, "AADSTS700213"},
		"letter case":     {a.identity(identityID, token("system:serviceaccount:SHOP:shop")), 401, "AADSTS7002138"},
		"expired": {a.identity(identityID, func() string {
			return a.issuer.Token(subject, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
		}), 401, "AADSTS700024"},
		"wrong secret": {a.operator(operatorID, "wrong"), 401, "AADSTS7000215"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.secrets(vaultURL, tc.credential).GetSecret(t.Context(), "seeded", "", nil)
			var failed *azidentity.AuthenticationFailedError
			if !errors.As(err, &failed) || failed.RawResponse == nil {
				t.Fatalf("got %v", err)
			}
			if failed.RawResponse.StatusCode != tc.status || !strings.Contains(failed.Error(), tc.code+": ") {
				t.Errorf("got %d, want %d with %s in\n%v", failed.RawResponse.StatusCode, tc.status, tc.code, err)
			}
		})
	}
}

func TestUnknownTenantReachesTheClient(t *testing.T) {
	a := start(t)
	credential, err := azidentity.NewClientSecretCredential("nowhere.example", operatorID, password,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: a.options(once)})
	if err != nil {
		t.Fatal(err)
	}
	// A credential of another tenant than the vault's must allow the tenant of the challenge, so the token is asked for here.
	_, err = credential.GetToken(t.Context(), tokenOptions())
	if err == nil || !strings.Contains(err.Error(), "AADSTS90002") {
		t.Errorf("got %v", err)
	}
}

func TestClientsRetryWhatIsTransient(t *testing.T) {
	a := start(t)
	client, err := azsecrets.NewClient(vaultURL, a.operator(operatorID, password), &azsecrets.ClientOptions{ClientOptions: a.options(4)})
	if err != nil {
		t.Fatal(err)
	}
	get := []string{"secrets.get"}
	if err := a.SetBehaviour(wire.Behaviour{Faults: []wire.Fault{
		{Kind: wire.KindStatus, Status: 503, Operations: get, Next: 1},
		{Kind: wire.KindStatus, Status: 429, Operations: get, Next: 1},
		{Kind: wire.KindCut, Operations: get, Next: 1},
		{Kind: wire.KindRefuse, Operations: get, Next: 1},
	}}); err != nil {
		t.Fatal(err)
	}
	if got, err := client.GetSecret(t.Context(), "seeded", "", nil); err != nil || *got.Value != "a seeded value" {
		t.Errorf("got %v", err)
	}
}
