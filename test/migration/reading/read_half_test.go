package reading

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
	"secretstore/test/cluster"
)

// expire answers the first request that continues a list of Secrets as an API server does whose token has run out.
type expire struct {
	http.RoundTripper
	token   string
	expired int
}

func (e *expire) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/secrets") || r.URL.Query().Get("continue") == "" || e.expired > 0 {
		return e.RoundTripper.RoundTrip(r)
	}
	e.expired++
	status := apierrors.NewResourceExpired("too old").ErrStatus
	status.Kind, status.APIVersion, status.Continue = "Status", "v1", e.token
	body, err := json.Marshal(status)
	return &http.Response{
		StatusCode: http.StatusGone, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}, err
}

func TestClusterExpiredToken(t *testing.T) {
	namespace := shared.Namespace(t)
	const count = 501 // more than a page
	client := typed(t)
	for i := range count {
		must[*corev1.Secret](t)(client.CoreV1().Secrets(namespace).Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("s-%03d", i)},
		}, metav1.CreateOptions{}))
	}
	config := shared.Config()
	expiring := &expire{}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		expiring.RoundTripper = next
		return expiring
	})
	snapshot := must[model.Snapshot](t)(read.Cluster(t.Context(), config, read.ClusterOptions{Digest: digest, Namespaces: []string{namespace}}))
	secrets := slices.DeleteFunc(names(snapshot), func(name string) bool { return !strings.HasPrefix(name, "Secret ") })
	if expiring.expired != 1 || len(secrets) != count || len(slices.Compact(secrets)) != count {
		t.Errorf("%d tokens expired, %d Secrets were read, want %d once each", expiring.expired, len(secrets), count)
	}
}

func TestClusterHalfInstalled(t *testing.T) {
	definitions := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	client := must[dynamic.Interface](t)(dynamic.NewForConfig(shared.Config()))
	name := "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io"
	if err := client.Resource(definitions).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	cluster.Eventually(t, 30*time.Second, func() error {
		if _, err := client.Resource(definitions).Get(t.Context(), name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("the definition is there: %w", err)
		}
		return nil
	})
	halves := func() []model.Finding {
		s := must[model.Snapshot](t)(read.Cluster(t.Context(), shared.Config(), read.ClusterOptions{Digest: digest}))
		return slices.DeleteFunc(s.Findings, func(f model.Finding) bool { return f.Code != model.HalfInstalled })
	}
	if found := halves(); len(found) != 0 {
		t.Errorf("without a driver the class alone is what this project needs: %v", found)
	}
	if err := shared.Apply(t.Context(), []byte("apiVersion: storage.k8s.io/v1\nkind: CSIDriver\nmetadata: {name: secrets-store.csi.k8s.io}\n")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := typed(t).StorageV1().CSIDrivers().Delete(context.WithoutCancel(t.Context()), model.Driver, metav1.DeleteOptions{}); err != nil {
			t.Errorf("removing the CSIDriver that other tests have nothing to do with: %v", err)
		}
	})
	if found := halves(); len(found) != 1 || !strings.Contains(found[0].Message, "SecretProviderClassPodStatus") {
		t.Errorf("got %v", found)
	}
	if err := shared.Apply(t.Context(), testdata(t, name[strings.Index(name, ".")+1:]+"_secretproviderclasspodstatuses.yaml")); err != nil {
		t.Fatal(err)
	}
}
