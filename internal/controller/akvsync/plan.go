package akvsync

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/spcparams"
)

// plan is what is to be done. Its parts are done one after the other, each only when the cache shows the one before, so that
// at no moment a SecretSync refers to a source path that its SecretProviderClass does not give.
type plan struct {
	// secrets are what the AKVSync asks for; one that has a problem is left as it is.
	secrets []secret
	// class is what to do about the SecretProviderClass; nil if it is as it should be. While it is not, nothing else is done.
	class *change
	// changes are the SecretSyncs to make or to change.
	changes []change
	// removals are the SecretSyncs that nothing asks for any more; kept are those that stay because an entry has a mistake, by
	// name: one of them may be what that entry means.
	removals []*v1alpha1.SecretSync
	kept     []string
}

// change makes an object of a cluster into another one.
type change struct {
	// from is nil where the object is to be created.
	from, to client.Object
	// secret is the index in plan.secrets of a SecretSync's Secret.
	secret int
}

// decide turns what was gathered into a plan. It is pure.
func decide(in input) plan {
	secrets, n := translate(in.sync.Spec)
	p := plan{secrets: secrets}
	mistaken := slices.ContainsFunc(secrets, func(s secret) bool { return s.problem != nil })
	if len(n) > 0 {
		var blocked *problem
		if p.class, blocked = classChange(in, n.objects()); blocked != nil {
			p.block(blocked)
			return p
		}
	}
	asked := map[string]bool{}
	for i := range p.secrets {
		s := &p.secrets[i]
		asked[s.name] = true
		if s.problem != nil {
			continue
		}
		var c *change
		if c, s.problem = syncChange(in, *s, n); c != nil {
			c.secret = i
			p.changes = append(p.changes, *c)
		}
	}
	for _, sync := range in.own() {
		switch {
		case asked[sync.Name]:
		case mistaken:
			p.kept = append(p.kept, sync.Name)
		case sync.DeletionTimestamp.IsZero():
			p.removals = append(p.removals, sync)
		}
	}
	return p
}

// block gives all Secrets without a problem the same one.
func (p *plan) block(reason *problem) {
	for i := range p.secrets {
		if p.secrets[i].problem == nil {
			p.secrets[i].problem = reason
		}
	}
}

// classChange is what to do to have the objects in the SecretProviderClass, or why it cannot be.
func classChange(in input, objects []spcparams.Object) (*change, *problem) {
	params := spcparams.Params{
		VaultName: in.sync.Spec.KeyvaultName, ClientID: in.sync.Spec.ClientID, TenantID: in.sync.Spec.TenantID, Objects: objects,
	}
	if _, err := spcparams.Parse(params.Parameters()); err != nil {
		return nil, mistake("spec: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	live := in.class
	if live == nil {
		class := &spcv1.SecretProviderClass{ObjectMeta: generated(in.sync, in.sync.Name)}
		class.Spec = classSpec(params)
		return &change{to: class}, nil
	}
	if p := claim(in.sync, live, "SecretProviderClass", "give the AKVSync another name"); p != nil {
		return nil, p
	}
	// What cannot be understood of the class as it is gives no path to anybody, and has nothing to be kept.
	have, _ := spcparams.Parse(live.Spec.Parameters)
	to := live.DeepCopy()
	to.Spec = classSpec(keep(params, have, in.own()))
	to.Labels = labelled(in.sync, live.Labels)
	if equality.Semantic.DeepEqual(live, to) {
		return nil, nil //nolint:nilnil // nothing to do and nothing wrong is the usual answer
	}
	return &change{from: live, to: to}, nil
}

func classSpec(params spcparams.Params) spcv1.SecretProviderClassSpec {
	return spcv1.SecretProviderClassSpec{Provider: "azure", Parameters: params.Parameters()}
}

// syncChange is what to do to have the SecretSync of a Secret, or why it cannot be.
func syncChange(in input, s secret, n needs) (*change, *problem) {
	spec := syncSpec(in.sync, s, n)
	live := in.syncs[s.name]
	if live == nil {
		return &change{to: &v1alpha1.SecretSync{ObjectMeta: generated(in.sync, s.name), Spec: spec}}, nil
	}
	rename := fmt.Sprintf("set kubernetesSecretName of %s to another name", place(s.entry))
	if p := claim(in.sync, live, "SecretSync", rename); p != nil {
		return nil, p
	}
	if was := cmp.Or(live.Spec.SecretObject.Type, string(corev1.SecretTypeOpaque)); was != string(s.kind) {
		return nil, mistake("%s.kubernetesSecretType is %s, but the Secret was made with type %s, which cannot change; to have both "+
			"made anew, delete the generated SecretSync, and its Secret goes with it: kubectl delete secretsync -n %s %s",
			place(s.entry), s.kind, was, live.Namespace, live.Name)
	}
	// Who forces one SecretSync by hand is not overruled.
	spec.ForceSynchronization = cmp.Or(spec.ForceSynchronization, live.Spec.ForceSynchronization)
	to := live.DeepCopy()
	to.Spec = spec
	to.Labels = labelled(in.sync, live.Labels)
	if equality.Semantic.DeepEqual(live, to) {
		return nil, nil //nolint:nilnil // nothing to do and nothing wrong is the usual answer
	}
	return &change{from: live, to: to}, nil
}

func syncSpec(sync *v1alpha1.AKVSync, s secret, n needs) v1alpha1.SecretSyncSpec {
	data := make([]v1alpha1.SecretObjectData, 0, len(s.items))
	for _, i := range s.items {
		data = append(data, v1alpha1.SecretObjectData{SourcePath: n.path(i), TargetKey: i.key})
	}
	return v1alpha1.SecretSyncSpec{
		SecretProviderClassName: sync.Name,
		ServiceAccountName:      sync.Spec.ServiceAccountName,
		SecretObject: v1alpha1.SecretObject{
			Type: string(s.kind), Data: data, Labels: s.labels, Annotations: s.annotations,
		},
		ForceSynchronization:     sync.Spec.ForceSynchronization,
		SecretSyncControllerName: sync.Spec.SecretSyncControllerName,
	}
}
