package akv

import (
	"cmp"
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
	codeForbiddenByRbac     = "ForbiddenByRbac"
	codeAccessDenied        = "AccessDenied"
)

// explain turns an error of a call to the vault into a fault.
func explain(err error, op operation) *fault.Error {
	var known *fault.Error
	var refused *pace.RefusedError
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
		return &fault.Error{Kind: fault.Unreachable, Detail: kept(err), Message: fmt.Sprintf("vault %s gave an answer that is not Key "+
			"Vault's; it is tried again (is there a proxy in between?)", op.vault)}
	}
}

func explainAnswer(answer *azcore.ResponseError, op operation) *fault.Error {
	code, inner := codes(answer.RawResponse)
	f := &fault.Error{
		RetryAfter: entra.RetryAfter(answer.RawResponse),
		// Never the answer itself: a proxy's may repeat the request with its token.
		Detail: fmt.Errorf("HTTP %d, code %q, inner code %q, request ID %q", answer.StatusCode, code, inner,
			fault.Word(answer.RawResponse.Header.Get("x-ms-request-id"))),
	}
	switch status := answer.StatusCode; {
	case status == http.StatusUnauthorized:
		f.Kind = fault.TokenRefused
		f.Message = fmt.Sprintf("vault %s did not accept the token that Entra gave; check that spec.parameters.tenantID is "+
			"the vault's tenant", op.vault)
	case status == http.StatusForbidden:
		explainForbidden(f, cmp.Or(inner, code), op)
	case status == http.StatusNotFound:
		f.Kind = fault.ObjectMissing
		f.Message = fmt.Sprintf("there is no %s: create or recover it, or correct the SecretProviderClass", op)
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		explainBusy(f, status, op)
	default:
		f.Kind = fault.ObjectUnusable
		f.Message = fmt.Sprintf("%s: the vault answered HTTP %d (%s)", op, status, code)
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
func explainRefused(refused *pace.RefusedError, op operation) *fault.Error {
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

// explainForbidden tells one 403 from another by its inner code.
func explainForbidden(f *fault.Error, code string, op operation) {
	verb := "Get"
	if op.listing {
		verb = "List (objectVersionHistory needs it)"
	}
	role := fmt.Sprintf("the role %s on the vault", rolesToRead(op.object.Type))
	policy := fmt.Sprintf("%s on %ss by access policy", verb, op.object.Type)
	switch code {
	case codeSecretDisabled:
		*f = *disabled(op, f.Detail)
	case codeForbiddenByFirewall:
		f.Kind = fault.NetworkRefused
		f.Message = fmt.Sprintf("the firewall of vault %s does not let this cluster in: allow its outgoing addresses in the vault's "+
			"network rules, or connect it by a private endpoint", op.vault)
	case codeForbiddenByLink:
		f.Kind = fault.NetworkRefused
		f.Message = fmt.Sprintf("vault %s has public access switched off, and this cluster does not come by a private endpoint: "+
			"connect it by one, with the vault's private DNS zone, or allow public access", op.vault)
	case codeAccessDenied:
		f.Kind = fault.PermissionMissing
		f.Message = fmt.Sprintf("the identity may not read %s: the vault goes by access policies; give the identity %s", op, policy)
	case codeForbiddenByRbac:
		f.Kind = fault.PermissionMissing
		f.Message = fmt.Sprintf("the identity may not read %s: assign it %s; %s", op, role, fault.PropagatingOrMissing)
	default:
		f.Kind = fault.PermissionMissing
		f.Message = fmt.Sprintf("the identity may not read %s: assign it %s, or %s; %s", op, role, policy, fault.PropagatingOrMissing)
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

// codes are the code and the inner code of a Key Vault error body; the latter tells one 403 from another. An answer that is not
// Key Vault's has none.
func codes(response *http.Response) (code, inner string) {
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
		return "", ""
	}
	return fault.Word(body.Error.Code), fault.Word(body.Error.Inner.Code)
}

// kept is what may be logged of an error that arose from reading an answer: its text may quote the answer, a value too.
func kept(err error) error {
	if errors.Is(err, errIncomplete) {
		return errIncomplete
	}
	return fmt.Errorf("an error of type %T, whose text is kept back because it may quote the answer", err)
}
