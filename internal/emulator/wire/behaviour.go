package wire

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
)

// Kinds of fault.
const (
	// KindLatency delays the answer by LatencyMilliseconds; other faults may follow it.
	KindLatency = "latency"
	// KindUnreachable ends connections in the TLS handshake, as a host that is down would; it looks at Service and Vault only.
	KindUnreachable = "unreachable"
	// KindRefuse closes the connection when the request has come, without an answer.
	KindRefuse = "refuse"
	// KindHang answers nothing until the client leaves or the behaviour is set anew, and then closes the connection.
	KindHang = "hang"
	// KindStatus answers with Status and, where they are given, Body and RetryAfterSeconds.
	KindStatus = "status"
	// KindGarbage answers 200 with a body that is not JSON.
	KindGarbage = "garbage"
	// KindCut does what was asked, but cuts the connection in the middle of the answer's body.
	KindCut = "cut"
)

// Behaviour is how the services misbehave. It can be set as a whole at any time.
type Behaviour struct {
	// Faults are tried in order; the first that matches a request decides, after the delays of all that match.
	Faults []Fault `json:"faults" yaml:"faults"`
	// Limits are the vaults' rate limits: the first that names the vault, or names none, holds. Without any, a vault answers
	// 4,000 reads in 10 seconds, as Azure documents.
	Limits []Limit `json:"limits" yaml:"limits"`
}

// Fault is one way to misbehave, and to which requests. Fields left empty match everything.
type Fault struct {
	// Kind is one of the kinds above.
	Kind string `json:"kind" yaml:"kind"`
	// Service is "entra", "vault", "arm" or "graph"; empty for all.
	Service string `json:"service,omitempty" yaml:"service"`
	// Vault is the name of a vault.
	Vault string `json:"vault,omitempty" yaml:"vault"`
	// Operations are kinds of operation as the log of requests names them.
	Operations []string `json:"operations,omitempty" yaml:"operations"`
	// Path is a pattern for the URL's path, as of path.Match: "/secrets/db-*".
	Path string `json:"path,omitempty" yaml:"path"`
	// Next is how many matching requests the fault still meets; 0 for all, until it is removed.
	Next int `json:"next,omitempty" yaml:"next"`

	// LatencyMilliseconds is the delay of KindLatency.
	LatencyMilliseconds int `json:"latencyMilliseconds,omitempty" yaml:"latencyMilliseconds"`
	// Status is the HTTP status of KindStatus.
	Status int `json:"status,omitempty" yaml:"status"`
	// Body is the body of KindStatus; empty for the service's own.
	Body string `json:"body,omitempty" yaml:"body"`
	// RetryAfterSeconds is the Retry-After header of KindStatus; 0 for none.
	RetryAfterSeconds int `json:"retryAfterSeconds,omitempty" yaml:"retryAfterSeconds"`
}

// Limit is a vault's rate limit on reads: Requests within any PerSeconds seconds, 429 beyond.
type Limit struct {
	// Vault is the name of a vault; empty for each.
	Vault string `json:"vault,omitempty" yaml:"vault"`
	// Requests is how many reads are answered within PerSeconds.
	Requests int `json:"requests" yaml:"requests"`
	// PerSeconds is the length of the window, 10 in Azure.
	PerSeconds int `json:"perSeconds" yaml:"perSeconds"`
	// RetryAfterSeconds is the Retry-After header of a 429; 0 for none, as captured from Azure.
	RetryAfterSeconds int `json:"retryAfterSeconds,omitempty" yaml:"retryAfterSeconds"`
	// IgnoreRefused leaves refused calls out of the count. Azure's pages disagree on it; by default they count.
	IgnoreRefused bool `json:"ignoreRefused,omitempty" yaml:"ignoreRefused"`
}

// Validate tells everything that is wrong with a behaviour, each with the path of its field.
func (b Behaviour) Validate() error {
	var errs []error
	for i, fault := range b.Faults {
		if err := fault.validate(); err != nil {
			errs = append(errs, fmt.Errorf("faults[%d]: %w", i, err))
		}
	}
	for i, limit := range b.Limits {
		if limit.Requests < 1 || limit.PerSeconds < 1 || limit.RetryAfterSeconds < 0 {
			errs = append(errs, fmt.Errorf("limits[%d]: requests and perSeconds must be 1 or more, retryAfterSeconds 0 or more", i))
		}
	}
	return errors.Join(errs...)
}

func (f Fault) validate() error {
	kinds := []string{KindLatency, KindUnreachable, KindRefuse, KindHang, KindStatus, KindGarbage, KindCut}
	switch _, err := path.Match(f.Path, "/"); {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("kind is %q: it must be one of %s", f.Kind, strings.Join(kinds, ", "))
	case !slices.Contains([]string{"", "entra", "vault", "arm", "graph"}, f.Service):
		return fmt.Errorf(`service is %q: it must be "entra", "vault", "arm", "graph" or empty`, f.Service)
	case err != nil:
		return fmt.Errorf("path %q: %w", f.Path, err)
	case min(f.Next, f.LatencyMilliseconds, f.RetryAfterSeconds) < 0:
		return errors.New("next, latencyMilliseconds and retryAfterSeconds must not be negative")
	}
	return f.validateKind()
}

// validateKind tells what a kind of fault wants of the other fields.
func (f Fault) validateKind() error {
	switch f.Kind {
	case KindUnreachable:
		if len(f.Operations) > 0 || f.Path != "" || f.Next > 0 {
			return errors.New("a host is unreachable for every request: operations, path and next must be empty")
		}
	case KindLatency:
		if f.LatencyMilliseconds == 0 {
			return errors.New("a latency needs latencyMilliseconds")
		}
	case KindStatus:
		if f.Status < http.StatusBadRequest || f.Status > 599 {
			return fmt.Errorf("status is %d: it must be from 400 to 599", f.Status)
		}
	}
	return nil
}

// concerns says whether the fault has to do with a service and, for the vault service, with that vault.
func (f Fault) concerns(service, vault string) bool {
	return (f.Service == "" || f.Service == service) && (f.Vault == "" || strings.EqualFold(f.Vault, vault))
}

func (f Fault) matches(call Call, urlPath string) bool {
	if !f.concerns(call.Service, call.Vault) {
		return false
	}
	if len(f.Operations) > 0 && !slices.Contains(f.Operations, call.Operation) {
		return false
	}
	matched, err := path.Match(f.Path, urlPath)
	return f.Path == "" || (err == nil && matched)
}
