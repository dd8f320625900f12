package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"secretstore/api/secretsync/v1alpha1"
)

// resource is the full name of the one resource that is worked on.
const resource = "secretsyncs." + v1alpha1.GroupName

// missingError is a SecretSync that does not exist: no reason not to go on with others.
type missingError struct{ error }

// missing says that a SecretSync does not exist.
func (s syncs) missing(name string) error {
	return fmt.Errorf("there is no SecretSync %s in the namespace %s: \"kubectl secretstore status -A\" lists those that exist",
		name, s.namespace)
}

// explain says what an answer of the cluster means, and what to do about it. namespace is empty where all were meant.
func (s syncs) explain(verb, namespace string, err error) error {
	scope, flag := "in the namespace "+namespace, "-n "+namespace
	if namespace == "" {
		scope, flag = "in all namespaces", "-A"
	}
	_, unanswered := errors.AsType[*url.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the cluster at %s does not accept your credentials: sign in again, or choose others by --context: %w",
			s.host, err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("you may not %s %s %s: ask for a role with that verb and resource (\"kubectl auth can-i %s %s %s\" tells "+
			"when you have it): %w", verb, resource, scope, verb, resource, flag, err)
	case apierrors.IsNotFound(err):
		return fmt.Errorf("the cluster at %s does not know the kind SecretSync (%s): install secretstore there, or its CRDs alone by "+
			"\"kubectl apply -f charts/secretstore/crds\"; or choose another cluster by --context", s.host, v1alpha1.GroupVersion())
	case unanswered:
		return fmt.Errorf("no answer from the cluster at %s: see that it runs and can be reached from here, or choose another by "+
			"--context: %w", s.host, err)
	default:
		return fmt.Errorf("trying to %s %s %s: %w", verb, resource, scope, err)
	}
}
