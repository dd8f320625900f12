package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// maxAdminBody is the size of an administrator's request at most.
const maxAdminBody = 1 << 20

// serveAdmin answers on the emulator's own address. Everything is JSON; docs/reference/emulator.md tells how to use it.
func (s *Server) serveAdmin(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxAdminBody)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /admin/requests", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteJSON(w, http.StatusOK, map[string]any{"requests": append([]wire.Entry{}, s.Requests()...)})
	})
	mux.HandleFunc("GET /admin/counters", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteJSON(w, http.StatusOK, map[string]any{"counters": s.Counters()})
	})
	mux.HandleFunc("DELETE /admin/counters", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetCounters()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /admin/faults", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteJSON(w, http.StatusOK, s.Behaviour())
	})
	mux.HandleFunc("PUT /admin/faults", change(func(_ *http.Request, b wire.Behaviour) error { return s.SetBehaviour(b) }))
	s.handleState(mux)
	mux.ServeHTTP(w, r)
}

// handleState lets administrators change what Azure Resource Manager would, without its delays, and set these.
func (s *Server) handleState(mux *http.ServeMux) {
	const federated = "/admin/applications/{clientID}/federatedCredentials/{name}"
	mux.HandleFunc("POST "+federated, change(func(r *http.Request, c state.FederatedCredential) error {
		c.Name = r.PathValue("name")
		return s.state.SetFederatedCredential(r.PathValue("clientID"), c)
	}))
	mux.HandleFunc("DELETE "+federated, func(w http.ResponseWriter, r *http.Request) {
		finish(w, s.state.RemoveFederatedCredential(r.PathValue("clientID"), r.PathValue("name")))
	})
	const roles = "/admin/vaults/{vault}/roleAssignments"
	mux.HandleFunc("POST "+roles, change(func(r *http.Request, a state.RoleAssignment) error {
		return s.state.AddRoleAssignment(r.PathValue("vault"), a)
	}))
	mux.HandleFunc("DELETE "+roles, change(func(r *http.Request, a state.RoleAssignment) error {
		return s.state.RemoveRoleAssignment(r.PathValue("vault"), a)
	}))
	mux.HandleFunc("GET /admin/management", func(w http.ResponseWriter, _ *http.Request) {
		wire.WriteJSON(w, http.StatusOK, s.state.ManagementSettings())
	})
	mux.HandleFunc("PUT /admin/management", change(func(_ *http.Request, m state.ManagementSettings) error {
		return s.state.SetManagementSettings(m)
	}))
	mux.HandleFunc("PUT /admin/vaults/{vault}/network", change(func(r *http.Request, n state.Network) error {
		return s.state.SetNetwork(r.PathValue("vault"), n)
	}))
}

// change reads a body of one type, strictly, and does something with it.
func change[T any](do func(*http.Request, T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body T
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&body); err != nil {
			finish(w, fmt.Errorf("reading the request: %w", err))
			return
		}
		finish(w, do(r, body))
	}
}

// finish tells an administrator what has come of a change: 204, 404 for what is unknown, 400 for what is wrong.
func finish(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
		return
	case errors.Is(err, state.ErrUnknown):
		status = http.StatusNotFound
	}
	wire.WriteJSON(w, status, map[string]string{"error": err.Error()})
}
