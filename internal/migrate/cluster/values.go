package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
	"secretstore/internal/migrate/model"
	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/source"
	"secretstore/internal/spcparams"
)

// checkValues: what the vault gives for each sync is what its Secret holds. It is asked from here, as the service account that
// the controller asks as, and made into keys by the same code. Values are compared in memory and go nowhere else.
func (c *Cluster) checkValues(ctx context.Context, gate model.Gate) (lack, error) {
	var l lack
	syncs, err := c.syncs(ctx, &l, gate.Objects)
	if err != nil {
		return lack{}, err
	}
	for _, sync := range syncs {
		one, err := c.values(ctx, sync)
		if err != nil {
			return lack{}, err
		}
		l.join(one)
	}
	same, err := c.compare(ctx, gate.Same, false)
	if err != nil {
		return lack{}, err
	}
	l.join(same)
	return l, nil
}

// syncs reads SecretSyncs, and those that AKVSyncs generated.
func (c *Cluster) syncs(ctx context.Context, l *lack, refs []model.Ref) ([]*v1alpha1.SecretSync, error) {
	var found []*v1alpha1.SecretSync
	for _, ref := range refs {
		live, err := c.get(ctx, ref)
		if err != nil {
			return nil, err
		}
		if live == nil {
			l.need("%s is not there", ref)
			continue
		}
		objects := []unstructured.Unstructured{*live}
		if ref.Kind == "AKVSync" {
			if objects, err = c.generated(ctx, live); err != nil {
				return nil, err
			}
		}
		for _, o := range objects {
			sync := &v1alpha1.SecretSync{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, sync); err != nil {
				return nil, fmt.Errorf("%s: %w", ref, err)
			}
			found = append(found, sync)
		}
	}
	return found, nil
}

// generated are the SecretSyncs of an AKVSync.
func (c *Cluster) generated(ctx context.Context, akv *unstructured.Unstructured) ([]unstructured.Unstructured, error) {
	ref := syncRef(model.Ref{Namespace: akv.GetNamespace(), Name: "*"})
	t, err := c.target(ref)
	if err != nil {
		return nil, err
	}
	all, err := t.client.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, explain(err, "list", t.resource, ref)
	}
	return slices.DeleteFunc(all.Items, func(o unstructured.Unstructured) bool { return !metav1.IsControlledBy(&o, akv) }), nil
}

// values compares one SecretSync.
func (c *Cluster) values(ctx context.Context, sync *v1alpha1.SecretSync) (lack, error) {
	var l lack
	ref := syncRef(model.Ref{Namespace: sync.Namespace, Name: sync.Name})
	secret, err := c.secret(ctx, sync.Namespace, sync.Name)
	if err != nil {
		return lack{}, err
	}
	class, err := c.class(ctx, sync)
	if err != nil {
		return lack{}, err
	}
	if secret == nil || class == nil {
		l.need("%s: its Secret or its SecretProviderClass %s is not there", ref, sync.Spec.SecretProviderClassName)
		return l, nil
	}
	data, failed := c.fetch(ctx, sync, class)
	for _, err := range failed {
		c.judgeFault(&l, ref, err)
	}
	for _, key := range sortedKeys(data) {
		if held, there := secret.Data[key]; !there || !redact.New(held).Equal(data[key]) {
			l.need("the Secret %s/%s does not hold what the vault gives now, under the key %s; if it was rotated just now: "+
				"kubectl secretstore force %s -n %s", sync.Namespace, sync.Name, key, sync.Name, sync.Namespace)
		}
	}
	return l, nil
}

// class reads the class of a SecretSync; nil for none.
func (c *Cluster) class(ctx context.Context, sync *v1alpha1.SecretSync) (*spcv1.SecretProviderClass, error) {
	live, err := c.get(ctx, model.Ref{
		APIVersion: spcv1.GroupVersion.String(), Kind: "SecretProviderClass", Namespace: sync.Namespace,
		Name: sync.Spec.SecretProviderClassName,
	})
	if err != nil || live == nil {
		return nil, err
	}
	class := &spcv1.SecretProviderClass{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(live.Object, class); err != nil {
		return nil, fmt.Errorf("SecretProviderClass %s/%s: %w", sync.Namespace, class.Name, err)
	}
	return class, nil
}

// fetch is what the vault gives for a SecretSync, by key, and what could not be had.
func (c *Cluster) fetch(ctx context.Context, sync *v1alpha1.SecretSync, class *spcv1.SecretProviderClass,
) (map[string]redact.Bytes, []error) {
	params, err := spcparams.Parse(class.Spec.Parameters)
	if err != nil {
		return nil, []error{fmt.Errorf("SecretProviderClass %s: %s", class.Name, strings.ReplaceAll(err.Error(), "\n", "; "))}
	}
	var mapped []int
	mappings := make([]secretdata.Mapping, 0, len(sync.Spec.SecretObject.Data))
	for _, entry := range sync.Spec.SecretObject.Data {
		found, err := params.Resolve(entry.SourcePath)
		if err != nil {
			return nil, []error{fmt.Errorf("the key %s: %w", entry.TargetKey, err)}
		}
		mapped = append(mapped, found.Object)
		mappings = append(mappings, secretdata.Mapping{SourcePath: entry.SourcePath, TargetKey: entry.TargetKey})
	}
	slices.Sort(mapped)
	mapped = slices.Compact(mapped)
	request := source.Request{
		Identity: source.Identity{
			Cloud: params.CloudName, TenantID: params.TenantID, ClientID: params.ClientID,
			Account: source.ServiceAccount{Namespace: sync.Namespace, Name: sync.Spec.ServiceAccountName},
		},
		Vault: params.VaultName, NotBefore: c.options.Clock.Now(),
		Who: sync.Namespace + "/" + sync.Name, Wake: func() {},
	}
	for _, i := range mapped {
		request.Objects = append(request.Objects, params.Objects[i])
	}
	results := map[int]secretdata.Result{}
	for i, answer := range c.vaults.Fetch(ctx, request) {
		results[mapped[i]] = answer.Result
	}
	data, items := secretdata.Build(secretType(sync), mappings, secretdata.Collect(params, results))
	failed := make([]error, 0, len(items))
	for _, item := range items {
		failed = append(failed, item.Err)
	}
	return data, distinct(failed)
}

func secretType(sync *v1alpha1.SecretSync) corev1.SecretType {
	if sync.Spec.SecretObject.Type == "" {
		return corev1.SecretTypeOpaque
	}
	return corev1.SecretType(sync.Spec.SecretObject.Type)
}

// distinct are errors, each text once.
func distinct(errs []error) []error {
	seen := map[string]bool{}
	return slices.DeleteFunc(errs, func(err error) bool {
		again := seen[err.Error()]
		seen[err.Error()] = true
		return again
	})
}

// judgeFault says what a vault's failure means for the comparison. A vault that this machine cannot reach may be passed over.
func (c *Cluster) judgeFault(l *lack, ref model.Ref, err error) {
	failed, isFault := errors.AsType[*fault.Error](err)
	switch {
	case isFault && (failed.Kind == fault.Unreachable || failed.Kind == fault.NetworkRefused):
		text := fmt.Sprintf("%s: what the vault gives cannot be compared from this machine: %v", ref, err)
		if c.options.PassVaults {
			c.options.Tell(text + "; passed over, as was asked for.")
			return
		}
		l.need("%s; run this where the vault can be reached, or have the comparison passed over", text)
	case isFault && (failed.Kind == fault.Throttled || failed.Kind == fault.Deferred):
		l.wait("%s: %v", ref, err)
	default:
		l.need("%s: %v", ref, err)
	}
}

// assertion mints the token that a vault is asked with.
func (c *Cluster) assertion(ctx context.Context, account source.ServiceAccount, audience string) (string, error) {
	token, err := c.Mint(ctx, model.Token{Namespace: account.Namespace, Account: account.Name, Audience: audience})
	if err != nil {
		return "", &fault.Error{Kind: fault.SpecInvalid, Message: err.Error(), Detail: err}
	}
	return token, nil
}

// noObserver counts nothing.
type noObserver struct{}

// Transport implements [akv.Observer].
func (noObserver) Transport(next http.RoundTripper, _ string) http.RoundTripper { return next }

// Paused implements [akv.Observer].
func (noObserver) Paused(string, time.Time, bool) {}

// Saved implements [akv.Observer].
func (noObserver) Saved(string, string) {}
