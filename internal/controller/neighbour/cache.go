package neighbour

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// IndexName is the name of the index over SecretSyncs by whose they are.
const IndexName = "neighbour"

// anothers is the index's only value.
const anothers = "another's"

// AddIndex makes the index that a [Guard] looks into. It is needed once for a cache.
func (r Rule) AddIndex(ctx context.Context, indexer client.FieldIndexer) error {
	if err := indexer.IndexField(ctx, &v1alpha1.SecretSync{}, IndexName, r.Index); err != nil {
		return fmt.Errorf("indexing SecretSyncs by whose they are: %w", err)
	}
	return nil
}

// Index implements client.IndexerFunc.
func (r Rule) Index(object client.Object) []string {
	if sync, ok := object.(*v1alpha1.SecretSync); ok && r.SecretSync(sync).Whose == Anothers {
		return []string{anothers}
	}
	return nil
}

// Transform strips managed fields of an object on its way into a cache, but for who wrote its status and when. It is for
// cache.Options.
func Transform(object any) (any, error) {
	o, ok := object.(client.Object)
	if !ok || o.GetManagedFields() == nil { // what is no object is the tombstone of one
		return object, nil
	}
	var kept []metav1.ManagedFieldsEntry
	for _, entry := range o.GetManagedFields() {
		if isStatus(entry) {
			kept = append(kept, metav1.ManagedFieldsEntry{Manager: entry.Manager, Subresource: entry.Subresource, Time: entry.Time})
		}
	}
	o.SetManagedFields(kept)
	return object, nil
}
