package model

// Strategy is the order in which a cluster is taken over.
type Strategy string

// The strategies.
const (
	// ZeroDowntime puts the new way beside the old one, proves it equal, and takes the old one away last. It is the default.
	ZeroDowntime Strategy = "zero-downtime"
	// Guide is the order of Microsoft's guide: uninstall, install, translate, update; an outage for every pod that starts meanwhile.
	Guide Strategy = "guide"
)

// Target is the system that is migrated to.
type Target string

// The targets.
const (
	// TargetSecretStore is this project's controller, the default.
	TargetSecretStore Target = "secretstore"
	// TargetSSE is Microsoft's Azure Key Vault Secret Store extension.
	TargetSSE Target = "sse"
)

// Style is the kind of resources that are made.
type Style string

// The styles.
const (
	// StyleDirect makes a SecretProviderClass and a SecretSync for each Secret, the default.
	StyleDirect Style = "direct"
	// StyleAKVSync makes AKVSyncs where one can express the same keys, and falls back on StyleDirect elsewhere.
	StyleAKVSync Style = "akvsync"
)

// Roles is how much of a vault the new identity may read.
type Roles string

// The choices of roles.
const (
	// RolesLeast gives what the objects need, the default.
	RolesLeast Roles = "least"
	// RolesGuide gives Key Vault Reader and Key Vault Secrets User, as Microsoft's guide does.
	RolesGuide Roles = "guide"
)

// Options are the operator's choices for a whole migration.
type Options struct {
	Strategy Strategy `json:"strategy"`
	Target   Target   `json:"target"`
	Style    Style    `json:"style"`
	Roles    Roles    `json:"roles"`
	// Azure is where things are in Azure. Empty members are printed as the variables of Microsoft's guide, `${RESOURCE_GROUP}`.
	Azure AzureInputs `json:"azure"`
	// Decisions are the answers of plan.yaml by the IDs of decisions. One that is missing is open.
	Decisions map[string]string `json:"-"`
	// NoAzure leaves Azure to somebody else: its steps are printed, marked as theirs.
	NoAzure bool `json:"noAzure,omitempty"`
	// ForceLive plans changes in the cluster for objects that Helm, Argo CD or Flux deploy.
	ForceLive bool `json:"forceLive,omitempty"`
}

// AzureInputs are what the guide has the operator export, in the same meaning.
type AzureInputs struct {
	Subscription  string `json:"subscription,omitempty"`  // SUBSCRIPTION
	ResourceGroup string `json:"resourceGroup,omitempty"` // RESOURCE_GROUP
	Cluster       string `json:"cluster,omitempty"`       // CLUSTER_NAME
	Location      string `json:"location,omitempty"`      // LOCATION
	Tenant        string `json:"tenant,omitempty"`        // AZURE_TENANT_ID
	// Identity is the managed identity's name (USER_ASSIGNED_IDENTITY_NAME); shards after the first are called `<name>-2` and so on.
	Identity string `json:"identity,omitempty"`
	// ServiceAccount is the name of the service account made in each namespace (SERVICE_ACCOUNT_NAME).
	ServiceAccount string `json:"serviceAccount,omitempty"`
}

// Places of steps in Change.Order. A stage counts up from its own; between two stages everything that came before is done.
const (
	OrderPrepare = 200
	// OrderUninstallFirst is the old extension's removal under Guide.
	OrderUninstallFirst = 300
	OrderInstall        = 400
	OrderTranslate      = 500
	OrderWorkloads      = 600
	// OrderHandOver is where the Secrets that the driver made become SecretSyncs' own, under ZeroDowntime.
	OrderHandOver = 700
	// OrderUninstallLast is the old extension's removal under ZeroDowntime.
	OrderUninstallLast = 800
	OrderVerify        = 900
	OrderCleanup       = 1000
)
