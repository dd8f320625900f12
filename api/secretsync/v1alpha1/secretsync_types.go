package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SecretLabel marks every Secret that a SecretSync made (its value is empty), and is the prefix of the labels and
// annotations that belong to the controller alone.
const SecretLabel = "secrets-store.sync.x-k8s.io"

// Condition types of a SecretSync.
const (
	// ConditionCreate tells how making the Secret went: it holds the failure until the Secret exists, and
	// CreateSucceeded afterwards.
	ConditionCreate = "Create"
	// ConditionUpdate tells how the latest check went, from the first success on.
	ConditionUpdate = "Update"
	// ConditionReady is True while the Secret holds a value for every mapped key, even when the vault is away: what
	// workloads need. Its reason says whether the values are those of the latest check.
	ConditionReady = "Ready"
)

// Reasons of the conditions Create and Update. The first three mean success; the rest say what failed.
const (
	// ReasonCreateSucceeded is on Create: the Secret was made.
	ReasonCreateSucceeded = "CreateSucceeded"
	// ReasonUpdateNoValueChangeSucceeded is on Update: checked, and nothing had to change.
	ReasonUpdateNoValueChangeSucceeded = "UpdateNoValueChangeSucceeded"
	// ReasonUpdateValueChangeSucceeded is on Update: the Secret was written and now holds what the vault holds.
	ReasonUpdateValueChangeSucceeded = "UpdateValueChangeOrForceUpdateSucceeded"
	// ReasonPartialSync is on Update: some items could not be updated; the message is JSON, item by item.
	ReasonPartialSync = "PartialSync"
	// ReasonProviderError means that Key Vault or Entra failed or refused.
	ReasonProviderError = "ProviderError"
	// ReasonInvalidLabel means that the Secret of that name is not this SecretSync's, or that a reserved label is asked for.
	ReasonInvalidLabel = "InvalidClusterSecretLabelError"
	// ReasonInvalidAnnotation means that a reserved annotation is asked for.
	ReasonInvalidAnnotation = "InvalidClusterSecretAnnotationError"
	// ReasonUserInputValidationFailed means that the SecretSync itself must be changed.
	ReasonUserInputValidationFailed = "UserInputValidationFailed"
	// ReasonControllerSpcError means that the SecretProviderClass is missing or malformed.
	ReasonControllerSpcError = "ControllerSpcError"
	// ReasonPolicyCheckFailed means that an admission policy refused the Secret or the token request.
	ReasonPolicyCheckFailed = "ValidatingAdmissionPolicyCheckFailed"
	// ReasonUnknownError means that writing the Secret failed, such as on a conflict.
	ReasonUnknownError = "UnknownError"
	// ReasonControllerInternalError is everything else.
	ReasonControllerInternalError = "ControllerInternalError"
)

// Reasons of the condition Ready beside those above, which it carries while it is False.
const (
	// ReasonSynced means that the Secret holds what the vault held at the latest check.
	ReasonSynced = "Synced"
	// ReasonStale means that the Secret holds values of an earlier check, because the latest one failed.
	ReasonStale = "Stale"
)

// ReasonClassWarning is the reason of the event that tells what a SecretProviderClass says to no effect.
const ReasonClassWarning = "SecretProviderClassWarning"

// ReasonLeftAlone is the reason of the event on an object that another controller looks after.
const ReasonLeftAlone = "LeftToAnotherController"

// SecretSync makes one Secret, of its own name and namespace, out of what a SecretProviderClass names in a vault.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=secretstore
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Last sync",type=date,JSONPath=`.status.lastSuccessfulSyncTime`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Class",type=string,priority=1,JSONPath=`.spec.secretProviderClassName`
// +kubebuilder:printcolumn:name="Service account",type=string,priority=1,JSONPath=`.spec.serviceAccountName`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type SecretSync struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec SecretSyncSpec `json:"spec"`
	// +optional
	Status SecretSyncStatus `json:"status,omitempty"`
}

// SecretSyncList is a list of SecretSyncs.
//
// +kubebuilder:object:root=true
type SecretSyncList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []SecretSync `json:"items"`
}

// SecretSyncSpec says which objects of which vault go under which keys of the Secret. Any change of it triggers a check.
type SecretSyncSpec struct {
	// secretProviderClassName names the SecretProviderClass, in the same namespace, that says which vault, which
	// identity and which objects.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretProviderClassName string `json:"secretProviderClassName"`

	// serviceAccountName names the service account, in the same namespace, whose short-lived token is exchanged for
	// access to the vault. A federated credential of the managed identity must name it as its subject.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ServiceAccountName string `json:"serviceAccountName"`

	// secretObject describes the Secret.
	// +required
	SecretObject SecretObject `json:"secretObject"`

	// forceSynchronization triggers a check at once whenever it changes; the value itself means nothing.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ForceSynchronization string `json:"forceSynchronization,omitempty"`

	// secretSyncControllerName gives this object to the controller that runs under this name. The default, empty,
	// is the controller that runs under no name.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretSyncControllerName string `json:"secretSyncControllerName,omitempty"`
}

// SecretObject describes the Secret that a SecretSync makes.
type SecretObject struct {
	// type of the Secret. It cannot be changed: Kubernetes does not change the type of a Secret either.
	// +optional
	// +kubebuilder:default=Opaque
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the type of a Secret cannot be changed: delete the SecretSync (its Secret goes with it) and create it with the new type, or use a new name"
	Type string `json:"type,omitempty"`

	// data says what goes where, one entry for each key of the Secret.
	// +required
	// +listType=map
	// +listMapKey=targetKey
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4096
	Data []SecretObjectData `json:"data"`

	// labels of the Secret. Names that begin with secrets-store.sync.x-k8s.io are the controller's.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations of the Secret. Names that begin with secrets-store.sync.x-k8s.io are the controller's.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// SecretObjectData maps one value that the SecretProviderClass gives to one key of the Secret.
type SecretObjectData struct {
	// sourcePath names the value: an object's alias or name; with objectVersionHistory followed by /0 (the latest),
	// /1 and so on; for the parts of a certificate followed by /tls.crt or /tls.key.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	SourcePath string `json:"sourcePath"`

	// targetKey is the key in the Secret's data: letters, digits, '-', '_' and '.', 253 at most.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	TargetKey string `json:"targetKey"`
}

// SecretSyncStatus says what became of the latest check.
type SecretSyncStatus struct {
	// conditions: Create, Update and Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// lastSuccessfulSyncTime is when the Secret was last known to hold all that the vault holds.
	// +optional
	LastSuccessfulSyncTime *metav1.Time `json:"lastSuccessfulSyncTime,omitempty"`

	// lastCheckTime is when the latest check ended, whatever came of it. The next one is counted from here.
	// +optional
	LastCheckTime *metav1.Time `json:"lastCheckTime,omitempty"`

	// syncHash is a keyed digest of the Secret's data as last written. It tells equal from different within one
	// installation, and nothing of the values to who lacks the installation's key.
	// +optional
	SyncHash string `json:"syncHash,omitempty"`

	// observedGeneration is the generation of the SecretSync that the latest check used.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// observedForceSynchronization is the forceSynchronization that the latest check saw. When that alone changes, a check is due
	// at once; after any other edit it waits for its jitter.
	// +optional
	ObservedForceSynchronization string `json:"observedForceSynchronization,omitempty"`

	// observedInputs stands for what the latest check used of the SecretProviderClass and the service account. When
	// that changes, a check is due.
	// +optional
	ObservedInputs string `json:"observedInputs,omitempty"`
}
