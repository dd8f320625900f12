//go:build long

package endurance

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
)

const (
	mostSyncs = 20
	// soon is the longest that the controller lives in a round: its start, and what it does then, is what a kill may hit.
	soon = 2500 * time.Millisecond
)

// killer is a world in which things change at random, and a controller that dies at random.
type killer struct {
	*world
	random *rand.Rand
	// gone are the UIDs of Secrets that the test deleted and of SecretSyncs that it deleted: no other Secret may go.
	gone map[types.UID]bool
	acts map[string]int
}

// TestKilledAtAnyMoment kills the controller again and again while SecretSyncs are made, edited and deleted, Secrets edited and
// deleted by hand, and values changed. After each restart all becomes as it should be; Secrets of others, and what nobody
// changed, are not written once; no Secret is lost in between; nothing is told more often than it happened.
//
//covers:fault controller-killed secret-edited secret-deleted
func TestKilledAtAnyMoment(t *testing.T) {
	kills := setting(t, "ENDURANCE_KILLS", 50, strconv.Atoi)
	k := &killer{
		world:  newWorld(t, "--rotationPollIntervalInSeconds=2", "--driftCheckIntervalInSeconds=1"),
		random: chance(t), gone: map[types.UID]bool{}, acts: map[string]int{},
	}
	k.lay(t)
	k.settle(t)
	before := k.untouched(t)
	deleted := k.watchDeletions(t)
	for range kills {
		k.round(t)
	}
	if diff := cmp.Diff(before, k.untouched(t)); diff != "" {
		t.Errorf("Secrets that nobody changed were written (-before +after):\n%s", diff)
	}
	for _, secret := range deleted() {
		if owners := secret.OwnerReferences; !k.gone[secret.UID] && (len(owners) != 1 || !k.gone[owners[0].UID]) {
			t.Errorf("Secret %s (%s) was deleted by nobody", secret.Name, secret.UID)
		}
	}
	k.checkEvents(t)
	t.Logf("%d kills; acts: %v", kills, k.acts)
}

// lay makes what the test begins with: SecretSyncs that nothing happens to, of secrets that do not change, and Secrets of others
// that stand in the way of a SecretSync.
func (k *killer) lay(t *testing.T) {
	t.Helper()
	for i := range 3 {
		name := fmt.Sprintf("still-%d", i)
		k.sync(t, name, "vault-c", map[string]string{"k": fmt.Sprintf("s-%d", i)})
		foreign := fmt.Sprintf("foreign-%d", i)
		k.create(t, &corev1.Secret{ObjectMeta: k.meta(foreign), Data: map[string][]byte{"k": []byte("theirs")}})
		k.sync(t, foreign, "vault-a", map[string]string{"k": "s-0"})
		delete(k.wanted, foreign)
	}
}

// settle waits until all is as it should be.
func (k *killer) settle(t *testing.T) {
	t.Helper()
	cluster.Eventually(t, patience, func() error { return k.settled(t) })
	for _, want := range k.wanted {
		want.former = nil
	}
}

// round is one life of the controller.
func (k *killer) round(t *testing.T) {
	t.Helper()
	end := time.NewTimer(time.Duration(k.random.Int64N(int64(soon))))
	defer end.Stop()
	for alive := true; alive; {
		select {
		case <-end.C:
			alive = false
		default:
			k.act(t)
			pause(t, time.Duration(k.random.IntN(100))*time.Millisecond)
		}
	}
	if err := k.stack.Controller.Kill(); err != nil {
		t.Fatal(err)
	}
	for range k.random.IntN(3) {
		k.act(t)
	}
	if err := k.stack.RestartController(t.Context()); err != nil {
		t.Fatal(err)
	}
	if k.random.IntN(4) > 0 { // now and then the next kill comes before all has settled
		k.settle(t)
	}
}

// act does one thing at random.
func (k *killer) act(t *testing.T) {
	t.Helper()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(k.wanted)), func(name string) bool { return k.wanted[name].vault == "vault-c" })
	if len(names) == 0 || len(names) < mostSyncs && k.random.IntN(4) == 0 {
		k.add(t)
		return
	}
	name := names[k.random.IntN(len(names))]
	acts := []struct {
		what string
		do   func(*testing.T, string)
	}{
		{"remap", k.remap},
		{"delete", k.delete},
		{"edit by hand", k.editSecret},
		{"delete by hand", k.deleteSecret},
		{"value", func(t *testing.T, name string) {
			k.set(t, k.wanted[name].vault, fmt.Sprintf("s-%d", k.random.IntN(secretCount)))
		}},
	}
	chosen := acts[k.random.IntN(len(acts))]
	k.acts[chosen.what]++
	chosen.do(t, name)
}

// mapping draws one to three keys.
func (k *killer) mapping() map[string]string {
	mapping := map[string]string{}
	for i := range 1 + k.random.IntN(3) {
		mapping[fmt.Sprintf("k%d", i)] = fmt.Sprintf("s-%d", k.random.IntN(secretCount))
	}
	return mapping
}

// add makes a SecretSync, of a name that may have been used before.
func (k *killer) add(t *testing.T) {
	t.Helper()
	name := fmt.Sprintf("sync-%02d", k.random.IntN(2*mostSyncs))
	if k.wanted[name] == nil {
		k.acts["create"]++
		k.sync(t, name, vaults()[k.random.IntN(2)], k.mapping())
	}
}

// remap changes what a SecretSync maps.
func (k *killer) remap(t *testing.T, name string) {
	t.Helper()
	mapping := k.mapping()
	cluster.Eventually(t, patience, func() error {
		s := &v1alpha1.SecretSync{}
		if err := k.client.Get(t.Context(), client.ObjectKey{Namespace: k.namespace, Name: name}, s); err != nil {
			return err
		}
		s.Spec.SecretObject.Data = entries(mapping)
		return k.client.Update(t.Context(), s)
	})
	want := k.wanted[name]
	want.former = slices.AppendSeq(want.former, maps.Values(want.mapping))
	want.mapping = mapping
	want.changes++
}

func (k *killer) delete(t *testing.T, name string) {
	t.Helper()
	k.gone[k.wanted[name].uid] = true
	delete(k.wanted, name)
	if err := k.client.Delete(t.Context(), &v1alpha1.SecretSync{ObjectMeta: k.meta(name)}); err != nil {
		t.Fatal(err)
	}
}

// editSecret changes a value by hand, or takes it away, if there is a Secret.
func (k *killer) editSecret(t *testing.T, name string) {
	t.Helper()
	secret := &corev1.Secret{}
	err := k.client.Get(t.Context(), client.ObjectKey{Namespace: k.namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return
	}
	for key := range secret.Data {
		delete(secret.Data, key)
		if k.random.IntN(2) == 0 {
			secret.Data[key] = []byte(editedByHand)
			k.wanted[name].edited[key] = true
		}
		break
	}
	k.wanted[name].changes++
	if err = k.client.Update(t.Context(), secret); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
}

func (k *killer) deleteSecret(t *testing.T, name string) {
	t.Helper()
	secret := &corev1.Secret{}
	err := k.client.Get(t.Context(), client.ObjectKey{Namespace: k.namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return
	}
	k.gone[secret.UID] = true
	k.wanted[name].changes++
	if err := k.client.Delete(t.Context(), secret); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
}

// untouched are the versions of the Secrets that nothing happens to.
func (k *killer) untouched(t *testing.T) map[string]string {
	t.Helper()
	secrets, err := k.secrets(t)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for i := range 3 {
		for _, name := range []string{fmt.Sprintf("still-%d", i), fmt.Sprintf("foreign-%d", i)} {
			versions[name] = secrets[name].ResourceVersion
		}
	}
	return versions
}

// watchDeletions watches Secrets from now on. Its result ends the watch and gives those that were deleted.
func (k *killer) watchDeletions(t *testing.T) func() []*corev1.Secret {
	t.Helper()
	watcher, err := k.client.Watch(t.Context(), &corev1.SecretList{}, client.InNamespace(k.namespace))
	if err != nil {
		t.Fatal(err)
	}
	found := make(chan []*corev1.Secret, 1)
	go func() {
		var deleted []*corev1.Secret
		for event := range watcher.ResultChan() {
			if secret, ok := event.Object.(*corev1.Secret); ok && event.Type == watch.Deleted {
				deleted = append(deleted, secret)
			}
		}
		found <- deleted
	}()
	return func() []*corev1.Secret {
		watcher.Stop()
		return <-found
	}
}

// checkEvents compares events with what happened to each SecretSync, by its UID.
func (k *killer) checkEvents(t *testing.T) {
	t.Helper()
	var list eventsv1.EventList
	if err := k.client.List(t.Context(), &list, client.InNamespace(k.namespace)); err != nil {
		t.Fatal(err)
	}
	good, bad := map[types.UID]int{}, map[types.UID]int{}
	for _, event := range list.Items {
		n := 1
		if event.Series != nil {
			n = int(event.Series.Count)
		}
		if event.Type == corev1.EventTypeNormal {
			good[event.Regarding.UID] += n
		} else {
			bad[event.Regarding.UID] += n
		}
	}
	for name, want := range k.wanted {
		n, most := good[want.uid], 1+want.changes+bad[want.uid] // the end of a failure is news too
		if n > most || want.vault == "vault-c" && (n != 1 || bad[want.uid] > 0) {
			t.Errorf("%s: %d events of success and %d of failure for %d changes", name, n, bad[want.uid], want.changes)
			for _, event := range list.Items {
				if event.Regarding.UID == want.uid {
					t.Logf("%s %s %s: %s (%+v)", event.EventTime, event.ReportingInstance, event.Reason, event.Note, event.Series)
				}
			}
		}
	}
}
