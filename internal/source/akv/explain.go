package akv

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"secretstore/internal/azure/entra"
	"secretstore/internal/azure/pace"
	"secretstore/internal/fault"
	"secretstore/internal/spcparams"
)

// Failures that an answer of status 200 can hide. They are values, not types, because they carry nothing.
var (
	errIncomplete = errors.New("the answer lacks members that Key Vault always gives")
	errDisabled   = errors.New("the object is disabled")
)

// unusable is an object that was read but is not what it should be.
type unusable struct{ error }

// operation is what was asked of the vault when it failed.
type operation struct {
	vault   string
	object  spcparams.Object
	version string
	listing bool
}

// String names the object for people, such as: secret db-password in vault shop.
func (o operation) String() string {
	name := o.object.Name
	if o.version != "" {
		name += "/" + o.version
	}
	return fmt.Sprintf("%s %s in vault %s", o.object.Type, name, o.vault)
}

// Codes of Key Vault's error bodies. Source: Microsoft's Key Vault REST reference, and answers seen in public reports.
const (
	codeSecretDisabled      = "SecretDisabled"
	codeForbiddenByFirewall = "ForbiddenByFirewall"
	codeForbiddenByLink     = "ForbiddenByConnection"
)

// explain turns an error of a call to the vault into a fault.
func explain(err error, op operation) *fault.Error {
	var known *fault.Error
	var refused *pace.Refused
	var unfit unusable
	var answered *azcore.ResponseError
	var connection *url.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errDisabled):
		return disabled(op, err)
	case errors.As(err, &unfit):
		return &fault.Error{Kind: fault.ObjectUnusable, Message: fmt.Sprintf("%s: %v", op, unfit.error)}
	case errors.As(err, &answered):
		return explainAnswer(answered, op)
	case errors.As(err, &refused):
		return explainRefused(refused, op)
	case errors.As(err, &connection):
		f := &fault.Error{Detail: err}
		explainUnreachable(f, err, op)
		return f
	default:
		return &fault.Error{Kind: fault.Unreachable, Detail: err, Message: fmt.Sprintf("vault %s gave an answer that is not Key "+
			"Vault's; it is tried again (is there a proxy in between?)", op.vault)}
	}
}

func explainAnswer(answer *azcore.ResponseError, op operation) *fault.Error {
	f := &fault.Error{Detail: answer, RetryAfter: entra.RetryAfter(answer.RawResponse)}
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized:
		f.Kind = fault.TokenRefused
		f.Message = fmt.Sprintf("vault %s did not accept the token that Entra gave; check that spec.parameters.tenantID is "+
			"the vault's tenant", op.vault)
	case status == http.StatusForbidden:
		explainForbidden(f, innerCode(answer.RawResponse), op)
	case status == http.StatusNotFound:
		f.Kind = fault.ObjectMissing
		f.Message = fmt.Sprintf("there is no %s: create or recover it, or correct the SecretProviderClass", op)
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		explainBusy(f, status, op)
	default:
		f.Kind = fault.ObjectUnusable
		f.Message = fmt.Sprintf("%s: the vault answered HTTP %d (%s)", op, status, answer.ErrorCode)
	}
	return f
}

// explainBusy tells of a vault that cannot answer just now.
func explainBusy(f *fault.Error, status int, op operation) {
	if status == http.StatusTooManyRequests {
		f.Kind = fault.Throttled
		f.Message = fmt.Sprintf("vault %s is throttling: too many requests from all its users together; it is asked again later",
			op.vault)
		return
	}
	f.Kind = fault.Unreachable
	f.Message = fmt.Sprintf("vault %s answered HTTP %d; it is asked again later", op.vault, status)
}

// deferred is how soon one comes again whose turn it was not, if nobody tells it before.
const deferred = 500 * time.Millisecond

// explainRefused tells of a request that was not sent, in the words of the answer that the vault gave last.
func explainRefused(refused *pace.Refused, op operation) *fault.Error {
	f := &fault.Error{RetryAfter: refused.Wait, Unsent: true, Detail: refused}
	switch {
	case refused.Busy:
		f.Kind, f.Message, f.RetryAfter = fault.Deferred, "the vault is being asked by others first", deferred
	case refused.Status != 0:
		explainBusy(f, refused.Status, op)
	default:
		explainUnreachable(f, refused.Err, op)
	}
	return f
}

func explainUnreachable(f *fault.Error, err error, op operation) {
	f.Kind = fault.Unreachable
	f.Message = fmt.Sprintf("vault %s could not be reached: %s. It is tried again; if other vaults answer, check "+
		"spec.parameters.keyvaultName", op.vault, entra.NetworkCause(err))
}

func explainForbidden(f *fault.Error, code string, op operation) {
	switch code {
	case codeSecretDisabled:
		*f = *disabled(op, f.Detail)
	case codeForbiddenByFirewall, codeForbiddenByLink:
		f.Kind = fault.NetworkRefused
		f.Message = fmt.Sprintf("the network rules of vault %s do not let this cluster in: allow its outgoing addresses, or "+
			"connect it by a private endpoint", op.vault)
	default:
		f.Kind = fault.PermissionMissing
		verb, role := "Get", rolesToRead(op.object.Type)
		if op.listing {
			verb = "List (objectVersionHistory needs it)"
		}
		f.Message = fmt.Sprintf("the identity may not read %s: assign it the role %s on the vault, or %s on %ss by access "+
			"policy; a new assignment takes up to 10 minutes to work", op, role, verb, op.object.Type)
	}
}

// rolesToRead is the least built-in role that reads and lists objects of the type.
func rolesToRead(t spcparams.ObjectType) string {
	if t == spcparams.TypeSecret {
		return "Key Vault Secrets User"
	}
	return "Key Vault Reader"
}

func disabled(op operation, detail error) *fault.Error {
	return &fault.Error{
		Kind: fault.ObjectDisabled, Detail: detail,
		Message: fmt.Sprintf("%s is disabled: enable it, or set a new version", op),
	}
}

// innerCode is the innermost code of a Key Vault error body: it tells one 403 from another.
func innerCode(response *http.Response) string {
	var body struct {
		Error struct {
			Code  string `json:"code"`
			Inner struct {
				Code string `json:"code"`
			} `json:"innererror"`
		} `json:"error"`
	}
	payload, err := runtime.Payload(response)
	if err != nil || json.Unmarshal(payload, &body) != nil {
		return ""
	}
	if body.Error.Inner.Code != "" {
		return body.Error.Inner.Code
	}
	return body.Error.Code
}
