package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"

	"secretstore/internal/migrate/model"
)

// The Lease that keeps two operators apart.
const leaseName, leaseNamespace = "secretstore-migration", metav1.NamespaceSystem

// errLost ends the context of a holder whose Lease is not its own any more.
var errLost = errors.New("the Lease " + leaseNamespace + "/" + leaseName + " was lost: it could not be renewed in time, or " +
	"somebody else has taken it; run again, which goes on, or tells who has it")

// HeldError says that another operator is at work.
type HeldError struct {
	// Who is the other, as it calls itself: user@host and process; Since is when it began.
	Who   string
	Since time.Time
}

// Error names the other, and what to do.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%s migrates this cluster since %s: wait until that is done, or end it there; if it has ended without a "+
		"word, its Lease %s/%s expires by itself", e.Who, e.Since.UTC().Format(time.RFC3339), leaseNamespace, leaseName)
}

// hold is a Lease that is held.
type hold struct {
	*Cluster

	// who is the holder, with its folder, if it has one, and something random that tells it from other lives of the same process.
	who string
	// version is that of the Lease as it was written last.
	version string
}

// Hold implements [act.Cluster]. One who holds the Lease and renews it is a *HeldError within seconds. One who does not is taken
// for dead once nothing was heard of it for the time that the Lease lasts, by the clock of this machine alone: clocks may differ.
// One that had the folder that this process has is dead for sure, and not waited for; what it had asked for last may still be
// carried out, which is no blind write either.
func (c *Cluster) Hold(ctx context.Context, who string) (held context.Context, release func(), err error) {
	h := &hold{Cluster: c, who: who + " " + c.options.Folder + "." + string(uuid.NewUUID())[:8]}
	if err := h.acquire(ctx); err != nil {
		return nil, nil, err
	}
	held, lose := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.keep(held, lose)
	}()
	return held, func() {
		lose(context.Canceled)
		<-ended
		h.giveUp(context.WithoutCancel(ctx))
	}, nil
}

// acquire takes the Lease, waiting to see whether its holder lives.
func (h *hold) acquire(ctx context.Context) error {
	ticker := h.options.Clock.NewTicker(h.renew / 3)
	defer ticker.Stop()
	var silent silence
	for {
		lease, err := h.read(ctx)
		if err != nil {
			return err
		}
		now := h.options.Clock.Now()
		switch {
		case h.free(lease) || silent.of(lease, now) >= h.silence:
			if took, err := h.take(ctx, lease); err != nil || took {
				return err
			}
			continue // somebody else was faster
		case silent.broken:
			return &HeldError{Who: nameOf(lease), Since: acquired(lease)}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting whether %s, who holds the Lease %s/%s, is alive: %w", holder(lease), leaseNamespace, leaseName,
				context.Cause(ctx))
		case <-ticker.C():
		}
	}
}

// free tells that nobody has the Lease, or an earlier process that had the same folder.
func (h *hold) free(l *coordinationv1.Lease) bool {
	if l == nil || holder(l) == "" {
		return true
	}
	who := holder(l)
	folder, _, _ := strings.Cut(who[strings.LastIndexByte(who, ' ')+1:], ".")
	return folder != "" && folder == h.options.Folder
}

// silence is since when nothing was heard of a Lease's holder.
type silence struct {
	version string
	since   time.Time
	// broken says that something was heard.
	broken bool
}

// of is how long it lasts by now. What is heard ends it.
func (s *silence) of(l *coordinationv1.Lease, now time.Time) time.Duration {
	if s.version == "" {
		s.version, s.since = l.ResourceVersion, now
	}
	s.broken = s.version != l.ResourceVersion
	if s.broken {
		return 0
	}
	return now.Sub(s.since)
}

func holder(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// nameOf is a holder as it called itself, without what was added to tell it from others.
func nameOf(l *coordinationv1.Lease) string {
	who := holder(l)
	if at := strings.LastIndexByte(who, ' '); at > 0 {
		return who[:at]
	}
	return who
}

func acquired(l *coordinationv1.Lease) time.Time {
	if l.Spec.AcquireTime == nil {
		return l.CreationTimestamp.Time
	}
	return l.Spec.AcquireTime.Time
}

// read reads the Lease; nil if there is none.
func (h *hold) read(ctx context.Context) (*coordinationv1.Lease, error) {
	lease, err := h.typed.CoordinationV1().Leases(leaseNamespace).Get(ctx, leaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // no Lease and no error is an answer here, and nil is the documented way to say it
	}
	return lease, leaseError(err, "get")
}

// leaseError explains what the API server said of the Lease.
func leaseError(err error, verb string) error {
	if err == nil {
		return nil
	}
	return explain(err, verb, schema.GroupResource{Group: coordinationv1.GroupName, Resource: "leases"}, model.Ref{
		APIVersion: coordinationv1.SchemeGroupVersion.String(), Kind: "Lease", Namespace: leaseNamespace, Name: leaseName,
	})
}

// take makes the Lease, or writes itself into one; false if somebody else did so at the same moment.
func (h *hold) take(ctx context.Context, lease *coordinationv1.Lease) (bool, error) {
	now := metav1.NewMicroTime(h.options.Clock.Now())
	spec := coordinationv1.LeaseSpec{
		HolderIdentity: &h.who, LeaseDurationSeconds: new(int32(leaseDuration / time.Second)), AcquireTime: &now, RenewTime: &now,
	}
	var err error
	leases := h.typed.CoordinationV1().Leases(leaseNamespace)
	if lease == nil {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: leaseName, Namespace: leaseNamespace}, Spec: spec}
		lease, err = leases.Create(ctx, lease, metav1.CreateOptions{FieldManager: fieldManager})
	} else {
		lease.Spec = spec
		lease, err = leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: fieldManager})
	}
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, leaseError(err, "create and update")
	}
	h.version = lease.ResourceVersion
	return true, nil
}

// keep renews the Lease until the context ends, and ends that when the Lease is lost: when it is somebody else's, or could not be
// renewed for two thirds of the time after which another takes it.
func (h *hold) keep(ctx context.Context, lose context.CancelCauseFunc) {
	ticker := h.options.Clock.NewTicker(h.renew)
	defer ticker.Stop()
	renewed := h.options.Clock.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
		began := h.options.Clock.Now()
		limited, cancel := context.WithTimeout(ctx, h.silence/3)
		err := h.write(limited, h.who)
		cancel()
		switch {
		case err == nil:
			renewed = began
		case apierrors.IsConflict(err), apierrors.IsNotFound(err), h.options.Clock.Since(renewed) >= 2*h.silence/3:
			lose(errLost)
			return
		}
	}
}

// write renews the Lease as this holder wrote it last, or empties it.
func (h *hold) write(ctx context.Context, who string) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": h.version},
		"spec":     map[string]any{"holderIdentity": who, "renewTime": metav1.NewMicroTime(h.options.Clock.Now())},
	})
	if err != nil {
		return err
	}
	lease, err := h.typed.CoordinationV1().Leases(leaseNamespace).Patch(ctx, leaseName, types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: fieldManager})
	if err == nil {
		h.version = lease.ResourceVersion
	}
	return err
}

// giveUp lets others have the Lease at once. If that fails, it expires.
func (h *hold) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, h.silence/3)
	defer cancel()
	_ = h.write(ctx, "") // see above
}
