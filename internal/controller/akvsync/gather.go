package akvsync

import (
	"context"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/neighbour"
)

// input is all that is read before anything is done.
type input struct {
	sync *v1alpha1.AKVSync
	// class is the SecretProviderClass of the AKVSync's name, whoever made it; nil if there is none.
	class *spcv1.SecretProviderClass
	// syncs are the SecretSyncs of the namespace by name, whoever made them.
	syncs map[string]*v1alpha1.SecretSync
}

// gather reads the objects that an AKVSync generates, and those that are in their place, from the informers' caches.
func gather(ctx context.Context, reader client.Reader, sync *v1alpha1.AKVSync) (input, error) {
	in := input{sync: sync, syncs: map[string]*v1alpha1.SecretSync{}}
	class := &spcv1.SecretProviderClass{}
	err := reader.Get(ctx, client.ObjectKeyFromObject(sync), class)
	if err == nil {
		in.class = class
	} else if !apierrors.IsNotFound(err) {
		return input{}, fmt.Errorf("reading SecretProviderClass %s: %w", sync.Name, err)
	}
	var list v1alpha1.SecretSyncList
	if err := reader.List(ctx, &list, client.InNamespace(sync.Namespace)); err != nil {
		return input{}, fmt.Errorf("listing the SecretSyncs of namespace %s: %w", sync.Namespace, err)
	}
	for i := range list.Items {
		in.syncs[list.Items[i].Name] = &list.Items[i]
	}
	return in, nil
}

// own are the SecretSyncs that the AKVSync made, by name.
func (in input) own() []*v1alpha1.SecretSync {
	var own []*v1alpha1.SecretSync
	for _, name := range slices.Sorted(maps.Keys(in.syncs)) {
		if metav1.IsControlledBy(in.syncs[name], in.sync) {
			own = append(own, in.syncs[name])
		}
	}
	return own
}

// whose finds who looks after an AKVSync: another controller does if it wrote its status, or that of a SecretSync which the
// AKVSync made or, while it is not ours for certain, asks for.
func whose(rule neighbour.Rule, in input) neighbour.Finding {
	own := rule.AKVSync(in.sync)
	var asked []string
	if own.Whose != neighbour.Ours {
		asked = names(in.sync)
	}
	for _, name := range slices.Sorted(maps.Keys(in.syncs)) {
		sync := in.syncs[name]
		if !metav1.IsControlledBy(sync, in.sync) && !slices.Contains(asked, name) {
			continue
		}
		if found := rule.SecretSync(sync); found.Whose == neighbour.Anothers {
			return found
		}
	}
	return own
}
