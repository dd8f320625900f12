package arm

import (
	"fmt"
	"net/http"
)

// refusal is an error of Azure Resource Manager's.
type refusal struct {
	status         int
	code, message  string
	authentication string // the WWW-Authenticate header of a 401
}

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (f *refusal) body() map[string]errorBody {
	return map[string]errorBody{"error": {Code: f.code, Message: f.message}}
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func badRequest(code, format string, args ...any) *refusal {
	return refuse(http.StatusBadRequest, code, format, args...)
}

func conflict(code, format string, args ...any) *refusal {
	return refuse(http.StatusConflict, code, format, args...)
}

func notFound(format string, args ...any) *refusal {
	return refuse(http.StatusNotFound, "NotFound", format, args...)
}

func missingVersion() *refusal {
	return badRequest("MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
}

func badMethod(method string) *refusal {
	return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed",
		"The requested resource does not support http method '%s'.", method)
}

func groupNotFound(group string) *refusal {
	return refuse(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", group)
}

// resourceNotFound is for a resource that its group does not have.
func resourceNotFound(t target) *refusal {
	return refuse(http.StatusNotFound, "ResourceNotFound", "The Resource '%s/%s' under resource group '%s' was not found. For more "+
		"details please go to https://aka.ms/ARMResourceNotFoundFix", t.kind, t.name(), t.group)
}

// parentNotFound is for what is nested in a resource that does not exist.
func parentNotFound(name string) *refusal {
	return refuse(http.StatusNotFound, "ParentResourceNotFound", "Can not perform requested operation on nested resource. Parent "+
		"resource '%s' not found.", name)
}
