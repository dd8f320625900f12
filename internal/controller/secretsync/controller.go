// Package secretsync keeps the Secret of every SecretSync in step with the vault.
//
// One check goes one way: gather the objects that the SecretSync refers to; decide, purely, what to fetch; look at the
// Secret; fetch; build the data; write the Secret if it differs; turn what happened into a status, purely; write the
// status once; come back when the next check is due. A failure writes no Secret.
package secretsync

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
	"secretstore/internal/kube"
	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
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

// Reconciler checks SecretSyncs. All fields must be set.
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
	// Interval is how often each SecretSync is checked.
	Interval time.Duration
	// DriftInterval is how often each Secret is looked at between checks, for edits by hand; 0 means never.
	DriftInterval time.Duration
	// Looks plans these looks.
	Looks *Looks
	// Partial says that what could be fetched is written, whatever became of the rest; if false, all or nothing.
	Partial bool
	// Ended is told of every check that has ended, with the reason that its condition gives and how long it took.
	Ended func(reason string, took time.Duration)
	// DigestKey is the installation's key for status.syncHash.
	DigestKey redact.Bytes

	written written
}

// Reconcile checks one SecretSync if its check is due.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	sync := &v1alpha1.SecretSync{}
	found, err := get(ctx, r.Client, req.Namespace, req.Name, sync)
	if err != nil {
		return ctrl.Result{}, err
	}
	if !found {
		r.Looks.Forget(req.NamespacedName)
		r.written.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	}
	if r.written.behind(req.NamespacedName, sync) {
		return ctrl.Result{RequeueAfter: catchUp}, nil
	}
	if !sync.DeletionTimestamp.IsZero() || sync.Spec.SecretSyncControllerName != "" {
		return ctrl.Result{}, nil
	}
	in, err := gather(ctx, r.Client, r.Live, sync)
	if err != nil {
		return ctrl.Result{}, err
	}
	if wait := r.rest(ctx, in); wait > 0 {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	began := r.Clock.Now()
	result := r.check(ctx, in)
	if result.Fault != nil && result.Fault.Kind == fault.Cancelled {
		return ctrl.Result{}, ctx.Err()
	}
	status, err := r.report(ctx, sync, result)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.Ended(outcome.Reason(status), result.Time.Sub(began))
	return ctrl.Result{RequeueAfter: r.planLook(in, r.wait(status, result))}, nil
}

// rest is how long there is nothing to do; 0 if a check is due, by time or because the Secret was changed by hand.
func (r *Reconciler) rest(ctx context.Context, in input) time.Duration {
	untilCheck := r.untilDue(in)
	untilLook, looks := r.untilLook(in)
	switch {
	case untilCheck <= 0:
		return 0
	case !looks:
		return untilCheck
	case untilLook > 0:
		return min(untilCheck, untilLook)
	case r.drifted(ctx, in):
		return 0
	default:
		return r.planLook(in, untilCheck)
	}
}

// untilDue is how long the next check is away; a SecretSync, class or account that is not the one of the latest check
// makes one due at once.
func (r *Reconciler) untilDue(in input) time.Duration {
	status := in.sync.Status
	if status.ObservedGeneration != in.sync.Generation || status.ObservedInputs != in.fingerprint() {
		return 0
	}
	return outcome.NextCheck(status, r.Interval).Sub(r.Clock.Now())
}

// wait is how long to wait after a check: until the next one is due, or longer if the other side asks for it.
func (r *Reconciler) wait(status v1alpha1.SecretSyncStatus, result outcome.Result) time.Duration {
	wait := outcome.NextCheck(status, r.Interval).Sub(r.Clock.Now())
	if result.Fault != nil {
		wait = max(wait, result.Fault.RetryAfter)
	}
	return max(wait, time.Millisecond) // zero would mean: not again
}

// check does one check and says what came of it.
func (r *Reconciler) check(ctx context.Context, in input) outcome.Result {
	result := outcome.Result{Generation: in.sync.Generation, Inputs: in.fingerprint()}
	if err := r.act(ctx, in, &result); err != nil {
		result.Fault = fault.Of(err)
		logFault(logr.FromContextOrDiscard(ctx), result.Fault)
	}
	result.Time = r.Clock.Now()
	return result
}

// act does the work of a check, noting in result what it learns and does.
func (r *Reconciler) act(ctx context.Context, in input, result *outcome.Result) error {
	owner := ownerOf(in)
	live, err := r.Secrets.Look(ctx, owner)
	if err != nil {
		return err
	}
	result.Secret = outcome.SecretAbsent
	if live != nil {
		result.Secret = stateOf(in.sync, live.Value)
	}
	todo, f := decide(in)
	for _, warning := range todo.params.Warnings {
		result.Warnings = append(result.Warnings, fmt.Sprintf("SecretProviderClass %s: %s", in.class.Name, warning))
	}
	if f != nil {
		return f
	}
	found, err := r.data(ctx, todo, live)
	if err != nil {
		return err
	}
	if found.data == nil {
		return found.fault
	}
	object := in.sync.Spec.SecretObject
	change, err := r.Secrets.Write(ctx, live, kube.Desired{
		Owner: owner, Type: todo.secretType, Labels: object.Labels, Annotations: object.Annotations, Data: found.data,
	})
	if err != nil {
		return err
	}
	result.Secret = stateOf(in.sync, func(key string) (redact.Bytes, bool) {
		value, ok := found.data[key]
		return value, ok
	})
	result.Act = act(change)
	result.Items = found.items
	result.SyncHash = secretdata.Digest(r.DigestKey, todo.secretType, found.data)
	return faultOrNil(found.fault)
}

// faultOrNil keeps a nil fault from becoming an error that is not nil.
func faultOrNil(f *fault.Error) error {
	if f == nil {
		return nil
	}
	return f
}

// data fetches what the plan needs and lays it out for the Secret.
func (r *Reconciler) data(ctx context.Context, todo plan, live *kube.Live) (merged, error) {
	results := map[int]secretdata.Result{}
	for i, result := range r.Source.Fetch(ctx, todo.request) {
		results[todo.mapped[i]] = result
	}
	data, failed := secretdata.Build(todo.secretType, todo.mappings, secretdata.Collect(todo.params, results))
	found := merge(todo, data, failed, live.Value, r.Partial)
	if err := secretdata.CheckData(todo.secretType, found.data); err != nil {
		return merged{}, itemFault(err)
	}
	return found, nil
}

func act(change kube.Change) outcome.Act {
	switch change {
	case kube.Created:
		return outcome.Created
	case kube.ValueChanged, kube.MetadataChanged:
		return outcome.Updated
	case kube.Unchanged:
		return outcome.Nothing
	}
	return outcome.Nothing
}

// report writes the status, once and only if it changed, and sends the events.
func (r *Reconciler) report(ctx context.Context, sync *v1alpha1.SecretSync, result outcome.Result,
) (v1alpha1.SecretSyncStatus, error) {
	status, news := outcome.Of(sync.Status, result)
	if !equality.Semantic.DeepEqual(status, sync.Status) {
		before := sync.DeepCopy()
		sync.Status = status
		if err := r.Client.Status().Patch(ctx, sync, client.MergeFrom(before)); err != nil {
			return status, client.IgnoreNotFound(fmt.Errorf("writing the status: %w", err))
		}
		r.written.note(client.ObjectKeyFromObject(sync), sync)
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
