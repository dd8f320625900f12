package cluster

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"secretstore/internal/migrate/model"
)

// tokenSeconds is how long a token lives: the least that Kubernetes grants.
const tokenSeconds = 600

// Mint implements [act.Cluster].
func (c *Cluster) Mint(ctx context.Context, t model.Token) (string, error) {
	seconds := int64(tokenSeconds)
	answer, err := c.typed.CoreV1().ServiceAccounts(t.Namespace).CreateToken(ctx, t.Account, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: []string{t.Audience}, ExpirationSeconds: &seconds},
	}, metav1.CreateOptions{FieldManager: fieldManager})
	if err != nil {
		ref := model.Ref{APIVersion: "v1", Kind: "ServiceAccount", Namespace: t.Namespace, Name: t.Account}
		return "", explain(err, "create", schema.GroupResource{Resource: "serviceaccounts/token"}, ref)
	}
	return answer.Status.Token, nil
}
