// Package wire is what lies between a client's connection and an imitated service: the emulator's own certificate
// authority, the gate that every request passes, and the log that tells afterwards what was asked.
//
// The gate decides, before a service sees a request, whether it is delayed, throttled, refused, answered wrongly or cut
// short, as the Behaviour that is set at that moment says. Services know nothing of faults, so each fault works alike on all
// of them; they only tell the gate what a request is (Describe) and how they word a refusal (Refuse).
//
// Nothing here holds a request's body or a header's value: the log is safe to print.
package wire

import (
	"context"
	"net/http"
)

// Service is one imitated service behind the gate.
type Service interface {
	http.Handler
	// Describe tells what a request asks for from its method, path and headers alone. It is called once, before anything
	// else, for each request.
	Describe(r *http.Request) Call
	// Refuse writes the service's own body for an HTTP status that the gate has chosen (429, 500, 503 and the like).
	Refuse(w http.ResponseWriter, r *http.Request, status int)
}

// Call is what one request asks for, and who asks. Services add what they learn while they answer.
type Call struct {
	// Service is "entra", "vault", "arm" or "graph".
	Service string
	// Vault is the vault's name as it was seeded; empty for other services.
	Vault string
	// Operation is the kind of call, such as "secrets.get" or "entra.token".
	Operation string
	// Name is the object that is asked for, where the path has one.
	Name string
	// Limited says that the call counts against the vault's rate limit.
	Limited bool
	// ClientID is the application that asks, once the service knows it.
	ClientID string
	// Code is the service's own error code of the answer, such as "SecretNotFound" or "AADSTS700213".
	Code string
}

type callKey struct{}

// CallOf gives the call of a request that came through the gate, for the service to add to. Of any other request it gives
// one that nobody reads, so that a service needs no gate to be tested.
func CallOf(r *http.Request) *Call {
	if call, ok := r.Context().Value(callKey{}).(*Call); ok {
		return call
	}
	return &Call{}
}

func withCall(r *http.Request, call *Call) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callKey{}, call))
}
