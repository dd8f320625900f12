package arm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"k8s.io/utils/clock"

	"secretstore/internal/azure/arm"
)

// token is what no error may hold.
const token = "eyJhbGciOiJub25lIn0.canary.canary"

type fixedToken struct{ err error }

func (f fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, f.err
}

// clientOf is a client of a stand-in for both services, with a token or the error that there is none.
func clientOf(t *testing.T, noToken error, answer http.HandlerFunc) *arm.Client {
	t.Helper()
	server := httptest.NewTLSServer(answer)
	t.Cleanup(server.Close)
	c, err := arm.New(fixedToken{noToken}, arm.Options{
		ClientOptions: policy.ClientOptions{
			Transport: server.Client(), Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Millisecond},
			Cloud: cloud.Configuration{
				ActiveDirectoryAuthorityHost: "https://login.example", Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
					cloud.ResourceManager: {Endpoint: server.URL, Audience: "https://management.example"},
					arm.Graph:             {Endpoint: server.URL},
				},
			},
		},
		Clock: clock.RealClock{}, Poll: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestErrorsSayWhatToDo: whatever Azure answers, the error names the thing, the place, Azure's code and the cure, and no token.
func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	coded := func(code, message string) string {
		text, err := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, tc := range map[string]struct {
		reason string
		status int
		header string
		body   string
		tries  int32
		says   []string
	}{
		"Forbidden": {
			"the role that permits it is named", http.StatusForbidden, "",
			coded("AuthorizationFailed", "The client 'x' does not have authorization."), 1,
			[]string{"reading the managed identity shop", "/resourceGroups/rg/", "AuthorizationFailed", "does not have authorization", "Managed Identity Contributor"},
		},
		"NoGroup": {
			"the flag is named", http.StatusNotFound, "", coded("ResourceGroupNotFound", "Resource group 'rg' could not be found."), 1,
			[]string{"ResourceGroupNotFound", "--resource-group"},
		},
		"NoProvider": {
			"the command is named", http.StatusConflict, "",
			coded("MissingSubscriptionRegistration", "The subscription is not registered to use namespace 'Microsoft.ManagedIdentity'."), 1,
			[]string{"az provider register --namespace Microsoft.ManagedIdentity"},
		},
		"Token": {"the tenant is the usual cause", http.StatusUnauthorized, "", coded("InvalidAuthenticationTokenTenant", "wrong issuer"), 1, []string{"az login --tenant"}},
		"Throttled": {
			"it is tried again, and then said", http.StatusTooManyRequests, "", coded("TooManyRequests", "slow down"), 3,
			[]string{"TooManyRequests", "wait some minutes"},
		},
		"ThrottledLong": {
			"nobody waits for an hour", http.StatusTooManyRequests, "3600", coded("TooManyRequests", "slow down"), 1, []string{"run again"},
		},
		"Failing": {"Azure fails, not the operator", http.StatusInternalServerError, "", coded("InternalServerError", "oops"), 3, []string{"run again later"}},
		"Proxy": {
			"a page that repeats the request is not shown", http.StatusBadGateway, "", "<html>Authorization: Bearer " + token + "</html>", 3,
			[]string{"HTTP 502", "says nothing that is understood"},
		},
		"Echo": {
			"nor is a token within a message of Azure's", http.StatusBadRequest, "", coded("BadRequest", "bad\x00header\r\nBearer "+token), 1,
			[]string{"bad header Bearer (a token)"},
		},
		"Long":    {"a message is not a page", http.StatusBadRequest, "", coded("BadRequest", strings.Repeat("long ", 1000)), 1, []string{"long …"}},
		"OddCode": {"a code is a word", http.StatusBadRequest, "", coded(token+" x", "m"), 1, []string{"(not shown)"}},
		"NotJSON": {"a success that is no answer is none", http.StatusOK, "", token, 1, []string{"none that this API gives", "proxy"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int32
			c := clientOf(t, nil, func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				if r.Header.Get("Authorization") != "Bearer "+token {
					t.Errorf("the request has no token")
				}
				if tc.header != "" {
					w.Header().Set("Retry-After", tc.header)
				}
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			})
			_, err := c.Identity(t.Context(), arm.Group{Subscription: "s", Name: "rg"}, "shop")
			if err == nil {
				t.Fatal("no error")
			}
			for _, text := range tc.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%s: %q does not say %q", tc.reason, err, text)
				}
			}
			if strings.Contains(err.Error(), "canary") || len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\r\n\x00") {
				t.Errorf("%s: %q", tc.reason, err)
			}
			if got := tries.Load(); got != tc.tries {
				t.Errorf("%s: %d tries, want %d", tc.reason, got, tc.tries)
			}
		})
	}
}

// TestLoginErrors: without a token nothing is sent, and the error says how to sign in, by Entra's code and not by its words.
func TestLoginErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		err    error
		says   string
	}{
		"Nobody": {"no way worked", errors.New("DefaultAzureCredential: failed " + token), "nobody is signed in"},
		"Code":   {"Entra's code leads on", errors.New("AADSTS7000215: Invalid client secret " + token), "AADSTS7000215"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clientOf(t, tc.err, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
			_, err := c.Subscriptions(t.Context())
			login, ok := errors.AsType[*arm.LoginError](err)
			if !ok || !errors.Is(login, tc.err) {
				t.Fatalf("%s: %v is no LoginError", tc.reason, err)
			}
			for _, text := range []string{tc.says, "az login"} {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%s: %q does not say %q", tc.reason, err, text)
				}
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %q", tc.reason, err)
			}
			if _, err := c.Principal(t.Context(), "x"); !errors.Is(err, tc.err) {
				t.Errorf("Graph: %v", err)
			}
		})
	}
}

// TestPagesStayWhereTheTokenBelongs: lists go on by the links of their pages, but to no other host.
func TestPagesStayWhereTheTokenBelongs(t *testing.T) {
	t.Parallel()
	var server string
	c := clientOf(t, nil, func(w http.ResponseWriter, r *http.Request) {
		next := "https://" + r.Host + "/subscriptions?page=2"
		switch {
		case r.URL.Query().Get("page") == "2" && server == "":
			next = ""
		case r.URL.Query().Get("page") == "2":
			next = server
		}
		_, _ = fmt.Fprintf(w, `{"value":[{"subscriptionId":"s%s"}],"nextLink":%q}`, r.URL.Query().Get("page"), next)
	})
	got, err := c.Subscriptions(t.Context())
	if err != nil || len(got) != 2 || got[0].ID != "s" || got[1].ID != "s2" {
		t.Errorf("%v, %v", got, err)
	}
	server = "https://elsewhere.example/subscriptions"
	if _, err := c.Subscriptions(t.Context()); err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("%v", err)
	}
}

// TestUnreachable: without a way to Azure the error says so in words that stay the same.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	c := clientOf(t, nil, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := c.Subscriptions(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the connection was cut") || !strings.Contains(err.Error(), "HTTPS_PROXY") {
		t.Errorf("%v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := c.Subscriptions(ctx); err == nil || !strings.Contains(err.Error(), "interrupted") || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestConflictsThatStay: a lock is no other write that ends: nobody waits for it.
func TestConflictsThatStay(t *testing.T) {
	t.Parallel()
	var writes atomic.Int32
	c := clientOf(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte(`{"value":[]}`))
			return
		}
		writes.Add(1)
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"error":{"code":"ScopeLocked","message":"The scope cannot perform write operation."}}`))
	})
	_, err := c.MakeFederatedCredential(t.Context(), arm.Group{Subscription: "s", Name: "rg"}, "web", arm.FederatedCredential{Name: "edge"})
	if err == nil || !strings.Contains(err.Error(), "whoever set the lock") || writes.Load() != 1 {
		t.Errorf("%d writes, %v", writes.Load(), err)
	}
}

// TestTokensGoToNoOtherHost: what is no ARM ID would become a part of the host's name.
func TestTokensGoToNoOtherHost(t *testing.T) {
	t.Parallel()
	c := clientOf(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	if _, err := c.Vault(t.Context(), ".evil.example/x"); err == nil || !strings.Contains(err.Error(), "slash") {
		t.Errorf("%v", err)
	}
}
