package secretsync

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"secretstore/api/secretsync/v1alpha1"
)

// catchUp is how long to wait for a cache that has not seen the latest status yet; it takes milliseconds.
const catchUp = 50 * time.Millisecond

// written remembers which version of each SecretSync the controller wrote last. A cache that is behind it shows a status of
// before the latest check: to act on it would be to check, and to tell, the same again. It is safe for concurrent use; the
// zero value is ready.
type written struct {
	mu       sync.Mutex
	versions map[types.NamespacedName]string
}

// note remembers the version that the API server gave a SecretSync when its status was written.
func (w *written) note(name types.NamespacedName, version string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.versions == nil {
		w.versions = map[types.NamespacedName]string{}
	}
	w.versions[name] = version
}

// behind says whether a SecretSync, as the cache has it, is older than what was written.
func (w *written) behind(name types.NamespacedName, sync *v1alpha1.SecretSync) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, ok := w.versions[name]
	if !ok {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(sync.ResourceVersion, last)
	if err != nil || order >= 0 {
		// Seen, or from an API server whose versions have no order: nothing more to wait for.
		delete(w.versions, name)
		return false
	}
	return true
}

// forget drops what is remembered of a SecretSync that is gone.
func (w *written) forget(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.versions, name)
}
