package model

// GateKind says what has to hold before a migration goes on.
type GateKind string

// The kinds of gates.
const (
	// GateConsent: the decision Gate.Decision is answered with one of Gate.Answers.
	GateConsent GateKind = "consent"
	// GateIssuer: the cluster's discovery document names the issuer Gate.Issuer, to the last character.
	GateIssuer GateKind = "issuer"
	// GateToken: a token as Change.Token has it is of the issuer Gate.Issuer, signed by RS256, for one audience and one subject, and
	// valid for no longer than 24 hours.
	GateToken GateKind = "token"
	// GateExchange: Entra takes a token as Change.Token has it, for one of the identity with the client ID Gate.Client in
	// Gate.Tenant.
	GateExchange GateKind = "exchange"
	// GateRollout: the workloads Gate.Objects have carried out what their specs say, and are ready.
	GateRollout GateKind = "rollout"
	// GateSynced: the SecretSyncs and AKVSyncs Gate.Objects are healthy by Microsoft's measure, their Secrets are there, and the
	// Secrets of Gate.Same hold the same bytes.
	GateSynced GateKind = "synced"
	// GateEqual: the Secrets of Gate.Same hold the same bytes, and no pod mounts one of the classes Gate.Objects.
	GateEqual GateKind = "equal"
	// GateUnmounted: no pod that may still run has a volume of one of the classes Gate.Objects.
	GateUnmounted GateKind = "unmounted"
	// GateValues: what the vault gives for the SecretSyncs and AKVSyncs Gate.Objects is what their Secrets hold, and the Secrets of
	// Gate.Same hold the same bytes as far as they are there.
	GateValues GateKind = "values"
	// GateOwned: the Secrets Gate.Objects are there.
	GateOwned GateKind = "owned"
	// GateUnreferenced: no pod template and no pod has a volume of one of the classes Gate.Objects.
	GateUnreferenced GateKind = "unreferenced"
	// GateAccess tells who may read Secrets in the namespaces of Gate.Objects; it always opens.
	GateAccess GateKind = "access"
	// GateDefinitionsSaved: the definitions Gate.Objects are saved in the state folder.
	GateDefinitionsSaved GateKind = "definitions-saved"
	// GateDefinitions: the definitions Gate.Objects are there.
	GateDefinitions GateKind = "definitions"
)

// Gate is what a Check looks at, in a form that a program looks at by itself. A Check without one is for a person.
type Gate struct {
	Kind GateKind `json:"kind"`
	// Objects are what is looked at; what they are depends on Kind. They are sorted.
	Objects []Ref `json:"objects,omitempty"`
	// Same are pairs of Secrets.
	Same []Pair `json:"same,omitempty"`
	// Decision and Answers are of GateConsent.
	Decision string   `json:"decision,omitempty"`
	Answers  []string `json:"answers,omitempty"`
	// Issuer is an issuer's URL, or the variable that stands for it.
	Issuer string `json:"issuer,omitempty"`
	// Client and Tenant are an identity's, or the variables that stand for them.
	Client string `json:"client,omitempty"`
	Tenant string `json:"tenant,omitempty"`
}

// Pair is two Secrets of one namespace that have to hold the same bytes.
type Pair struct {
	Namespace string `json:"namespace"`
	Old       string `json:"old"`
	New       string `json:"new"`
	// Keys maps keys of Old onto those of New where they differ.
	Keys map[string]string `json:"keys,omitempty"`
}
