package kube

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/typed/core/v1"

	"secretstore/internal/fault"
	"secretstore/internal/source"
)

// tokenSeconds is how long a requested token lives: the least that Kubernetes grants. It is used once, at once.
const tokenSeconds = 600

// Tokens requests tokens of service accounts.
type Tokens struct {
	client v1.ServiceAccountsGetter
}

// NewTokens makes a Tokens that asks through client.
func NewTokens(client v1.ServiceAccountsGetter) *Tokens { return &Tokens{client: client} }

// Request returns a token of the account with exactly the one audience, valid for ten minutes. If the account has been
// deleted, or replaced by one of the same name, there is none. Its errors are faults.
func (t *Tokens) Request(ctx context.Context, account source.ServiceAccount, audience string) (string, error) {
	seconds := int64(tokenSeconds)
	request := &authenticationv1.TokenRequest{
		// Given a UID, the API server refuses the request if the account has another one by now.
		ObjectMeta: metav1.ObjectMeta{UID: types.UID(account.UID)},
		Spec:       authenticationv1.TokenRequestSpec{Audiences: []string{audience}, ExpirationSeconds: &seconds},
	}
	answer, err := t.client.ServiceAccounts(account.Namespace).CreateToken(ctx, account.Name, request, metav1.CreateOptions{})
	if err == nil {
		return answer.Status.Token, nil
	}
	return "", explainTokenError(err, account)
}

func explainTokenError(err error, account source.ServiceAccount) error {
	name := account.Name
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return &fault.Error{Kind: fault.SpecInvalid, Detail: err, Message: fmt.Sprintf("service account %s is gone: create it, "+
			"or correct spec.serviceAccountName", name)}
	case refusingPolicy(err) != "":
		return &fault.Error{Kind: fault.PolicyRefused, Detail: err, Message: fmt.Sprintf("the admission policy %s refused a "+
			"token of service account %s", refusingPolicy(err), name)}
	case apierrors.IsForbidden(err):
		return &fault.Error{Kind: fault.Internal, Detail: err, Message: fmt.Sprintf("the controller may not request a token "+
			"of service account %s: it needs the verb create on serviceaccounts/token (see its ClusterRole)", name)}
	default:
		return &fault.Error{
			Kind: fault.Internal, Detail: err,
			Message: fmt.Sprintf("the API server gave no token of service account %s; it is asked again", name),
		}
	}
}
