package read

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Identify is the UID of a cluster's namespace kube-system, by which clusters are told apart. The errors are those of Cluster.
func Identify(ctx context.Context, config *rest.Config) (string, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", unreachable(config.Host, err)
	}
	namespace, err := client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", unreachable(config.Host, err)
	}
	return string(namespace.UID), nil
}
