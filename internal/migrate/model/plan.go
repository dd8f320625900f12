package model

import "slices"

// StageName names one of the six stages.
type StageName string

// The stages, in the order of Microsoft's guide. Under ZeroDowntime switch-over's uninstallation comes after workloads.
const (
	Inventory  StageName = "inventory"
	Prepare    StageName = "prepare"
	Switchover StageName = "switchover"
	Translate  StageName = "translate"
	Workloads  StageName = "workloads"
	Verify     StageName = "verify"
	Cleanup    StageName = "cleanup"
	Rollback   StageName = "rollback"
)

// Plan is what a stage, or all of them, would do.
type Plan struct {
	Changes   []Change   `json:"changes"`
	Decisions []Decision `json:"decisions"`
	Findings  []Finding  `json:"findings"`
}

// Join appends other to p.
func (p *Plan) Join(other Plan) {
	p.Changes = append(p.Changes, other.Changes...)
	p.Decisions = append(p.Decisions, other.Decisions...)
	p.Findings = append(p.Findings, other.Findings...)
}

// Verb is what a Change does.
type Verb string

// The verbs.
const (
	// Create makes an object that is not there; Content is the whole of it.
	Create Verb = "create"
	// Edit changes an object that is there by Edits.
	Edit Verb = "edit"
	// Delete removes an object.
	Delete Verb = "delete"
	// Run is a command of an operator's shell: Command.
	Run Verb = "run"
	// Check is a gate: what has to hold before the next step, said by Summary and looked at by Command, if there is one.
	Check Verb = "check"
)

// Change is one step.
type Change struct {
	// ID is stable over runs: `<stage>/<verb>/<what>`.
	ID    string    `json:"id"`
	Stage StageName `json:"stage"`
	// Order sorts steps within a strategy; steps of equal order do not depend on each other.
	Order int  `json:"order"`
	Verb  Verb `json:"verb"`
	// Object is what is changed; zero for a Run or Check that concerns no object.
	Object Ref `json:"object,omitzero"`
	// UID is that of the Secret or class that was read and is to be deleted: one that took its place since is not what was planned
	// for. Empty where nothing was read. It is of this run alone.
	UID string `json:"-"`
	// For is the object that was found and for whose sake the step is made, where that is not Object: the class of a SecretSync.
	For Ref `json:"for,omitzero"`
	// Place is where in a folder Object stands (Edit, Delete), or beside which object's document a new one is put (Create).
	Place   Place          `json:"place,omitzero"`
	Content map[string]any `json:"content,omitempty"`
	Edits   []FieldEdit    `json:"edits,omitempty"`
	// Command is what an operator would run, one word an element, ready for a shell once quoted. Words like ${CLUSTER_NAME}
	// are variables of the guide that the operator has to set.
	Command []string `json:"command,omitempty"`
	// Back is the command that takes Command back, in the same form, where one has to know for it what was there before: settings
	// of an extension that is deleted. Empty where there is none, or where it follows from Command.
	Back []string `json:"back,omitempty"`
	// Sets is the variable that the output of Command is to be kept in, for the steps that come after; empty for none.
	Sets string `json:"sets,omitempty"`
	// When says when the step is wanted at all: `NAME=value` or `NAME!=value` of a variable that an earlier step sets.
	// Empty is always.
	When string `json:"when,omitempty"`
	// Token is the token that Command needs in the variable [VariableToken], for it to be minted anew with each try.
	Token *Token `json:"token,omitempty"`
	// Gate is what a Check looks at; nil for one that only a person can look at. Of a Run that a person does it tells whether that
	// is done.
	Gate *Gate `json:"gate,omitempty"`
	// Manual is what a person has to do that no command does, in lines of text.
	Manual string `json:"manual,omitempty"`
	// Summary says in one line what is done and why.
	Summary string `json:"summary"`
	// Needs are the IDs of steps, or sentences about what else has to be there first.
	Needs []string `json:"needs,omitempty"`
	// Risk says what may go wrong, empty if nothing is at stake.
	Risk string `json:"risk,omitempty"`
	// Undo says how the step is taken back: commands or a sentence. Every step has one, if only that it cannot be undone.
	Undo string `json:"undo"`
	// ByHand says why somebody else has to do it: an object of Helm's, Azure left to others. Empty if the tool may.
	ByHand string `json:"byHand,omitempty"`
	// Irreversible marks steps that ask for a gate of their own.
	Irreversible bool `json:"irreversible,omitempty"`
}

// LeftToOthers is Change.ByHand of steps in Azure where Options.NoAzure leaves those to somebody else.
const LeftToOthers = "Azure is left to others (--no-azure): hand this to them."

// Token is a token of a service account, as `kubectl create token` mints it.
type Token struct {
	Namespace string `json:"namespace"`
	Account   string `json:"account"`
	Audience  string `json:"audience"`
}

// Op is an operation of a FieldEdit, with the meaning of RFC 6902.
type Op string

// The operations.
const (
	OpAdd     Op = "add"
	OpReplace Op = "replace"
	OpRemove  Op = "remove"
)

// FieldEdit changes one value within an object. The edits of a Change apply one after the other, as those of a JSON patch.
type FieldEdit struct {
	Op Op `json:"op"`
	// Path ends, for OpAdd into a list, with the index before which the value is put; the length of the list appends.
	Path  Path `json:"path"`
	Value any  `json:"value,omitempty"`
	// Was is what stands there now (OpReplace, OpRemove): a live object that holds something else is not changed.
	Was any `json:"was,omitempty"`
}

// Decision is a question that only the operator can answer.
type Decision struct {
	// ID is stable over runs: `<finding's code>/<namespace>/<name>` and what tells it from others of the object.
	ID     string `json:"id"`
	Code   Code   `json:"code"`
	Object Ref    `json:"object"`
	// Question is one sentence.
	Question string `json:"question"`
	// Options are the answers that are understood; where Free is set any other text is an answer as well (a name).
	Options []Option `json:"options"`
	Free    bool     `json:"free,omitempty"`
	// Proposal is what the tool would choose.
	Proposal string `json:"proposal"`
	// Required says that nothing is done about the object until the operator has decided. Otherwise Proposal counts until then.
	Required bool `json:"required,omitempty"`
	// Answer is the operator's, empty while it is open.
	Answer string `json:"answer,omitempty"`
}

// Option is one answer to a Decision.
type Option struct {
	Answer string `json:"answer"`
	// Means says in one sentence what happens then.
	Means string `json:"means"`
}

// Effective is the answer that counts, and whether there is one: the operator's, else the proposal unless Required.
func (d Decision) Effective() (string, bool) {
	if d.Answer != "" {
		return d.Answer, true
	}
	return d.Proposal, !d.Required
}

// Decide fills in the operator's answer. A stage calls it for each decision that it makes.
func (o Options) Decide(d Decision) Decision {
	d.Answer = o.Decisions[d.ID]
	return d
}

// Allows tells whether an answer is one that the decision understands.
func (d Decision) Allows(answer string) bool {
	return answer != "" && (d.Free || slices.ContainsFunc(d.Options, func(o Option) bool { return o.Answer == answer }))
}

// Identities is who reads the vaults after the migration, by namespace and what was asked for there. Stage prepare plans it,
// stage translate uses it.
type Identities struct {
	// Identities are the managed identities, shards of 20 credentials at most.
	Identities []Identity `json:"identities"`
	// Accounts are the service accounts, one for each namespace and identity.
	Accounts []Account `json:"accounts"`
	// Waiting are the classes that no account can be planned for until the operator decides.
	Waiting []Ref `json:"waiting,omitempty"`
}

// Identity is a user-assigned managed identity.
type Identity struct {
	// Key stands for the identity in Account.
	Key  string `json:"key"`
	Name string `json:"name"`
	// ClientID is its client ID, or the variable that stands for it until it exists: ${USER_ASSIGNED_CLIENT_ID}, for further
	// shards ${USER_ASSIGNED_CLIENT_ID_2} and so on.
	ClientID string `json:"clientID"`
	Tenant   string `json:"tenant"`
	// Vaults are those that it reads.
	Vaults []string `json:"vaults"`
}

// Account is a service account that an identity trusts by a federated credential.
type Account struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Identity is an Identity's Key; Credential the federated credential's name.
	Identity   string `json:"identity"`
	Credential string `json:"credential"`
	// Principal is the old principal whose place it takes: a client ID, or `` where volumes used a managed identity.
	Principal string `json:"principal,omitempty"`
	// Classes are the classes of the namespace that are read with it.
	Classes []string `json:"classes"`
}

// For returns the account and identity that a class is read with.
func (i Identities) For(namespace, class string) (Account, Identity, bool) {
	for _, account := range i.Accounts {
		if account.Namespace != namespace || !slices.Contains(account.Classes, class) {
			continue
		}
		for _, identity := range i.Identities {
			if identity.Key == account.Identity {
				return account, identity, true
			}
		}
	}
	return Account{}, Identity{}, false
}

// Translation is what becomes of a class. Stage translate makes it, stages workloads and verify use it.
type Translation struct {
	// Class is the class; NewClass the name of the one that is read instead, the same under Guide.
	Class    Ref    `json:"class"`
	NewClass string `json:"newClass"`
	// Ready says that all that the class needs is decided. Otherwise workloads must not be changed.
	Ready bool `json:"ready"`
	// Blocked says of a class that is not Ready that no decision makes it so.
	Blocked bool `json:"blocked,omitempty"`
	// Files are the files that a volume of the class holds, sorted by name, and where they are found instead.
	Files []File `json:"files,omitempty"`
	// Syncs maps the Secrets of secretObjects onto the SecretSyncs that make them afterwards.
	Syncs []Sync `json:"syncs,omitempty"`
}

// File is a file of a mounted volume.
type File struct {
	// Name is the path below the mount, as the old provider writes it.
	Name string `json:"name"`
	// Secret and Key are where the same bytes are after the migration.
	Secret string `json:"secret"`
	Key    string `json:"key"`
	// Mode is the file's mode as `items[].mode` takes it, nil for the volume's default.
	Mode *int32 `json:"mode,omitempty"`
}

// Sync is a Secret of the old way and the one that takes its place.
type Sync struct {
	// Old is the Secret's name, New that of its successor: the same, unless its type or a collision forbids it.
	Old string `json:"old"`
	New string `json:"new"`
	// Proof is the Secret that is made beforehand, to be compared with Old before the hand-over; empty under Guide.
	Proof string `json:"proof,omitempty"`
	// Keys maps old keys onto new ones where they differ.
	Keys map[string]string `json:"keys,omitempty"`
}

// Ask adds a decision to the plan, and the finding that asks for it as long as it is open and required. It returns the answer
// that counts, and whether there is one.
func (p *Plan) Ask(o Options, d Decision, open Finding) (string, bool) {
	d = o.Decide(d)
	p.Decisions = append(p.Decisions, d)
	answer, decided := d.Effective()
	if !decided {
		p.Findings = append(p.Findings, open)
	}
	return answer, decided
}
