package arm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"secretstore/internal/azure/entra"
	"secretstore/internal/fault"
)

// Error is what Azure refused, or could not be asked.
type Error struct {
	// Doing says what for: `making the managed identity shop`; Place is the path of the resource.
	Doing, Place string
	// Service is who was asked.
	Service string
	// Status is the answer's, 0 if there was none; Code and Message are Azure's own.
	Status        int
	Code, Message string
	// Cure is what to do about it, empty if nothing is known.
	Cure string
	// Cause is the error below, nil for an answer. Its text is not shown.
	Cause error
}

// Error names what was done, where, what Azure said, and the cure.
func (e *Error) Error() string {
	text := e.Doing + " (" + e.Place + "): "
	switch {
	case e.Status == 0:
		text += e.Message
	case e.Code == "":
		text += fmt.Sprintf("%s answers HTTP %d: %s", e.Service, e.Status, e.Message)
	default:
		text += fmt.Sprintf("%s answers HTTP %d, %s: %s", e.Service, e.Status, e.Code, e.Message)
	}
	text = strings.TrimRight(text, ". :")
	if e.Cure != "" {
		text += ": " + e.Cure
	}
	return text
}

// Unwrap gives the error below.
func (e *Error) Unwrap() error { return e.Cause }

// DiffersError says that something of the name is there already, and is not what was asked for. It was left as it is.
type DiffersError struct {
	// What and Place name it; How says in which way it differs; Cure what to do.
	What, Place, How, Cure string
}

// Error implements error.
func (e *DiffersError) Error() string {
	return fmt.Sprintf("%s (%s) is there already and differs: %s; it was left as it is: %s", e.What, e.Place, e.How, e.Cure)
}

// IsNotFound tells whether there is no such thing, as opposed to one that could not be seen.
func IsNotFound(err error) bool { return status(err) == http.StatusNotFound }

// IsForbidden tells whether the login lacks a right.
func IsForbidden(err error) bool { return status(err) == http.StatusForbidden }

func status(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

func hasCode(err error, codes ...string) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	for _, code := range codes {
		if strings.EqualFold(e.Code, code) {
			return true
		}
	}
	return false
}

// refusal is the body of an error of Azure Resource Manager and of Graph, or of an extension that could not be installed.
type refusal struct {
	Error      said `json:"error"`
	Properties struct {
		ErrorInfo said `json:"errorInfo"`
	} `json:"properties"`
}

type said struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// maxRefusal bounds what is read of an error's answer.
const maxRefusal = 64 << 10

// refused explains an answer that is an error.
func (s *service) refused(c call, response *http.Response) *Error {
	content, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	return s.judge(c, response.StatusCode, content)
}

// judge makes an error of a status and a body. A body that is no error of Azure's is not shown: a proxy may repeat the request.
func (s *service) judge(c call, status int, content []byte) *Error {
	e := &Error{Doing: c.doing, Place: c.path, Service: s.name, Status: status}
	var body refusal
	understood := json.Unmarshal(content, &body) == nil
	if body.Error.Code == "" {
		body.Error = body.Properties.ErrorInfo
	}
	if understood && body.Error.Code != "" {
		e.Code, e.Message = fault.Word(body.Error.Code), readable(body.Error.Message)
	} else {
		e.Message = "it says nothing that is understood here"
	}
	e.Cure = cure(c, e)
	return e
}

// unanswered explains a call that got no answer.
func (s *service) unanswered(c call, err error) error {
	if login, ok := errors.AsType[*LoginError](err); ok {
		return fmt.Errorf("%s: %w", c.doing, login)
	}
	e := &Error{Doing: c.doing, Place: c.path, Service: s.name, Cause: err}
	if ctx := context.Canceled; errors.Is(err, ctx) {
		e.Message = "interrupted"
		return e
	}
	if away, ok := errors.AsType[*awayError](err); ok {
		e.Message = away.Error()
		e.Cure = "nothing was sent there; is there a proxy in between?"
		return e
	}
	e.Message = fmt.Sprintf("%s could not be reached: %s", s.name, entra.NetworkCause(err))
	e.Cure = "check this machine's way to Azure (HTTPS_PROXY, SSL_CERT_FILE)"
	return e
}

// unfinished explains an operation that took long and failed, or whose end was not seen.
func (s *service) unfinished(c call, err error) error {
	failed, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return s.unanswered(c, err)
	}
	e := s.judge(c, failed.StatusCode, nil)
	if failed.RawResponse != nil {
		e = s.refused(c, failed.RawResponse)
	}
	if failed.StatusCode < http.StatusBadRequest {
		e.Status, e.Message = 0, "Azure took it up and failed: "+e.Code+": "+e.Message
		e.Cure = "look at the resource in the portal, mend what it says, and run again"
	}
	return e
}

// readable is a message of Azure's on one line, without what looks like a token, and not longer than it has to be.
func readable(text string) string {
	const longest = 500
	text = regexp.MustCompile(`eyJ[-_.A-Za-z0-9]{10,}`).ReplaceAllString(text, "(a token)")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if runes := []rune(text); len(runes) > longest {
		text = strings.TrimSpace(string(runes[:longest])) + " …"
	}
	return text
}

// cure says what to do about an answer.
// Source: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors.
func cure(c call, e *Error) string {
	if text, ok := cures(c)[strings.ToLower(e.Code)]; ok {
		return text
	}
	switch {
	case e.Status == http.StatusUnauthorized:
		return cures(c)["invalidauthenticationtoken"]
	case e.Status == http.StatusForbidden:
		return cures(c)["authorizationfailed"]
	case e.Status == http.StatusTooManyRequests:
		return "Azure throttles this login; it was tried again several times: wait some minutes and run again"
	case e.Status >= http.StatusInternalServerError:
		return "Azure fails; it was tried again several times: run again later"
	}
	return ""
}

// cures lists the codes that have one of their own.
func cures(c call) map[string]string {
	permit := "sign in as somebody who may"
	if c.role != "" {
		permit += ", or have the role " + c.role + " given to your login there"
	}
	login := "sign in again (az login --tenant TENANT), to the tenant that the subscription belongs to"
	return map[string]string{
		"authorizationfailed":              permit + "; a role that was given within the last minutes takes up to 10",
		"linkedauthorizationfailed":        permit,
		"authorization_requestdenied":      permit,
		"invalidauthenticationtoken":       login,
		"invalidauthenticationtokentenant": login,
		"expiredauthenticationtoken":       login,
		"subscriptionnotfound":             "check --subscription, and that the login sees it (az account list)",
		"invalidsubscriptionid":            "check --subscription: it is the subscription's ID",
		"resourcegroupnotfound":            "check --resource-group and --subscription",
		"resourcenotfound":                 "check the name, --resource-group and --subscription",
		"parentresourcenotfound":           "check the name of what it belongs to, --resource-group and --subscription",
		"missingsubscriptionregistration":  "register the provider once: az provider register --namespace " + namespaceOf(c.path),
		"scopelocked":                      "a lock on it, its group or subscription forbids it: whoever set the lock takes it off",
		"requestdisallowedbypolicy":        "an Azure Policy forbids it: ask whoever looks after the subscription's policies",
		"principalnotfound": "the directory does not know the principal, though it was tried again for minutes; check the " +
			"object ID, and that it is of the subscription's tenant",
		"roleassignmentlimitexceeded": "remove role assignments of the subscription that nobody needs",
	}
}

// namespaceOf is the resource provider of a path: the last one, as the resource is of its type.
func namespaceOf(path string) string {
	rest := afterLast(path, "/providers/")
	namespace, _, _ := strings.Cut(rest, "/")
	return namespace
}

// afterLast is what follows the last separator, the whole text where there is none.
func afterLast(text, separator string) string {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text
	}
	return text[at+len(separator):]
}
