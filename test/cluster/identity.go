package cluster

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// tokenSeconds is the lifetime of a service account's token: longer than anyone keeps a demo open.
const tokenSeconds = 24 * 60 * 60

// ServiceAccountConfig returns the configuration of a client that is the service account, by a token of 24 hours. The
// account must exist; what it may do is what RBAC gives it.
func (c *Cluster) ServiceAccountConfig(ctx context.Context, namespace, name string) (*rest.Config, error) {
	token, err := c.Token(ctx, namespace, name, tokenSeconds)
	if err != nil {
		return nil, err
	}
	cfg := rest.AnonymousClientConfig(c.config)
	cfg.BearerToken = token
	cfg.QPS, cfg.Burst = c.config.QPS, c.config.Burst
	return cfg, nil
}

// Token asks for a token of the service account with the audiences given; without any, it is for the API server itself.
// The API server refuses less than 600 seconds.
func (c *Cluster) Token(ctx context.Context, namespace, name string, seconds int64, audiences ...string) (string, error) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	request := &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{Audiences: audiences, ExpirationSeconds: &seconds},
	}
	if err := c.client.SubResource("token").Create(ctx, account, request); err != nil {
		return "", fmt.Errorf("asking for a token of service account %s/%s: %w", namespace, name, err)
	}
	return request.Status.Token, nil
}
