package read

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"

	"secretstore/internal/migrate/model"
)

// UnreachableError says that a cluster did not answer, or not as an API server does.
type UnreachableError struct {
	// Host is the address that was tried.
	Host string
	Err  error
}

// Error names the address and what to look at.
func (e *UnreachableError) Error() string {
	cure := "check the address and the network, and that this is the cluster you mean (kubectl config current-context)"
	if apierrors.IsUnauthorized(e.Err) {
		cure = "log in to the cluster again, as kubectl needs it"
	}
	return fmt.Sprintf("the cluster at %s does not answer: %v; %s: nothing was written", e.Host, e.Err, cure)
}

// Unwrap returns what went wrong.
func (e *UnreachableError) Unwrap() error { return e.Err }

// unreachable tells failures of the way to the API server from its answers.
func unreachable(host string, err error) error {
	var answer apierrors.APIStatus
	var forbidden *ForbiddenError
	switch {
	case errors.Is(err, context.Canceled), errors.As(err, &forbidden):
		return err
	case errors.As(err, &answer) && !apierrors.IsUnauthorized(err):
		return err
	}
	return &UnreachableError{Host: host, Err: err}
}

// readServer reads who the cluster is, its version and its issuer.
func (c *cluster) readServer(ctx context.Context) error {
	system, err := c.typed.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err := c.allow(err, rule{verb: "get", resource: "namespaces", name: metav1.NamespaceSystem}); err != nil {
		return err
	}
	if err == nil {
		c.snapshot.Input.Cluster = string(system.UID)
	}
	about := discovery.ToDiscoveryInterfaceWithContext(c.typed.Discovery())
	if v, err := about.ServerVersionWithContext(ctx); err == nil {
		c.snapshot.Input.Version = v.GitVersion
	}
	raw, err := c.typed.Discovery().RESTClient().Get().AbsPath("/.well-known/openid-configuration").Do(ctx).Raw()
	if err != nil {
		c.find(model.IssuerUnread, "The issuer could not be read: %v.", err)
		return nil
	}
	var document struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(raw, &document); err != nil || document.Issuer == "" {
		c.find(model.IssuerUnread, "The discovery document names no issuer.")
	}
	c.snapshot.Input.Issuer = document.Issuer
	return nil
}

// find adds a finding about the cluster.
func (c *cluster) find(code model.Code, message string, args ...any) {
	c.snapshot.Findings = append(c.snapshot.Findings, model.Find(code, model.Object{}, "", message, args...))
}

// discover asks which kinds the cluster serves. API groups that do not answer are a finding: their kinds are missing.
func (c *cluster) discover(ctx context.Context) error {
	client := discovery.ToDiscoveryInterfaceWithContext(c.typed.Discovery())
	lists, err := client.ServerPreferredResourcesWithContext(ctx)
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return err
	}
	if err != nil {
		c.find(model.KindsUnknown, "%v.", err)
	}
	c.kinds = kindsOf(lists)
	return nil
}
