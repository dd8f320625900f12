package rig

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Recorder watches all Secrets, workloads and pods of a rig, and finds what must not happen while a cluster is taken over: a
// Secret that someone reads vanishes, or its type or data change; fewer pods of a workload are ready than its update strategy
// lets be. It keeps keyed digests, no values. Its methods may be called from several goroutines.
//
// A workload counts once all its pods were ready, and by the strategy that it had then; a change of its replicas begins anew.
type Recorder struct {
	client  client.Client
	key     []byte
	started time.Time
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu         sync.Mutex
	seen       map[types.UID]seen
	secrets    map[types.NamespacedName]secretState
	workloads  map[types.UID]*watched
	pods       map[types.UID]podState
	owners     map[types.UID]types.UID // of ReplicaSets
	allowed    map[types.NamespacedName]bool
	entries    []entry
	violations []Violation
}

// Violation is something that must not happen.
type Violation struct {
	// What says what happened, and to what.
	What string
	// Timeline is what was seen of that namespace until then, in order.
	Timeline []string
}

// String is the violation with its timeline.
func (v Violation) String() string {
	return v.What + "; before that:\n  " + strings.Join(v.Timeline, "\n  ")
}

// entry is something that was seen.
type entry struct{ namespace, text string }

// seen is the newest that was seen of an object.
type seen struct {
	kind    string
	version uint64
}

// secretState is what is remembered of a Secret.
type secretState struct {
	uid    types.UID
	digest string
}

// watched is a workload whose pods are counted.
type watched struct {
	workload

	healthy bool // all its pods were ready once; least is of that time
}

// podState is what is remembered of a pod.
type podState struct {
	top   types.UID
	ready bool
}

// Record starts a recorder, which goes on until ctx ends or [Recorder.Stop]. It returns when it has seen all that is there.
func (r *Rig) Record(ctx context.Context) (*Recorder, error) {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it never fails
	running, cancel := context.WithCancel(ctx)
	rec := &Recorder{
		client: r.Client, key: key, started: time.Now(), cancel: cancel,
		seen: map[types.UID]seen{}, secrets: map[types.NamespacedName]secretState{}, workloads: map[types.UID]*watched{},
		pods: map[types.UID]podState{}, owners: map[types.UID]types.UID{}, allowed: map[types.NamespacedName]bool{},
	}
	objects, err := cache.New(r.Cluster.Config(), cache.Options{Scheme: r.Client.Scheme()})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watching a rig: %w", err)
	}
	rec.running.Go(func() { _ = objects.Start(running) })
	// In this order, so that the pods that are there find what they belong to.
	for _, kind := range kinds() {
		if err := rec.follow(running, objects, kind); err != nil {
			cancel()
			return nil, fmt.Errorf("watching a rig: %w", err)
		}
	}
	return rec, nil
}

// kinds are those that are watched.
func kinds() []client.Object {
	return []client.Object{
		&corev1.Secret{}, &appsv1.Deployment{}, &appsv1.StatefulSet{}, &appsv1.DaemonSet{}, &appsv1.ReplicaSet{},
		&corev1.ReplicationController{}, &corev1.Pod{},
	}
}

// follow hears of every change to one kind, and returns when it has heard of all that is there.
func (r *Recorder) follow(ctx context.Context, objects cache.Cache, kind client.Object) error {
	informer, err := objects.GetInformer(ctx, kind)
	if err != nil {
		return err
	}
	asking := context.WithoutCancel(ctx) // what was heard is judged to its end
	registration, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { r.hear(asking, o, false) },
		UpdateFunc: func(_, o any) { r.hear(asking, o, false) },
		DeleteFunc: func(o any) {
			if gone, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
				o = gone.Obj
			}
			r.hear(asking, o, true)
		},
	})
	if err != nil {
		return err
	}
	if !toolscache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		return fmt.Errorf("%s: %w", kindOf(kind), context.Cause(ctx))
	}
	return nil
}

// kindOf is the kind of an object for people.
func kindOf(o client.Object) string {
	name := fmt.Sprintf("%T", o)
	return name[strings.LastIndex(name, ".")+1:]
}

// Stop ends the recording. What was found stays.
func (r *Recorder) Stop() {
	r.cancel()
	r.running.Wait()
}

// Allow lets the data of a Secret change: a test rotates it.
func (r *Recorder) Allow(namespace, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.allowed[types.NamespacedName{Namespace: namespace, Name: name}] = true
}

// Violations gives what was found, up to what is in the cluster now: it waits until that was seen.
func (r *Recorder) Violations(ctx context.Context) ([]Violation, error) {
	if err := await(ctx, func() error { return r.behind(ctx) }); err != nil {
		return nil, fmt.Errorf("waiting for the recorder to see all: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.violations), nil
}

// Timeline is all that was seen, a line for each change.
func (r *Recorder) Timeline() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := make([]string, 0, len(r.entries))
	for _, e := range r.entries {
		lines = append(lines, e.text)
	}
	return lines
}

// note adds to the timeline. The caller holds the lock, as for all below.
func (r *Recorder) note(namespace, format string, args ...any) {
	text := fmt.Sprintf("%7.2f s  %s", time.Since(r.started).Seconds(), fmt.Sprintf(format, args...))
	r.entries = append(r.entries, entry{namespace, text})
}

// violate adds a violation, of which the last entry of the timeline speaks.
func (r *Recorder) violate(namespace, format string, args ...any) {
	v := Violation{What: fmt.Sprintf(format, args...)}
	for _, e := range r.entries {
		if e.namespace == namespace {
			v.Timeline = append(v.Timeline, e.text)
		}
	}
	r.violations = append(r.violations, v)
	r.note(namespace, "VIOLATION: %s", v.What)
}

// digest is a keyed digest of a Secret's type and data.
func (r *Recorder) digest(s *corev1.Secret) string {
	mac := hmac.New(sha256.New, r.key)
	keys := make([]string, 0, len(s.Data))
	for key := range s.Data {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	_, _ = fmt.Fprintf(mac, "%q", s.Type)
	for _, key := range keys {
		_, _ = fmt.Fprintf(mac, "%q=%q", key, s.Data[key])
	}
	return hex.EncodeToString(mac.Sum(nil)[:6])
}
