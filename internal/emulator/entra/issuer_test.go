package entra

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestIssuersThatAnswerBadly(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		serve  http.HandlerFunc
		want   string
	}{
		"not found": {"no discovery document", http.NotFound, "answered 404 Not Found"},
		"no JSON":   {"something else", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "reading http"},
		"too large": {"it may not fill the memory", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"` + strings.Repeat("x", issuerMaxBytes) + `"}`))
		}, "reading http"},
		"redirect": {"it may not lead elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
		}, "issuers must not redirect"},
		"no keys": {"the document names no address for them", func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": "http://" + r.Host})
		}, "unsupported protocol scheme"},
		"another issuer": {"it must be the one that was asked", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"http://elsewhere.example"}`))
		}, "says that the issuer is http://elsewhere.example"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tc.serve)
			defer server.Close()
			_, published, err := newIssuers(nil, time.Now).key(t.Context(), server.URL, "kid")
			if published || err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want %q in it", tc.reason, err, tc.want)
			}
		})
	}
}

func TestIssuersEndWithTheCaller(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-arrived
		leave()
	}()
	if _, _, err := newIssuers(nil, time.Now).key(ctx, server.URL, "kid"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
