package entra

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"secretstore/internal/azure/pace"
	"secretstore/internal/fault"
)

// refusal is Entra's answer when it gives no token.
// Source: RFC 6749, section 5.2, and the members that Entra adds to it.
type refusal struct {
	Error string `json:"error"`
	Codes []int  `json:"error_codes"`
	// TraceID and CorrelationID are what Microsoft's support asks for.
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
}

// refusedError is a refusal as the log tells it.
type refusedError struct {
	status int
	body   refusal
}

// Error implements error.
func (e *refusedError) Error() string {
	return fmt.Sprintf("HTTP %d, error %q, codes %v, trace ID %q, correlation ID %q", e.status, fault.Word(e.body.Error),
		e.body.Codes, fault.Word(e.body.TraceID), fault.Word(e.body.CorrelationID))
}

// Entra's codes (AADSTS numbers) that have a cure of their own.
// Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, and answers seen in public reports.
const (
	codeUnknownTenant     = 90002
	codeUnknownClient     = 700016
	codeNoCredentials     = 70025
	codeNoMatch           = 70021
	codeWrongIssuer       = 700211
	codeWrongAudience     = 700212
	codeWrongSubject      = 700213
	codeOtherCase         = 7002137
	codeSubjectCase       = 7002138
	codeNotInTime         = 700024
	codeUnknownKey        = 7000272
	codeBadSignature      = 700027
	codeIssuerUnreachable = 90061
	codeClientDisabled    = 7000112
)

// explain turns an error of the token exchange into a fault. noted is the error of the assertion or of the connection,
// where there was one: it knows more than err.
func explain(err, noted error, subject Subject, audience string) *fault.Error {
	var failed *azidentity.AuthenticationFailedError
	if errors.As(err, &failed) && failed.RawResponse != nil {
		return explainResponse(failed.RawResponse, subject, audience)
	}
	if known, ok := errors.AsType[*fault.Error](noted); ok {
		return known
	}
	if refused, ok := errors.AsType[*pace.RefusedError](noted); ok && (refused.Busy || refused.Status != 0) {
		return explainRefused(refused)
	}
	pause, unsent := pauseOf(noted)
	return &fault.Error{
		Kind: fault.Unreachable, RetryAfter: pause, Unsent: unsent,
		Message: fmt.Sprintf("Entra could not be asked for a token for client %s: %s. It is tried again; check the "+
			"cluster's way to Entra", subject.ClientID, NetworkCause(noted)),
		// Never err itself: MSAL's text quotes the answer that it could not read, which may hold an access token.
		Detail: noted,
	}
}

// pauseOf is how long Entra is left alone, where that is why it was not asked.
func pauseOf(noted error) (pause time.Duration, unsent bool) {
	refused, unsent := errors.AsType[*pace.RefusedError](noted)
	if !unsent {
		return 0, false
	}
	return refused.Wait, true
}

func explainResponse(response *http.Response, subject Subject, audience string) *fault.Error {
	said, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusalBytes))
	var body refusal
	// An answer that is no JSON, such as a proxy's page, leaves body empty and is judged by its status below.
	_ = json.Unmarshal(said, &body)
	result := &fault.Error{RetryAfter: RetryAfter(response), Detail: &refusedError{response.StatusCode, body}}
	switch status := response.StatusCode; {
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		explainBusy(result, status)
	case len(body.Codes) == 0:
		result.Kind = fault.IdentityRejected
		result.Message = fmt.Sprintf("the token exchange was answered with HTTP %d and nothing that Entra would say: "+
			"is there a proxy in between?", response.StatusCode)
	default:
		result.Kind = fault.IdentityRejected
		result.Message = fmt.Sprintf("Entra refused the token exchange (AADSTS%d): %s",
			body.Codes[0], cure(body.Codes[0], subject, audience))
	}
	return result
}

// explainBusy tells of an Entra that cannot answer just now.
func explainBusy(f *fault.Error, status int) {
	if status == http.StatusTooManyRequests {
		f.Kind, f.Message = fault.Throttled, "Entra is throttling the token exchange; it is asked again later"
		return
	}
	f.Kind = fault.Unreachable
	f.Message = fmt.Sprintf("Entra answered the token exchange with HTTP %d; it is asked again later", status)
}

// deferred is how soon one comes again whose turn it was not.
const deferred = 500 * time.Millisecond

// explainRefused tells of a request that was not sent, in the words of the answer that Entra gave last.
func explainRefused(refused *pace.RefusedError) *fault.Error {
	f := &fault.Error{RetryAfter: refused.Wait, Unsent: true, Detail: refused}
	if refused.Busy {
		f.Kind, f.Message, f.RetryAfter = fault.Deferred, "Entra is being asked by others first", deferred
		return f
	}
	explainBusy(f, refused.Status)
	return f
}

// maxRefusalBytes bounds what is read of an error answer.
const maxRefusalBytes = 64 << 10

// cure says what a code means here and what to do about it.
func cure(code int, s Subject, audience string) string {
	if text, ok := cures(s, audience)[code]; ok {
		return text
	}
	return fmt.Sprintf("client %s, subject %s, audience %s; look the code up at "+
		"https://login.microsoftonline.com/error?code=%d", s.ClientID, s.claim(), audience, code)
}

// claim is the subject as the token of the service account and the federated credential name it.
func (s Subject) claim() string {
	return fmt.Sprintf("system:serviceaccount:%s:%s", s.Namespace, s.ServiceAccount)
}

// cures lists what is known of each code.
func cures(s Subject, audience string) map[int]string {
	none := fmt.Sprintf("no federated credential of client %s ", s.ClientID)
	issuer := none + "has the issuer of this cluster's tokens; set its issuer to the cluster's service-account-issuer, " +
		"exactly, a trailing slash too"
	subject := none + fmt.Sprintf("has the subject %s; create one, letter case matters", s.claim())
	keys := "the service account's token is signed by a key that the issuer does not publish; after a rotation of the " +
		"cluster's signing keys, publish the new ones at the issuer's jwks_uri"
	return map[int]string{
		codeUnknownTenant: fmt.Sprintf("there is no tenant %s; correct spec.parameters.tenantID of the SecretProviderClass",
			s.TenantID),
		codeUnknownClient: fmt.Sprintf("tenant %s has no application or managed identity with client ID %s; set "+
			"spec.parameters.clientID to the managed identity's client ID (not its object or principal ID)", s.TenantID, s.ClientID),
		codeNoCredentials: fmt.Sprintf("client %s has no federated credential; create one with subject %s, the cluster's issuer "+
			"and audience %s", s.ClientID, s.claim(), audience),
		codeWrongIssuer:   issuer,
		codeWrongAudience: none + fmt.Sprintf("has the audience %s; set it on the credential", audience),
		codeWrongSubject:  subject,
		codeSubjectCase:   subject,
		codeOtherCase: none + fmt.Sprintf("fits but for letter case; compare the cluster's issuer, subject %s and audience %s "+
			"letter by letter", s.claim(), audience),
		codeNoMatch: none + fmt.Sprintf("has this cluster's issuer, subject %s and audience %s together; %s", s.claim(), audience,
			fault.PropagatingOrMissing),
		codeNotInTime: "the service account's token is not within its time of validity; check the clock of the API server's " +
			"machine",
		codeUnknownKey:   keys,
		codeBadSignature: keys,
		codeIssuerUnreachable: "Entra cannot read the issuer's discovery document; the cluster's issuer URL must be reachable " +
			"from the internet",
		codeClientDisabled: fmt.Sprintf("application %s is disabled; enable it", s.ClientID),
	}
}
