// Package kube does the two things that the controller asks of a cluster beside watching its own kinds: it writes
// Secrets, and it requests tokens of service accounts.
//
// On Secrets it uses the verbs create and patch only. What a Secret holds is learnt from the answer to a patch that
// changes nothing, sent as a dry run: under the admission policies that ship with the controller the API server answers
// it for Secrets that a SecretSync owns and refuses it for all others, so that no right to read Secrets is needed. The
// same rule is checked here once more, for clusters without those policies.
package kube

// FieldManager is the field manager of all that the controller applies. It is the one that the public controller and
// Microsoft's extension use, so that a data key that they wrote is not left with two managers, which would keep it for ever;
// what older versions applied under another name is taken over when the Secret is first written.
const FieldManager = "secrets-store-sync-controller"
