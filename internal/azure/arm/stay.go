package arm

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// staying keeps requests at one service. An answer says where the next page is and where an operation that takes long is asked
// about, and the login's token goes along with every request: it must go nowhere but to the service, whatever an answer says.
type staying struct{ host string }

// awayError says that an answer named another host.
type awayError struct{ host string }

// Error implements error.
func (e *awayError) Error() string { return "an answer leads to another host, " + e.host }

// NonRetriable tells azcore's policies that another try would end the same.
func (*awayError) NonRetriable() {}

// newStaying is the policy of an endpoint.
func newStaying(endpoint string) staying {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return staying{}
	}
	return staying{parsed.Host}
}

// kept are options whose requests stay at an endpoint.
func kept(o policy.ClientOptions, endpoint string) policy.ClientOptions {
	o.PerCallPolicies = append(slices.Clone(o.PerCallPolicies), newStaying(endpoint))
	return o
}

// Do implements policy.Policy.
func (s staying) Do(request *policy.Request) (*http.Response, error) {
	at := request.Raw().URL
	if at.Scheme != "https" || !strings.EqualFold(at.Host, s.host) {
		return nil, &awayError{at.Host}
	}
	return request.Next()
}

// wrongPath says why a path names no resource, empty if it does. Without a slash it would become part of the host's name, and the
// token would go there; by dots a server may come to another resource than the one that is named.
func wrongPath(path string) string {
	if !strings.HasPrefix(path, "/") {
		return "it is no ARM ID: those begin with a slash"
	}
	if slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return "it is no ARM ID: a name in it is a dot or two"
	}
	return ""
}
