package vault

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"secretstore/internal/emulator/state"
)

// refusal is an error of Key Vault's.
type refusal struct {
	status         int
	code, inner    string
	message        string
	authentication string // the WWW-Authenticate header of a 401
}

type errorBody struct {
	Code    string     `json:"code"`
	Message string     `json:"message"`
	Inner   *innerBody `json:"innererror,omitempty"`
}

type innerBody struct {
	Code string `json:"code"`
}

func (f *refusal) body() map[string]errorBody {
	body := errorBody{Code: f.code, Message: f.message}
	if f.inner != "" {
		body.Inner = &innerBody{Code: f.inner}
	}
	return map[string]errorBody{"error": body}
}

// kindCode is the code that tells refusals apart: the inner one where there is one.
func (f *refusal) kindCode() string {
	if f.inner != "" {
		return f.inner
	}
	return f.code
}

func badParameter(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "BadParameter", message: fmt.Sprintf(format, args...)}
}

func forbidden(inner, format string, args ...any) *refusal {
	return &refusal{status: http.StatusForbidden, code: "Forbidden", inner: inner, message: fmt.Sprintf(format, args...)}
}

func badMethod() *refusal {
	// No capture: the real answer to an unknown route has an empty body.
	return &refusal{status: http.StatusNotFound, code: "NotFound", message: "The emulator does not know this operation."}
}

// noun is how Azure calls a kind in its sentences and codes.
func noun(kind state.Kind) string {
	return map[state.Kind]string{state.Secrets: "Secret", state.Keys: "Key", state.Certificates: "Certificate"}[kind]
}

func notFound(kind state.Kind, name, version string) *refusal {
	if version != "" {
		name += "/" + version
	}
	thing := strings.ToLower(noun(kind))
	return &refusal{
		status: http.StatusNotFound, code: noun(kind) + "NotFound",
		message: fmt.Sprintf("A %s with (name/id) %s was not found in this key vault. If you recently deleted this %s you may be "+
			"able to recover it using the correct recovery command. For help resolving this issue, please see "+
			"https://go.microsoft.com/fwlink/?linkid=2125182", thing, name, thing),
	}
}

func deletedNotFound(kind state.Kind, name string) *refusal {
	return &refusal{
		status: http.StatusNotFound, code: noun(kind) + "NotFound",
		message: fmt.Sprintf("Deleted %s not found: %s", noun(kind), name),
	}
}

// explain turns what the state says into Azure's words.
func explain(err error, kind state.Kind, name, version string) *refusal {
	conflict := refusal{status: http.StatusConflict, code: "Conflict"}
	switch {
	case errors.Is(err, state.ErrNotFound):
		return notFound(kind, name, version)
	case errors.Is(err, state.ErrDeleted):
		conflict.inner = "ObjectIsDeletedButRecoverable"
		conflict.message = fmt.Sprintf("%s %s is currently in a deleted but recoverable state, and its name cannot be reused; in "+
			"this state, the %s can only be recovered or purged.", noun(kind), name, strings.ToLower(noun(kind)))
		return &conflict
	case errors.Is(err, state.ErrManaged): // no capture
		return forbidden("", "%s %s is managed by a certificate, and cannot be changed on its own.", noun(kind), name)
	case errors.Is(err, state.ErrTaken): // no capture
		conflict.message = fmt.Sprintf("A key or a secret with the name %s exists already.", name)
		return &conflict
	default:
		return badParameter("%v", err) // what the caller asks to be made is impossible
	}
}
