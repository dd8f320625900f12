package read

import (
	"context"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"secretstore/internal/migrate/model"
)

// readSecretNames reads the metadata of all Secrets, without their values.
func (c *cluster) readSecretNames(ctx context.Context) error {
	secrets := c.metadata.Resource(corev1.SchemeGroupVersion.WithResource("secrets"))
	fetch := func(ctx context.Context, namespace string, o metav1.ListOptions) (metav1.ListInterface, int, error) {
		page, err := secrets.Namespace(namespace).List(ctx, o)
		if err != nil {
			return nil, 0, err
		}
		for i := range page.Items {
			if err := c.addSecretName(page.Items[i].ObjectMeta); err != nil {
				return nil, 0, err
			}
		}
		return page, len(page.Items), nil
	}
	return c.pages(ctx, rule{resource: "secrets"}, true, metav1.ListOptions{}, fetch)
}

// addSecretName keeps the metadata of a Secret.
func (c *cluster) addSecretName(m metav1.ObjectMeta) error {
	if m.Labels[model.ManagedLabel] == "true" {
		c.synced[m.Namespace+"/"+m.Name] = true
	}
	maps.DeleteFunc(m.Annotations, model.HoldsObject)
	content, err := contentOf(&corev1.Secret{ObjectMeta: m})
	if err != nil {
		return err
	}
	delete(content, "type") // it is not known
	c.add(content)
	return nil
}

// readSecrets reads in full what the migration compares and who the credentials are: the Secrets that classes make, of which
// digests are kept, and those that volumes name, of which the client ID is kept. Those that carry the driver's label come in
// pages, the others one by one.
func (c *cluster) readSecrets(ctx context.Context) error {
	places := map[string]int{}
	for i, o := range c.snapshot.Objects {
		if o.Kind == "Secret" && o.Group() == "" {
			places[o.Namespace+"/"+o.Name] = i
		}
	}
	read := map[string]bool{}
	if err := c.readManaged(ctx, func(secret *corev1.Secret) error {
		name := secret.Namespace + "/" + secret.Name
		at, there := places[name]
		if !there {
			return nil // made meanwhile
		}
		read[name] = true
		return c.keepSecret(secret, name, at)
	}); err != nil {
		return err
	}
	wanted := maps.Clone(c.synced)
	maps.Copy(wanted, c.credentials)
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if at, there := places[name]; there && !read[name] {
			if err := c.readSecret(ctx, name, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// readManaged reads the Secrets that carry the driver's label. Without the metadata of any there is nothing to read.
func (c *cluster) readManaged(ctx context.Context, each func(*corev1.Secret) error) error {
	secrets := workload{
		"", "secrets", c.typed.CoreV1().RESTClient(), func() runtime.Object { return &corev1.SecretList{} },
		model.ManagedLabel + "=true", false,
	}
	return c.readTyped(ctx, secrets, func(o runtime.Object) error {
		secret, ok := o.(*corev1.Secret)
		if !ok {
			return nil
		}
		return each(secret)
	})
}

// readSecret reads a Secret whose metadata are kept at a place of the objects.
func (c *cluster) readSecret(ctx context.Context, name string, at int) error {
	namespace, base, _ := strings.Cut(name, "/")
	secret, err := c.typed.CoreV1().Secrets(namespace).Get(ctx, base, metav1.GetOptions{})
	if err := c.allow(err, rule{verb: "get", resource: "secrets"}); err != nil {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // refused, which allow has noted, or gone meanwhile
	}
	return c.keepSecret(secret, name, at)
}

// keepSecret keeps a credential's client ID, and digests of a Secret that a class makes.
func (c *cluster) keepSecret(secret *corev1.Secret, name string, at int) error {
	if c.credentials[name] {
		c.snapshot.ClientIDs[name] = strings.TrimSpace(string(secret.Data["clientid"]))
	}
	if !c.synced[name] {
		return nil
	}
	content, err := contentOf(secret)
	if err != nil {
		return err
	}
	c.snapshot.Objects[at] = redact(model.Object{Ref: refOf(content), Content: content}, c.options.Digest)
	return nil
}
