package secretsync

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/fault"
	"secretstore/internal/secretdata"
	"secretstore/internal/source"
	"secretstore/internal/spcparams"
)

// input is all that a check reads before it acts. What is not there is nil.
type input struct {
	sync    *v1alpha1.SecretSync
	class   *spcv1.SecretProviderClass
	account *metav1.PartialObjectMetadata

	// What decide makes of these, todo or flaw, and a text that tells it from what other inputs would give.
	todo   plan
	flaw   *fault.Error
	inputs string
}

// decided fills in what follows from the input.
func (in input) decided(parse parser) input {
	in.todo, in.flaw = decide(in, parse)
	in.inputs = in.fingerprint()
	return in
}

// gather reads the objects that a SecretSync refers to, from the informers' caches. One that is not there is looked for once
// more by the live reader: of objects that were made at the same moment, the caches may show one before the other.
func gather(ctx context.Context, cached, live client.Reader, sync *v1alpha1.SecretSync, parse parser) (input, error) {
	in := input{sync: sync}
	class := &spcv1.SecretProviderClass{}
	found, err := find(ctx, cached, live, sync.Namespace, sync.Spec.SecretProviderClassName, class)
	if err != nil {
		return input{}, fmt.Errorf("reading SecretProviderClass %s: %w", sync.Spec.SecretProviderClassName, err)
	}
	if found {
		in.class = class
	}
	account := &metav1.PartialObjectMetadata{}
	account.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ServiceAccount"))
	found, err = find(ctx, cached, live, sync.Namespace, sync.Spec.ServiceAccountName, account)
	if err != nil {
		return input{}, fmt.Errorf("reading service account %s: %w", sync.Spec.ServiceAccountName, err)
	}
	if found {
		in.account = account
	}
	return in.decided(parse), nil
}

func find(ctx context.Context, cached, live client.Reader, namespace, name string, into client.Object) (bool, error) {
	found, err := get(ctx, cached, namespace, name, into)
	if err != nil || found {
		return found, err
	}
	return get(ctx, live, namespace, name, into)
}

func get(ctx context.Context, reader client.Reader, namespace, name string, into client.Object) (bool, error) {
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// fingerprint stands for what a check uses of the class and the account: another identity, vault or mapped object changes it,
// an edit that concerns other SecretSyncs only does not. Where they cannot be used, any edit of the class does.
func (in input) fingerprint() string {
	if in.flaw == nil {
		asked := in.todo.request
		sum := sha256.Sum256(fmt.Appendf(nil, "%+v %q %+v %q", asked.Identity, asked.Vault, asked.Objects, in.todo.params.Warnings))
		return "used/" + hex.EncodeToString(sum[:16])
	}
	class, account := "none", "none"
	if in.class != nil {
		class = fmt.Sprintf("%s/%d", in.class.UID, in.class.Generation)
	}
	if in.account != nil {
		account = string(in.account.UID)
	}
	return class + " " + account
}

// plan is what a check is going to do: fetch the objects of request, and put what they give where mappings say.
type plan struct {
	params spcparams.Params
	// mapped are the indexes into params.Objects of the request's objects, in their order.
	mapped     []int
	request    source.Request
	secretType corev1.SecretType
	mappings   []secretdata.Mapping
}

// decide turns what was gathered into a plan, or into the first thing that is wrong with it. It is pure.
func decide(in input, parse parser) (plan, *fault.Error) {
	for _, check := range []func(input) *fault.Error{
		reservedMetadata,
		legalMetadata,
		secretShape,
		classExists,
		accountExists,
	} {
		if f := check(in); f != nil {
			return plan{}, f
		}
	}
	params, f := parse(in.class)
	if f != nil {
		return plan{}, f
	}
	mapped, f := mappedObjects(params, in.sync.Spec.SecretObject.Data)
	if f != nil {
		return plan{}, f
	}
	objects := make([]spcparams.Object, 0, len(mapped))
	for _, i := range mapped {
		objects = append(objects, params.Objects[i])
	}
	return plan{
		params: params,
		mapped: mapped,
		request: source.Request{
			Identity: source.Identity{
				Cloud:    params.CloudName,
				TenantID: params.TenantID,
				ClientID: params.ClientID,
				Account: source.ServiceAccount{
					Namespace: in.account.Namespace, Name: in.account.Name, UID: string(in.account.UID),
				},
			},
			Vault:   params.VaultName,
			Objects: objects,
		},
		secretType: secretType(in.sync),
		mappings:   mappings(in.sync),
	}, nil
}

// reservedMetadata: labels and annotations with the controller's prefix are not for users to set.
func reservedMetadata(in input) *fault.Error {
	object := in.sync.Spec.SecretObject
	if name := reserved(object.Labels); name != "" {
		return fault.New(fault.ReservedLabel, "spec.secretObject.labels: %s belongs to the controller; remove it", name)
	}
	if name := reserved(object.Annotations); name != "" {
		return fault.New(fault.ReservedAnnotation, "spec.secretObject.annotations: %s belongs to the controller; remove it", name)
	}
	return nil
}

// legalMetadata: what Kubernetes refuses as a label or annotation is said before the vault is asked.
func legalMetadata(in input) *fault.Error {
	object, path := in.sync.Spec.SecretObject, field.NewPath("spec", "secretObject")
	problems := append(metav1validation.ValidateLabels(object.Labels, path.Child("labels")),
		apivalidation.ValidateAnnotations(object.Annotations, path.Child("annotations"))...)
	if len(problems) == 0 {
		return nil
	}
	return fault.New(fault.SpecInvalid, "%s", oneLine(problems.ToAggregate()))
}

func reserved(metadata map[string]string) string {
	var names []string
	for name := range metadata {
		if strings.HasPrefix(name, v1alpha1.SecretLabel) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

// secretShape: the type must be one that may be made, and the keys what Kubernetes takes in a Secret of it.
func secretShape(in input) *fault.Error {
	if err := secretdata.Validate(secretType(in.sync), mappings(in.sync)); err != nil {
		return fault.New(fault.SpecInvalid, "spec.secretObject: %s", oneLine(err))
	}
	return nil
}

// classExists: without a SecretProviderClass nothing says what to fetch.
func classExists(in input) *fault.Error {
	if in.class == nil {
		return fault.New(fault.ClassMissing, "SecretProviderClass %s does not exist in namespace %s: create it, or correct "+
			"spec.secretProviderClassName", in.sync.Spec.SecretProviderClassName, in.sync.Namespace)
	}
	return nil
}

// accountExists: without a service account there is no identity.
func accountExists(in input) *fault.Error {
	if in.account == nil {
		return fault.New(fault.SpecInvalid, "service account %s does not exist in namespace %s: create it, or correct "+
			"spec.serviceAccountName", in.sync.Spec.ServiceAccountName, in.sync.Namespace)
	}
	return nil
}

// providerName is the provider of Key Vault in a SecretProviderClass.
const providerName = "azure"

func parseClass(class *spcv1.SecretProviderClass) (spcparams.Params, *fault.Error) {
	if class.Spec.Provider != providerName {
		return spcparams.Params{}, fault.New(fault.ClassInvalid, "SecretProviderClass %s: spec.provider is %q; this controller "+
			"serves %q", class.Name, class.Spec.Provider, providerName)
	}
	params, err := spcparams.Parse(class.Spec.Parameters)
	if err != nil {
		return spcparams.Params{}, fault.New(fault.ClassInvalid, "SecretProviderClass %s: spec.parameters: %s",
			class.Name, oneLine(err))
	}
	return params, nil
}

// mappedObjects lists, once each and in the order of the class, the objects that the SecretSync maps, by their index: the
// others are not asked for.
func mappedObjects(params spcparams.Params, data []v1alpha1.SecretObjectData) ([]int, *fault.Error) {
	var mapped []int
	for _, entry := range data {
		ref, err := params.Resolve(entry.SourcePath)
		if err != nil {
			return nil, fault.New(fault.SpecInvalid, "spec.secretObject.data, targetKey %s: %v", entry.TargetKey, err)
		}
		mapped = append(mapped, ref.Object)
	}
	slices.Sort(mapped)
	return slices.Compact(mapped), nil
}

func secretType(sync *v1alpha1.SecretSync) corev1.SecretType {
	if sync.Spec.SecretObject.Type == "" {
		return corev1.SecretTypeOpaque
	}
	return corev1.SecretType(sync.Spec.SecretObject.Type)
}

func mappings(sync *v1alpha1.SecretSync) []secretdata.Mapping {
	list := make([]secretdata.Mapping, 0, len(sync.Spec.SecretObject.Data))
	for _, entry := range sync.Spec.SecretObject.Data {
		list = append(list, secretdata.Mapping{SourcePath: entry.SourcePath, TargetKey: entry.TargetKey})
	}
	return list
}

// oneLine puts joined errors, one of which stands on each line, onto one.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
