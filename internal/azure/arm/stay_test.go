package arm_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"secretstore/internal/azure/arm"
)

// TestTokenStays: wherever an answer leads, the login's token goes to Azure Resource Manager alone.
func TestTokenStays(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"Azure-AsyncOperation": "Azure-AsyncOperation", "Location": "Location", "Operation-Location": "Operation-Location",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				_, _ = w.Write([]byte(`{"status":"Succeeded"}`))
			}))
			t.Cleanup(elsewhere.Close)
			c := clientOf(t, nil, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(header, elsewhere.URL+"/subscriptions/s/operations/o")
				w.WriteHeader(http.StatusAccepted)
			})
			_, err := c.DeleteExtension(t.Context(), arm.Group{Subscription: "s", Name: "g"}, "c", "e")
			if err == nil || asked.Load() != 0 {
				t.Errorf("%v; the other host was asked %d times", err, asked.Load())
			} else if !strings.Contains(err.Error(), "another host") || !strings.Contains(err.Error(), "nothing was sent there") {
				t.Errorf("%v does not say why", err)
			}
		})
	}
}

// TestNamesLeadNowhere: a name that a server would take for a way up is none.
func TestNamesLeadNowhere(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	c := clientOf(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{}`))
	})
	for _, name := range []string{"..", "."} {
		if _, err := c.Identity(t.Context(), arm.Group{Subscription: "s", Name: "g"}, name); err == nil || asked.Load() > 0 || !strings.Contains(err.Error(), "a name in it is a dot") {
			t.Errorf("%q: %v, asked %d times", name, err, asked.Load())
		}
	}
}
