package entra

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// refusal is an error of Entra's: which, with which OAuth error and HTTP status, in Entra's words.
type refusal struct {
	status int
	oauth  string // the member "error"
	number int    // the n in AADSTSn
	text   string
	// lines is how the older errors set off the ids at the end: by line breaks instead of blanks.
	lines bool
}

// body is the JSON of an error, complete with the ids that differ at each answer.
type body struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri"`
}

func (f *refusal) body(now time.Time, trace, correlation string) body {
	stamp := now.UTC().Format("2006-01-02 15:04:05Z")
	separator := " "
	if f.lines {
		separator = "\r\n"
	}
	description := []string{
		f.code() + ": " + f.text, "Trace ID: " + trace, "Correlation ID: " + correlation, "Timestamp: " + stamp,
	}
	return body{
		Error: f.oauth, Description: strings.Join(description, separator), Codes: []int{f.number}, Timestamp: stamp,
		TraceID: trace, CorrelationID: correlation, URI: fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", f.number),
	}
}

func (f *refusal) code() string { return fmt.Sprintf("AADSTS%d", f.number) }

// advice ends the errors about federated credentials.
const advice = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. " +
	"https://learn.microsoft.com/entra/workload-id/workload-identity-federation"

func invalidClient(number int, format string, args ...any) *refusal {
	return &refusal{status: http.StatusUnauthorized, oauth: "invalid_client", number: number, text: fmt.Sprintf(format, args...)}
}

func invalidRequest(number int, format string, args ...any) *refusal {
	return &refusal{
		status: http.StatusBadRequest, oauth: "invalid_request", number: number, text: fmt.Sprintf(format, args...), lines: true,
	}
}

func noMatch(number int, what, value, hint string) *refusal {
	return invalidClient(number, "No matching federated identity record found for presented assertion %s '%s'. %s%s",
		what, value, hint, advice)
}

func unknownTenant(oauth, tenant string) *refusal {
	return &refusal{
		status: http.StatusBadRequest, oauth: oauth, number: 90002, lines: true,
		text: "Tenant '" + tenant + "' not found. Check to make sure you have the correct tenant ID and are signing into the " +
			"correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions " +
			"for the tenant.",
	}
}

func unknownClient(client, directory string) *refusal {
	return &refusal{
		status: http.StatusBadRequest, oauth: "unauthorized_client", number: 700016, lines: true,
		text: fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'. This can happen if the "+
			"application has not been installed by the administrator of the tenant or consented to by any user in the tenant. "+
			"You may have sent your authentication request to the wrong tenant.", client, directory),
	}
}

func disabledClient(client, name string) *refusal {
	return &refusal{
		status: http.StatusBadRequest, oauth: "unauthorized_client", number: 7000112, lines: true,
		text: fmt.Sprintf("Application '%s'(%s) is disabled.", client, name),
	}
}

func missingParameter(name string) *refusal {
	return invalidRequest(900144, "The request body must contain the following parameter: '%s'.", name)
}

func unsupportedGrant(grant string) *refusal {
	return &refusal{
		status: http.StatusBadRequest, oauth: "unsupported_grant_type", number: 70003, lines: true,
		text: fmt.Sprintf("The app requested an unsupported grant type '%s'.", grant),
	}
}

func badScope(scope string) *refusal {
	return &refusal{
		status: http.StatusBadRequest, oauth: "invalid_scope", number: 1002012, lines: true,
		text: fmt.Sprintf("The provided value for scope %s is not valid. Client credential flows must have a scope value with "+
			"/.default suffixed to the resource identifier (application ID URI).", scope),
	}
}

func unknownResource(resource, tenant string) *refusal {
	return &refusal{
		status: http.StatusBadRequest, oauth: "invalid_resource", number: 500011, lines: true,
		text: fmt.Sprintf("The resource principal named %s was not found in the tenant named %s. This can happen if the "+
			"application has not been installed by the administrator of the tenant or consented to by any user in the tenant. "+
			"You might have sent your authentication request to the wrong tenant.", resource, tenant),
	}
}

func noProof() *refusal {
	f := invalidClient(7000216,
		"'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
	f.lines = true
	return f
}

func wrongSecret(client string) *refusal {
	f := invalidClient(7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client "+
		"secret value, not the client secret ID, for a secret added to app '%s'.", client)
	f.lines = true
	return f
}

func expiredSecret(client string) *refusal {
	f := invalidClient(7000222, "The provided client secret keys for app '%s' are expired. Visit the Azure portal to create "+
		"new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "+
		"https://aka.ms/certCreds.", client)
	f.lines = true
	return f
}
