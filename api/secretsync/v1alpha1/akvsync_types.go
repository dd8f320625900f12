package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AKVSyncLabel is on every SecretProviderClass and SecretSync that an AKVSync generated, its value being the AKVSync's
// name, for people to select by. It is left out where the name is too long for a label, and decides nothing: whose an
// object is, its controlling owner reference says.
const AKVSyncLabel = "secret-sync.x-k8s.io/akvsync"

// ReasonPending is a reason of the condition Ready, and of the entries of an AKVSync's status.objects: a SecretSync was
// not made, changed or checked yet.
const ReasonPending = "Pending"

// Shapes of the entries of spec.objects, each named after the field that an entry of it has.
const (
	// ShapeSecret is an entry with secretInAKV.
	ShapeSecret = "secretInAKV"
	// ShapeCertificate is an entry with certInAKV.
	ShapeCertificate = "certInAKV"
	// ShapeMapping is an entry with mapping.
	ShapeMapping = "mapping"
)

// AKVSync makes Secrets out of objects of one vault: it generates one SecretProviderClass, of its own name, and a SecretSync
// for each Secret, keeps them as its spec says, and shows in its status what became of each. What it did not make it
// leaves alone.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=secretstore
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Vault",type=string,JSONPath=`.spec.keyvaultName`
// +kubebuilder:printcolumn:name="Synced",type=string,JSONPath=`.status.synced`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Service account",type=string,priority=1,JSONPath=`.spec.serviceAccountName`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type AKVSync struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec AKVSyncSpec `json:"spec"`
	// +optional
	Status AKVSyncStatus `json:"status,omitempty"`
}

// AKVSyncList is a list of AKVSyncs.
//
// +kubebuilder:object:root=true
type AKVSyncList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []AKVSync `json:"items"`
}

// AKVSyncSpec says which vault, as which identity, and which Secrets to make of its objects.
type AKVSyncSpec struct {
	// keyvaultName is the vault's name, without its DNS suffix.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-A-Za-z0-9]{3,24}$')",message="set it to the vault's name alone, 3 to 24 letters, digits and hyphens, such as my-vault for https://my-vault.vault.azure.net"
	KeyvaultName string `json:"keyvaultName"`

	// clientID is the client ID of the user-assigned managed identity that reads the vault.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$')",message="set it to the client ID (a GUID) of the user-assigned managed identity, not its object ID or its name"
	ClientID string `json:"clientID"`

	// tenantID is the Entra tenant of the identity and the vault, by ID or domain.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?[.])+[0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?)$')",message="set it to the ID (a GUID) or a domain of the Entra tenant that the managed identity belongs to"
	TenantID string `json:"tenantID"`

	// serviceAccountName names the service account, in the same namespace, whose short-lived token is exchanged for
	// access to the vault. A federated credential of the managed identity must name it as its subject.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ServiceAccountName string `json:"serviceAccountName"`

	// objects lists the Secrets. An entry has exactly one shape: secretInAKV (a secret), certInAKV (a certificate with its
	// private key) or mapping (a Secret composed of several objects).
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=500
	Objects []AKVSyncEntry `json:"objects"`

	// forceSynchronization is handed down to all generated SecretSyncs: whenever it changes, each is checked at once. While
	// it is empty, those of the SecretSyncs are left as they are.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ForceSynchronization string `json:"forceSynchronization,omitempty"`

	// secretSyncControllerName gives this object, and the SecretSyncs that it makes, to the controller that runs under this
	// name. The default, empty, is the controller that runs under no name.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretSyncControllerName string `json:"secretSyncControllerName,omitempty"`
}

// AKVSyncEntry asks for one Secret, or for one for each version of a certificate.
//
// +kubebuilder:validation:XValidation:rule="(has(self.secretInAKV) ? 1 : 0) + (has(self.certInAKV) ? 1 : 0) + (has(self.mapping) ? 1 : 0) == 1",message="give it exactly one of secretInAKV, certInAKV and mapping"
// +kubebuilder:validation:XValidation:rule="!has(self.mapping) || has(self.kubernetesSecretName)",message="a Secret composed by mapping needs kubernetesSecretName"
// +kubebuilder:validation:XValidation:rule="!has(self.mapping) || !has(self.versionHistory)",message="versionHistory does not go with mapping; set the version of each item instead"
// +kubebuilder:validation:XValidation:rule="!has(self.secretInAKV) || self.kubernetesSecretType != 'kubernetes.io/tls'",message="a Secret of type kubernetes.io/tls is made of a certificate: use certInAKV, or mapping for a certificate and a key that are kept apart"
// +kubebuilder:validation:XValidation:rule="!has(self.secretInAKV) || !has(self.versionHistory) || self.versionHistory == 1 || self.kubernetesSecretType == 'Opaque'",message="versionHistory above 1 is for secrets of kubernetesSecretType Opaque: other types have one fixed key"
// +kubebuilder:validation:XValidation:rule="!has(self.certInAKV) || self.kubernetesSecretType in ['Opaque', 'kubernetes.io/tls']",message="a certificate makes a Secret of kubernetesSecretType kubernetes.io/tls or Opaque"
type AKVSyncEntry struct {
	// secretInAKV names a secret of the vault. An Opaque Secret gets its versions under the keys v0 (the latest), v1 and so
	// on; of another type, the latest under the key that the type has: ssh-privatekey, .dockerconfigjson, .dockercfg, or
	// password of kubernetes.io/basic-auth.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=127
	SecretInAKV string `json:"secretInAKV,omitempty"`

	// certInAKV names a certificate of the vault. A Secret of type kubernetes.io/tls gets tls.crt and tls.key, with
	// versionHistory above 1 one Secret for each version, named with -v0 (the latest), -v1 and so on behind its name. An Opaque
	// Secret gets private key and certificates as one PEM under v0, v1 and so on.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=127
	CertInAKV string `json:"certInAKV,omitempty"`

	// mapping composes the Secret of several objects, key by key.
	// +optional
	// +listType=map
	// +listMapKey=dataKey
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=500
	Mapping []AKVSyncItem `json:"mapping,omitempty"`

	// kubernetesSecretName names the Secret, and the SecretSync that makes it; the default is the object's name in the vault.
	// It must be set where Kubernetes does not allow that name, such as one with upper-case letters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	KubernetesSecretName string `json:"kubernetesSecretName,omitempty"`

	// kubernetesSecretType is the type of the Secret. Once the Secret is made it cannot be changed, unless the generated
	// SecretSync is deleted.
	// +optional
	// +kubebuilder:default=Opaque
	// +kubebuilder:validation:Enum=Opaque;kubernetes.io/tls;kubernetes.io/ssh-auth;kubernetes.io/basic-auth;kubernetes.io/dockercfg;kubernetes.io/dockerconfigjson
	KubernetesSecretType string `json:"kubernetesSecretType,omitempty"`

	// labels of the Secret. Names that begin with secrets-store.sync.x-k8s.io are the controller's.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`

	// annotations of the Secret. Names that begin with secrets-store.sync.x-k8s.io are the controller's.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`

	// versionHistory is how many versions to keep in the cluster, the latest included; 1 if it is not set. The identity needs
	// permission to list secrets for more than 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=500
	VersionHistory int32 `json:"versionHistory,omitempty"`
}

// AKVSyncItem is one key of a composed Secret and the object whose value it gets.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretInAKV) != has(self.certInAKV)",message="give it exactly one of secretInAKV and certInAKV"
type AKVSyncItem struct {
	// dataKey is the key in the Secret's data: letters, digits, '-', '_' and '.', 253 at most.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	DataKey string `json:"dataKey"`

	// secretInAKV names a secret of the vault.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=127
	SecretInAKV string `json:"secretInAKV,omitempty"`

	// certInAKV names a certificate of the vault: private key and certificates as one PEM; in a Secret of type
	// kubernetes.io/tls the keys tls.crt and tls.key each get their part.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=127
	CertInAKV string `json:"certInAKV,omitempty"`

	// version counts back from the latest, which is 0 and the default.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=499
	Version int32 `json:"version,omitempty"`
}

// AKVSyncStatus says what became of the spec.
type AKVSyncStatus struct {
	// conditions: Ready, which is True while every Secret that the spec asks for holds a value for each of its keys, even when
	// the vault is away.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// synced is how many Secrets hold what the vault holds, of how many, as in 3/4.
	// +optional
	Synced string `json:"synced,omitempty"`

	// objects says what became of each Secret, in the order of spec.objects.
	// +optional
	// +listType=atomic
	Objects []AKVSyncObjectStatus `json:"objects,omitempty"`

	// observedGeneration is the generation of the AKVSync that this status is of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// AKVSyncObjectStatus says what became of one Secret that an AKVSync asks for.
type AKVSyncObjectStatus struct {
	// name of the Secret and of the SecretSync that makes it.
	// +required
	Name string `json:"name"`

	// entry is the index in spec.objects of the entry that asks for it, counted from 0.
	// +required
	Entry int32 `json:"entry"`

	// kind is the shape of that entry: secretInAKV, certInAKV or mapping.
	// +optional
	Kind string `json:"kind,omitempty"`

	// status is that of the SecretSync's condition Ready; False where the entry could not be made into a SecretSync, and Unknown
	// while the SecretSync was not checked yet.
	// +required
	Status metav1.ConditionStatus `json:"status"`

	// reason is that of the SecretSync's condition Ready, or why there is none: UserInputValidationFailed, Pending and so on.
	// +required
	Reason string `json:"reason"`

	// message says it in words, with what to do.
	// +optional
	Message string `json:"message,omitempty"`

	// lastSuccessfulSyncTime is when the Secret was last known to hold all that the vault holds; it may be behind that of the
	// SecretSync by a minute.
	// +optional
	LastSuccessfulSyncTime *metav1.Time `json:"lastSuccessfulSyncTime,omitempty"`
}
