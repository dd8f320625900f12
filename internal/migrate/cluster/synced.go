package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/model"
)

// checkSynced: each sync is healthy by Microsoft's measure, its Secrets are there, and pairs of Secrets hold the same.
func (c *Cluster) checkSynced(ctx context.Context, gate model.Gate) (lack, error) {
	var l lack
	for _, ref := range gate.Objects {
		one, err := c.synced(ctx, ref)
		if err != nil {
			return lack{}, err
		}
		l.join(one)
	}
	same, err := c.compare(ctx, gate.Same, true)
	if err != nil {
		return lack{}, err
	}
	l.join(same)
	return l, nil
}

// synced says what one sync lacks.
func (c *Cluster) synced(ctx context.Context, ref model.Ref) (lack, error) {
	var l lack
	live, err := c.get(ctx, ref)
	if err != nil {
		return lack{}, err
	}
	if live == nil {
		l.need("%s is not there", ref)
		return l, nil
	}
	if ref.Kind == "AKVSync" {
		healthyAKV(&l, ref, live)
		return l, nil
	}
	secret, err := c.get(ctx, model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: ref.Namespace, Name: ref.Name})
	if err != nil {
		return lack{}, err
	}
	healthy(&l, ref, live)
	switch {
	case secret == nil && len(l.lines) == 0:
		l.wait("the Secret of %s is not there", ref)
	case secret != nil && given(secret, live) && refused(live):
		// It was refused before the Secret was handed over to it, and is tried again within seconds.
		l = lack{}
		l.wait("%s was not checked since its Secret was handed over", ref)
	}
	return l, nil
}

// given tells whether a Secret is the SecretSync's own.
func given(secret, sync *unstructured.Unstructured) bool {
	_, ours := secret.GetLabels()[v1alpha1.SecretLabel]
	return ours && ownedBy(secret, sync)
}

// refused tells whether the latest check found a Secret that was not the SecretSync's.
func refused(sync *unstructured.Unstructured) bool {
	return slices.ContainsFunc([]string{v1alpha1.ConditionCreate, v1alpha1.ConditionUpdate}, func(kind string) bool {
		found, _ := condition(sync, kind)
		return found.status != "True" && found.reason == v1alpha1.ReasonInvalidLabel
	})
}

// healthy: the condition Update of a SecretSync tells of a success. That some keys could be had (PartialSync) is not enough.
func healthy(l *lack, ref model.Ref, live *unstructured.Unstructured) {
	checked, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
	update, found := condition(live, v1alpha1.ConditionUpdate)
	first, failing := condition(live, v1alpha1.ConditionCreate)
	switch {
	case checked != 0 && checked < live.GetGeneration():
		l.wait("%s was changed, and not checked since", ref)
	case found && slices.Contains([]string{
		v1alpha1.ReasonUpdateNoValueChangeSucceeded, v1alpha1.ReasonUpdateValueChangeSucceeded,
	}, update.reason):
	case found:
		update.tell(l, ref)
	case failing && first.reason != v1alpha1.ReasonCreateSucceeded:
		first.tell(l, ref)
	default:
		l.wait("%s was not checked yet", ref)
	}
}

// healthyAKV: every object of an AKVSync is synced.
func healthyAKV(l *lack, ref model.Ref, live *unstructured.Unstructured) {
	checked, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
	objects, _, _ := unstructured.NestedSlice(live.Object, "status", "objects")
	if checked < live.GetGeneration() || len(objects) == 0 {
		l.wait("%s was not checked yet", ref)
		return
	}
	for _, o := range objects {
		object, _ := o.(map[string]any)
		if object["status"] != "True" || object["reason"] != v1alpha1.ReasonSynced {
			conditionOf(object).tell(l, model.Ref{Kind: ref.String() + ", SecretSync", Name: fmt.Sprint(object["name"])})
		}
	}
}

// state is what a condition tells.
type state struct{ status, reason, message string }

// tell says of a sync that is not healthy why it is not. What its spec asks for does not mend itself; all else is tried again.
func (s state) tell(l *lack, ref model.Ref) {
	say := l.wait
	if slices.Contains([]string{
		v1alpha1.ReasonUserInputValidationFailed, v1alpha1.ReasonControllerSpcError, v1alpha1.ReasonInvalidLabel,
		v1alpha1.ReasonInvalidAnnotation, v1alpha1.ReasonPolicyCheckFailed,
	}, s.reason) {
		say = l.need
	}
	say("%s: %s: %s", ref, cmp.Or(s.reason, "no reason"), cmp.Or(s.message, "no message"))
}

// condition finds a condition of an object.
func condition(live *unstructured.Unstructured, kind string) (state, bool) {
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	for _, one := range conditions {
		if fields, _ := one.(map[string]any); fields["type"] == kind {
			return conditionOf(fields), true
		}
	}
	return state{}, false
}

func conditionOf(fields map[string]any) state {
	text := func(name string) string { s, _ := fields[name].(string); return s }
	return state{status: text("status"), reason: text("reason"), message: text("message")}
}
