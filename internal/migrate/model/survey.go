package model

import "secretstore/internal/spcparams"

// Driver is the name of the Secrets Store CSI driver, as volumes name it.
const Driver = "secrets-store.csi.k8s.io"

// ManagedLabel is the label of Secrets that the CSI driver made; its value is "true".
const ManagedLabel = Driver + "/managed"

// ProviderAzure is spec.provider of the classes that are taken over.
const ProviderAzure = "azure"

// Survey is what a Snapshot means: the classes, who uses them and how, and what is installed. Lists are sorted by Ref.
type Survey struct {
	Input Input  `json:"input"`
	Azure *Azure `json:"azure,omitempty"`
	// Classes are the SecretProviderClasses of provider azure.
	Classes []Class `json:"classes"`
	// Others are the SecretProviderClasses of other providers, and the workloads that mount nothing but these. They are left
	// alone, and so must the driver be.
	Others []Ref `json:"others,omitempty"`
	// Workloads are the objects at the top of an owner chain that hold a pod template (or are a pod), and mount a class or
	// use a Secret that a class makes.
	Workloads []Workload `json:"workloads"`
	// Readers are the objects without a pod template that use a Secret that a class makes.
	Readers []Reader `json:"readers,omitempty"`
	// Synced are the Secrets that classes make, whether they exist yet or not.
	Synced []SyncedSecret `json:"synced,omitempty"`
	// Credentials are the Secrets that volumes name as nodePublishSecretRef.
	Credentials []Credential `json:"credentials,omitempty"`
	// Mounted are the SecretProviderClassPodStatuses of classes of provider azure.
	Mounted []Ref `json:"mounted,omitempty"`
	// Stale are those of Mounted whose pod is gone.
	Stale []Ref `json:"stale,omitempty"`
	// Secrets are the names of all Secrets that exist or that an object of the folder makes, by namespace, sorted: what new
	// names must not take.
	Secrets map[string][]string `json:"secrets,omitempty"`
	// ServiceAccounts are those that exist, by namespace, sorted.
	ServiceAccounts map[string][]string `json:"serviceAccounts,omitempty"`
	// Existing are the objects of our kinds (SecretSync, AKVSync) and classes that exist, by which a second run knows the first.
	Existing  []Object  `json:"existing,omitempty"`
	Installed Installed `json:"installed"`
	Findings  []Finding `json:"findings,omitempty"`
	// Decisions are what stage inventory asks, with the answers that were given. NewReport adds them to those of the plan.
	Decisions []Decision `json:"decisions,omitempty"`
}

// ClassRefs are the classes, sorted.
func (s Survey) ClassRefs() []Ref {
	refs := make([]Ref, 0, len(s.Classes))
	for _, class := range s.Classes {
		refs = append(refs, class.Object.Ref)
	}
	return refs
}

// Class is a SecretProviderClass of provider azure.
type Class struct {
	Object Object `json:"object"`
	// Parameters are spec.parameters.
	Parameters map[string]string `json:"parameters"`
	// Params is what they mean; what could not be read is missing from it, and a finding says so.
	Params spcparams.Params `json:"-"`
	// Broken says that the parameters hold mistakes, so that nothing can be made of the class until they are mended.
	Broken bool `json:"broken,omitempty"`
	// SecretObjects are the Secrets that the driver makes of a mounted volume.
	SecretObjects []SecretObject `json:"secretObjects,omitempty"`
	// UsedBy are the workloads whose volumes name the class, sorted; where the operator wants a class that nobody mounts taken
	// over, the objects that read its Secrets.
	UsedBy []Ref `json:"usedBy,omitempty"`
	// Syncs are the names of the SecretSyncs that read the class, sorted: one that has some, and no UsedBy, is of the new way.
	Syncs []string `json:"syncs,omitempty"`
}

// SecretObject is an entry of spec.secretObjects.
type SecretObject struct {
	Name        string            `json:"name"`
	Type        string            `json:"type"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Data        []SecretKey       `json:"data"`
}

// SecretKey is a key of a SecretObject and the file of the volume that it is copied from.
type SecretKey struct {
	ObjectName string `json:"objectName"`
	Key        string `json:"key"`
}

// Workload is an object whose pods mount a class, or use a Secret that a class makes.
type Workload struct {
	Object Object `json:"object"`
	// PodSpec is the path of the pod's spec within the object: of a Deployment `spec`, `template`, `spec`; of a CronJob
	// `spec`, `jobTemplate`, `spec`, `template`, `spec`; of a pod `spec`.
	PodSpec Path `json:"podSpec"`
	// Volumes are the CSI volumes that name a class of provider azure.
	Volumes []Volume `json:"volumes,omitempty"`
	// Uses are the references to Secrets that a class makes.
	Uses []Use `json:"uses,omitempty"`
	// Pods counts the live pods that the object owns, itself if it is one.
	Pods int `json:"pods,omitempty"`
	// Manager is who deploys the object and would undo a change made in the cluster: `Helm`, `Argo CD`, `Flux`; empty if nobody.
	Manager string `json:"manager,omitempty"`
	// Unknown says that the kind is none of Kubernetes' own: the template was found by search.
	Unknown bool `json:"unknown,omitempty"`
	// Static says that the pod is a mirror of a file on a node.
	Static bool `json:"static,omitempty"`
	// Held says that nothing may be changed in the object: it is blocked, waits for a decision of stage inventory, or the
	// operator left it to somebody else. The survey's findings and decisions say why.
	Held bool `json:"held,omitempty"`
	// States are, of a JSON patch, the object as the patch finds it and then as each of its operations leaves it.
	States []Workload `json:"-"`
}

// Volume is a CSI volume of the driver.
type Volume struct {
	Name string `json:"name"`
	// Path is that of the volume within the object, ending with its index; of an ephemeral or a patched one the same.
	Path Path `json:"path"`
	// Class is the SecretProviderClass that it names, in the workload's namespace.
	Class string `json:"class"`
	// Credential is the name of its nodePublishSecretRef, empty if it has none.
	Credential string  `json:"credential,omitempty"`
	Mounts     []Mount `json:"mounts,omitempty"`
}

// Mount is where a container has a volume.
type Mount struct {
	// Container is its name, List the field that lists it: containers, initContainers or ephemeralContainers.
	Container string `json:"container"`
	List      string `json:"list"`
	// Path is that of the mount within the object, ending with its index.
	Path      Path   `json:"path"`
	MountPath string `json:"mountPath"`
	SubPath   string `json:"subPath,omitempty"`
}

// Use is a reference to a Secret.
type Use struct {
	// Secret is its name, in the namespace of the object that refers to it.
	Secret string `json:"secret"`
	// Namespace is the Secret's where it is another one's, empty otherwise.
	Namespace string `json:"namespace,omitempty"`
	// How is env, envFrom, volume, projected, imagePullSecrets, secrets (of a ServiceAccount), tls or certificateRefs.
	How string `json:"how"`
	// Key is the one key that is read, empty for all of them.
	Key string `json:"key,omitempty"`
	// Path is that of the reference within the object.
	Path Path `json:"path"`
}

// Reader is an object without pods that uses a Secret that a class makes: an Ingress, a Gateway, a ServiceAccount.
type Reader struct {
	Object Object `json:"object"`
	Uses   []Use  `json:"uses"`
}

// SyncedSecret is a Secret that the driver makes, or made, of a class.
type SyncedSecret struct {
	Ref Ref `json:"ref"`
	// Classes are the names of the classes that make it: more than one is a collision.
	Classes []string `json:"classes"`
	// Exists says that the Secret is there; Managed that it carries the driver's label. One that exists without it is foreign.
	Exists  bool `json:"exists,omitempty"`
	Managed bool `json:"managed,omitempty"`
	// Immutable is the Secret's own field.
	Immutable bool `json:"immutable,omitempty"`
	// Type is that of the Secret that exists.
	Type string `json:"type,omitempty"`
	// Owners are its owner references.
	Owners []Ref `json:"owners,omitempty"`
	// Digests maps each of its keys to a keyed digest of the value.
	Digests map[string]string `json:"digests,omitempty"`
}

// Credential is a Secret that holds a service principal's credentials.
type Credential struct {
	Ref Ref `json:"ref"`
	// ClientID is the principal's, empty where it could not be read.
	ClientID string `json:"clientID,omitempty"`
	Exists   bool   `json:"exists,omitempty"`
	// UsedBy are the workloads whose volumes name it.
	UsedBy []Ref `json:"usedBy"`
	// ReadBy are the objects that refer to it in another way, so that it must stay, and so must its principal.
	ReadBy []Ref `json:"readBy,omitempty"`
}

// Flavour is how the driver and its provider came onto the cluster.
type Flavour string

// The flavours.
const (
	// FlavourNone is a cluster, or a folder, that shows no driver.
	FlavourNone Flavour = ""
	// FlavourArc is the Arc extension microsoft.azurekeyvaultsecretsprovider.
	FlavourArc Flavour = "arc"
	// FlavourAKS is the add-on azure-keyvault-secrets-provider of AKS.
	FlavourAKS Flavour = "aks"
	// FlavourHelm is the chart csi-secrets-store-provider-azure.
	FlavourHelm Flavour = "helm"
	// FlavourManifests is plain YAML.
	FlavourManifests Flavour = "manifests"
)

// Installed is what runs on the cluster.
type Installed struct {
	Flavour Flavour `json:"flavour,omitempty"`
	// Namespace is the driver's; Extension the Arc extension's name, Release that of Helm.
	Namespace string `json:"namespace,omitempty"`
	Extension string `json:"extension,omitempty"`
	Release   string `json:"release,omitempty"`
	// DriverVersion and ProviderVersion are those of the images, as `v1.5.6`; empty if unknown.
	DriverVersion   string `json:"driverVersion,omitempty"`
	ProviderVersion string `json:"providerVersion,omitempty"`
	// Providers are other CSI providers on the same driver: aws, gcp, vault and such.
	Providers []string `json:"providers,omitempty"`
	// Settings are those that matter, by their names without prefix: rotation, rotationPollInterval, syncSecret.enabled,
	// filteredWatchSecret, linux.kubeletRootDir, writeCertAndKeyInSeparateFiles, HTTPS_PROXY and so on.
	Settings map[string]string `json:"settings,omitempty"`
	// CertManager names what manages certificates: `open source`, `extension`, or empty.
	CertManager string `json:"certManager,omitempty"`
	// SecretStore names who already makes Secrets of SecretSyncs: `secretstore`, `sse`, `secrets-store-sync-controller`, or empty.
	SecretStore string `json:"secretStore,omitempty"`
}
