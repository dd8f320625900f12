// Package secretsync keeps the Secret of every SecretSync in step with the vault.
//
// One check goes one way: gather the objects that the SecretSync refers to; decide, purely, what to ask; ask the source;
// look at the Secret; build the data; write the Secret if it differs; turn what happened into a status, purely; write the
// status once; come back when the next check is due. A failure writes no Secret.
package secretsync

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/neighbour"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
	"secretstore/internal/kube"
	"secretstore/internal/redact"
	"secretstore/internal/source"
)

// What the controller may do, and no more; the ClusterRole in the chart is generated from these lines.
// +kubebuilder:rbac:groups=secret-sync.x-k8s.io,resources=secretsyncs,verbs=get;list;watch
// +kubebuilder:rbac:groups=secret-sync.x-k8s.io,resources=secretsyncs/status,verbs=patch
// +kubebuilder:rbac:groups=secrets-store.csi.x-k8s.io,resources=secretproviderclasses,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=serviceaccounts,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=serviceaccounts/token,verbs=create
// +kubebuilder:rbac:groups="",resources=secrets,verbs=create;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler checks SecretSyncs. All fields but Touched must be set.
type Reconciler struct {
	// Client reads SecretSyncs, SecretProviderClasses and service accounts from caches, and writes statuses.
	Client client.Client
	// Live reads from the API server what a cache may not show yet.
	Live client.Reader
	// Secrets writes Secrets.
	Secrets *kube.Secrets
	// Source is where the values come from.
	Source source.Source
	// Recorder sends events.
	Recorder events.EventRecorder
	// Clock tells the time.
	Clock clock.PassiveClock
	// Schedule says when checks are due. Its Since is set when the controller begins.
	Schedule outcome.Schedule
	// Memory saves requests from one check to the next.
	Memory *Memory
	// DriftInterval is how often each Secret is looked at between checks, for edits by hand; 0 means never.
	DriftInterval time.Duration
	// Looks plans these looks.
	Looks *Looks
	// Touched knows which Secrets were touched by another hand; nil where Secrets are not watched.
	Touched *Touched
	// Partial says that what could be fetched is written, whatever became of the rest; if false, all or nothing.
	Partial bool
	// Ended is told of every check that has ended, with the reason that its condition gives and how long it took.
	Ended func(reason string, took time.Duration)
	// Freshness is told how good each Secret is.
	Freshness Freshness
	// DigestKey is the installation's key for status.syncHash.
	DigestKey redact.Bytes
	// Late is told by how much each check came after it was due.
	Late func(time.Duration)
	// Neighbours keeps it from the SecretSyncs of another controller.
	Neighbours *neighbour.Guard

	written written
	classes classes
	queue   atomic.Pointer[workQueue]
}

// Reconcile checks one SecretSync if its check is due.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	sync := &v1alpha1.SecretSync{}
	found, err := get(ctx, r.Client, req.Namespace, req.Name, sync)
	if err != nil {
		return ctrl.Result{}, err
	}
	if !found {
		r.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	if r.written.behind(req.NamespacedName, sync) {
		return ctrl.Result{RequeueAfter: catchUp}, nil
	}
	if leave, again, err := r.leave(ctx, sync); leave || err != nil {
		return ctrl.Result{RequeueAfter: again}, err
	}
	r.tellGood(sync)
	in, err := gather(ctx, r.Client, r.Live, sync, r.classes.parse)
	if err != nil {
		return ctrl.Result{}, err
	}
	occasion := occasionOf(in, r.Memory.recall(req.NamespacedName), r.Schedule, r.Clock.Now())
	wait, drifted := r.rest(ctx, in, occasion)
	if wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	return r.run(ctx, in, occasion, drifted)
}

// forget drops all that is remembered of a SecretSync that is gone.
func (r *Reconciler) forget(name types.NamespacedName) {
	r.Looks.Forget(name)
	r.Touched.forget(name)
	r.Freshness.Gone(name)
	r.written.forget(name)
	r.Memory.forget(name)
	r.Neighbours.Forget(name)
}

// run does a check and tells of it.
func (r *Reconciler) run(ctx context.Context, in input, occasion occasion, drifted bool) (ctrl.Result, error) {
	untilLook, looks := r.untilLook(in)
	c := check{
		Reconciler: r, in: in, occasion: occasion, began: r.Clock.Now(), drifted: drifted, lookDue: looks && untilLook <= 0,
	}
	result := c.run(ctx)
	if f := result.Fault; f != nil {
		switch {
		case f.Kind == fault.Cancelled:
			return ctrl.Result{}, ctx.Err()
		case f.Kind == fault.Deferred:
			return ctrl.Result{RequeueAfter: max(f.RetryAfter, time.Millisecond)}, nil
		case c.stale(f):
			again := r.Schedule.Again(string(in.sync.UID), f.RetryAfter, result.Time)
			if looks {
				again = min(again, untilLook)
			}
			return ctrl.Result{RequeueAfter: max(again, time.Millisecond)}, nil
		}
	}
	lastGood := in.sync.Status.LastSuccessfulSyncTime
	status, err := r.report(ctx, in.sync, result)
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: catchUp}, nil // it is another one by now, which the cache will show
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	r.tellChecked(in.sync, lastGood, result.Time)
	r.Ended(outcome.Reason(status), result.Time.Sub(c.began))
	if !drifted {
		r.Late(-occasion.wait)
	}
	r.Memory.checked(nameOf(in), c.began, c.learnt)
	wait := r.wait(in, status, result)
	if in.flaw == nil {
		r.Source.Expect(in.todo.request, r.Clock.Now().Add(wait))
	}
	return ctrl.Result{RequeueAfter: r.planLook(in, wait)}, nil
}

// rest is how long there is nothing to do; 0 if a check is due, by time or because the Secret was changed by hand.
func (r *Reconciler) rest(ctx context.Context, in input, occasion occasion) (wait time.Duration, drifted bool) {
	untilLook, looks := r.untilLook(in)
	switch {
	case occasion.wait <= 0:
		return 0, false
	case !looks, occasion.edited:
		// The Secret lacks what an edit asks for that waits for its jitter: that is no edit by hand.
		return occasion.wait, false
	case untilLook > 0:
		return min(occasion.wait, untilLook), false
	case r.drifted(ctx, in):
		return 0, true
	default:
		return r.planLook(in, occasion.wait), false
	}
}

// wait is how long to wait after a check: until the next one is due, or longer if the other side asks for it.
func (r *Reconciler) wait(in input, status v1alpha1.SecretSyncStatus, result outcome.Result) time.Duration {
	now := r.Clock.Now()
	wait := r.Schedule.Next(status, string(in.sync.UID), now).Sub(now)
	if confirm := r.Memory.recall(nameOf(in)).confirm; !confirm.IsZero() {
		wait = min(wait, confirm.Sub(now))
	}
	if f := result.Fault; f != nil && f.RetryAfter > 0 {
		wait = max(wait, r.Schedule.Again(string(in.sync.UID), f.RetryAfter, now))
	}
	return max(wait, time.Millisecond) // zero would mean: not again
}

// report writes the status, once and only if it changed, and sends the events.
func (r *Reconciler) report(ctx context.Context, sync *v1alpha1.SecretSync, result outcome.Result,
) (v1alpha1.SecretSyncStatus, error) {
	status, news := outcome.Of(inherited(sync.Status), result)
	if !equality.Semantic.DeepEqual(status, sync.Status) {
		version, err := r.writeStatus(ctx, sync, status)
		if err != nil {
			return status, client.IgnoreNotFound(fmt.Errorf("writing the status: %w", err))
		}
		sync.Status = status
		r.written.note(client.ObjectKeyFromObject(sync), version)
	}
	for _, event := range news {
		r.Recorder.Eventf(sync, nil, event.Type, event.Reason, "Sync", "%s", event.Message)
	}
	return status, nil
}

// logFault logs a failure with what is not for statuses: the raw answer and its request IDs. An interruption is none.
func logFault(log logr.Logger, f *fault.Error) {
	if f.Kind == fault.Cancelled {
		return
	}
	log.Info("check failed", "problem", f.Message, "detail", detail(f))
}

func detail(f *fault.Error) string {
	if f.Detail == nil {
		return ""
	}
	return f.Detail.Error()
}
