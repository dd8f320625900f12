// Package akvsync turns every AKVSync into one SecretProviderClass and a SecretSync for each Secret that it asks for, keeps
// them so, and shows in one place what became of them. The Secrets themselves are package secretsync's work.
//
// A reconciliation goes one way: gather what is there; translate and decide, purely, what should be; do it; roll up, purely,
// the statuses; write the status once. It promises:
//   - An object that the AKVSync did not make, going by the controlling owner reference, is never changed. New ones are created
//     rather than applied, which cannot overwrite, and changes carry the resourceVersion of what was looked at.
//   - No SecretSync refers to a source path that the SecretProviderClass does not give: the class is widened first, then the
//     SecretSyncs change, and what none of them refers to any more goes last, each when the cache shows the one before.
//   - A mistake in one entry holds up no other, and takes nothing away: while there is one, nothing is deleted.
//   - What is edited or deleted by hand is put back; metadata that others add stays.
//
// A failure of the API server is tried again; a refusal is shown in the status, and tried again too.
package akvsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/neighbour"
	"secretstore/internal/kube"
)

// What the controller may do beside what package secretsync asks for; the ClusterRole in the chart is generated from both.
// +kubebuilder:rbac:groups=secret-sync.x-k8s.io,resources=akvsyncs,verbs=get;list;watch
// +kubebuilder:rbac:groups=secret-sync.x-k8s.io,resources=akvsyncs/status,verbs=patch
// +kubebuilder:rbac:groups=secret-sync.x-k8s.io,resources=secretsyncs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=secrets-store.csi.x-k8s.io,resources=secretproviderclasses,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler keeps what AKVSyncs generate. All fields must be set.
type Reconciler struct {
	// Client reads AKVSyncs, SecretProviderClasses and SecretSyncs from caches, and writes them.
	Client client.Client
	// Recorder sends events.
	Recorder events.EventRecorder
	// Clock tells the time.
	Clock clock.PassiveClock
	// Neighbours keeps it from the AKVSyncs of another controller.
	Neighbours *neighbour.Guard
}

// settleTime is how long to wait for a cache to show what the API server knows already. The event that brings it usually
// comes first.
const settleTime = time.Second

// Reconcile makes what one AKVSync asks for so, and writes its status.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	sync := &v1alpha1.AKVSync{}
	if err := r.Client.Get(ctx, req.NamespacedName, sync); err != nil {
		if apierrors.IsNotFound(err) {
			r.Neighbours.Forget(req.NamespacedName)
			err = nil
		}
		return ctrl.Result{}, err
	}
	if !sync.DeletionTimestamp.IsZero() || sync.Spec.SecretSyncControllerName != "" {
		return ctrl.Result{}, nil
	}
	in, err := gather(ctx, r.Client, sync)
	if err != nil {
		return ctrl.Result{}, err
	}
	if leave, again, err := r.Neighbours.Leave(ctx, sync, whose(r.Neighbours.Rule, in)); leave || err != nil {
		return ctrl.Result{RequeueAfter: again}, err
	}
	p := decide(in)
	again, err := r.act(ctx, &p)
	if err := errors.Join(err, r.report(ctx, in, p)); err != nil {
		return ctrl.Result{}, err
	}
	if again {
		return ctrl.Result{RequeueAfter: settleTime}, nil
	}
	return ctrl.Result{}, nil
}

// act does the next part of the plan, noting in it what the API server refused. again says that a cache was behind.
func (r *Reconciler) act(ctx context.Context, p *plan) (again bool, err error) {
	if p.class != nil {
		a := judge(r.write(ctx, *p.class), "writing SecretProviderClass "+p.class.to.GetName())
		if a.problem != nil {
			p.block(a.problem)
		}
		return a.again, a.err
	}
	var errs []error
	for _, c := range p.changes {
		a := judge(r.write(ctx, c), "writing SecretSync "+c.to.GetName())
		if a.problem != nil {
			p.secrets[c.secret].problem = a.problem
		}
		again = again || a.again
		errs = append(errs, a.err)
	}
	for _, sync := range p.removals {
		// Exactly what was looked at: if somebody took it over meanwhile, it stays.
		a := judge(r.Client.Delete(ctx, sync, client.Preconditions{UID: &sync.UID, ResourceVersion: &sync.ResourceVersion}),
			"deleting SecretSync "+sync.Name)
		again = again || a.again
		errs = append(errs, a.err)
	}
	return again, errors.Join(errs...)
}

// write creates an object, or changes it if it is still what was looked at.
func (r *Reconciler) write(ctx context.Context, c change) error {
	if c.from == nil {
		return r.Client.Create(ctx, c.to, client.FieldOwner(kube.FieldManager))
	}
	patch := client.MergeFromWithOptions(c.from, client.MergeFromWithOptimisticLock{})
	return r.Client.Patch(ctx, c.to, patch, client.FieldOwner(kube.FieldManager))
}

// answer is what came of a write: nothing of note, a cache that was behind, a refusal to tell of, an error to try again after.
type answer struct {
	again   bool
	problem *problem
	err     error
}

// judge sorts the API server's answers.
func judge(err error, doing string) answer {
	switch {
	case err == nil, apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return answer{}
	case apierrors.IsAlreadyExists(err), apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return answer{again: true}
	}
	a := answer{err: fmt.Errorf("%s: %w", doing, err)}
	if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
		a.problem = &problem{v1alpha1.ReasonUnknownError, fmt.Sprintf("%s was refused by the API server: %v", doing, err)}
		if strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
			a.problem.reason = v1alpha1.ReasonPolicyCheckFailed
		}
	}
	return a
}

// report writes the status, once and only if it changed, and sends the events. A status that was rolled up from an AKVSync that
// is not the newest is dropped, and its events with it: the event of the newest is on its way here.
func (r *Reconciler) report(ctx context.Context, in input, p plan) error {
	status := rollUp(in, p, r.Clock.Now())
	if equality.Semantic.DeepEqual(status, in.sync.Status) {
		return nil
	}
	before := in.sync.DeepCopy()
	in.sync.Status = status
	err := r.Client.Status().Patch(ctx, in.sync, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	for _, event := range news(before.Status, status) {
		r.Recorder.Eventf(in.sync, nil, event.Type, event.Reason, "Sync", "%s", event.Message)
	}
	return nil
}
