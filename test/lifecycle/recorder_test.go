package lifecycle

import (
	"bytes"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
)

// recorder stands between the controller and the API server, and notes what is asked about Secrets and what is answered to
// reads of them.
type recorder struct {
	mu       sync.Mutex
	requests []secretRequest
	read     bytes.Buffer // all that the API server sent in answer to GET
}

// secretRequest is a request about Secrets.
type secretRequest struct {
	method, path string
	query        url.Values
	accept       string
}

// look says whether it is a look: a dry run that changes nothing.
func (r secretRequest) look() bool {
	return r.method == http.MethodPatch && r.query.Get("dryRun") == "All"
}

// write says whether it writes a Secret.
func (r secretRequest) write() bool { return r.method == http.MethodPatch && !r.look() }

// newRecorder starts a recorder; reach leads a client through it.
func newRecorder(t *testing.T) (r *recorder, reach func(*rest.Config)) {
	t.Helper()
	target, err := url.Parse(shared.Config().Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(rest.AnonymousClientConfig(shared.Config()))
	if err != nil {
		t.Fatal(err)
	}
	r = &recorder{}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(target) },
		Transport:     transport,
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // the controller's end cuts its watches
		FlushInterval: -1,                                                      // watches are answered bit by bit
		ModifyResponse: func(response *http.Response) error {
			if request := response.Request; request.Method == http.MethodGet && aboutSecrets(request.URL.Path) {
				response.Body = tee{Reader: io.TeeReader(response.Body, r), Closer: response.Body}
			}
			return nil
		},
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if aboutSecrets(request.URL.Path) {
			request.Header.Del("Accept-Encoding") // so that what is read can be searched
			r.note(request)
		}
		proxy.ServeHTTP(w, request)
	}))
	// Watches never end by themselves, and the server's Close would wait for them.
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return r, func(config *rest.Config) { config.Host, config.CAData = server.URL, ca }
}

func aboutSecrets(path string) bool {
	return strings.Contains(path, "/secrets/") || strings.HasSuffix(path, "/secrets")
}

type tee struct {
	io.Reader
	io.Closer
}

func (r *recorder) note(request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, secretRequest{
		method: request.Method, path: request.URL.Path, query: request.URL.Query(), accept: request.Header.Get("Accept"),
	})
}

// Write implements io.Writer for what the API server sends.
func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read.Write(p)
}

// list gives the requests so far that are wanted.
func (r *recorder) list(wanted func(secretRequest) bool) []secretRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []secretRequest
	for _, request := range r.requests {
		if wanted(request) {
			found = append(found, request)
		}
	}
	return found
}

// sent is all that the API server has sent in answer to reads.
func (r *recorder) sent() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read.String()
}
