package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/model"
)

// How long ago the driver must have written last: versions before 1.6.0 write every 5 seconds while they have something to write,
// later ones every 5 minutes.
const quietFor, quietForLater = 10 * time.Second, 5 * time.Minute

// checkEqual: pairs of Secrets hold the same, no pod mounts the classes, and the driver has stopped writing.
func (c *Cluster) checkEqual(ctx context.Context, gate model.Gate) (lack, error) {
	l, err := c.checkUnmounted(ctx, gate)
	if err != nil {
		return lack{}, err
	}
	same, err := c.compare(ctx, gate.Same, true)
	if err != nil {
		return lack{}, err
	}
	l.join(same)
	for _, pair := range gate.Same {
		if err := c.quiet(ctx, &l, pair); err != nil {
			return lack{}, err
		}
	}
	return l, nil
}

// compare says which Secrets do not hold the same bytes, and under which keys. demanded says that both have to be there.
func (c *Cluster) compare(ctx context.Context, pairs []model.Pair, demanded bool) (lack, error) {
	var l lack
	for _, pair := range pairs {
		was, err := c.secret(ctx, pair.Namespace, pair.Old)
		if err != nil {
			return lack{}, err
		}
		is, err := c.secret(ctx, pair.Namespace, pair.New)
		if err != nil {
			return lack{}, err
		}
		switch {
		case was != nil && is != nil:
			l.join(differ(pair, was, is))
		case demanded && was == nil:
			l.need("the Secret %s/%s is not there", pair.Namespace, pair.Old)
		case demanded:
			l.wait("the Secret %s/%s is not there yet", pair.Namespace, pair.New)
		}
	}
	return l, nil
}

// differ names the keys by which two Secrets differ. Where SecretSyncs make both already, a value that was rotated just now
// reaches one before the other.
func differ(pair model.Pair, old, successor *corev1.Secret) lack {
	var l lack
	say, was, is := l.need, old.Data, successor.Data
	if _, ours := old.Labels[v1alpha1.SecretLabel]; ours {
		say = l.wait
	}
	wanted := map[string]bool{}
	for _, key := range sortedKeys(was) {
		to := key
		if named, ok := pair.Keys[key]; ok {
			to = named
		}
		wanted[to] = true
		value, there := is[to]
		switch {
		case !there:
			say("the Secret %s/%s lacks the key %s, which %s has as %s", pair.Namespace, pair.New, to, pair.Old, key)
		case !bytes.Equal(was[key], value):
			say("the Secrets %s/%s and %s differ by the value of the key %s", pair.Namespace, pair.Old, pair.New, to)
		}
	}
	for _, key := range sortedKeys(is) {
		if !wanted[key] {
			say("the Secret %s/%s lacks the key %s, which %s has", pair.Namespace, pair.Old, key, pair.New)
		}
	}
	return l
}

// secret reads a Secret; nil if there is none.
func (c *Cluster) secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	secret, err := c.typed.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // no Secret and no error is an answer here, and nil is the documented way to say it
	}
	if err != nil {
		return nil, explain(err, "get", schema.GroupResource{Resource: "secrets"},
			model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name})
	}
	return secret, nil
}

// quiet: the driver has not written the old Secret for as long as it takes to be sure that it has stopped.
func (c *Cluster) quiet(ctx context.Context, l *lack, pair model.Pair) error {
	secret, err := c.secret(ctx, pair.Namespace, pair.Old)
	if err != nil || secret == nil {
		return err
	}
	want := quietFor
	if rewrites(c.options.DriverVersion) {
		want = quietForLater
	}
	for _, entry := range secret.ManagedFields {
		var fields map[string]any
		if entry.Time == nil || entry.FieldsV1 == nil || json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		if ago := c.options.Clock.Since(entry.Time.Time); isDriver(entry, fields) && ago < want {
			l.wait("the CSI driver wrote the Secret %s/%s %s ago; it has stopped once that is %s", pair.Namespace, pair.Old,
				ago.Round(time.Second), want)
		}
	}
	return nil
}

// rewrites tells a driver of version 1.6.0 or later.
func rewrites(version string) bool {
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "-")
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return false
	}
	major, err := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err == nil && err2 == nil && (major > 1 || major == 1 && minor >= 6)
}
