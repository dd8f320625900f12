package model

import "strings"

// Answers to the decisions of stage inventory.
const (
	// AnswerEdit has the object changed like a Deployment.
	AnswerEdit = "edit"
	// AnswerLeave leaves the object as it is.
	AnswerLeave = "leave"
	// AnswerTranslate has a class taken over, although no workload mounts it.
	AnswerTranslate = "translate"
	// AnswerNoCredential stands for volumes without a nodePublishSecretRef, where a decision asks for one principal of several.
	AnswerNoCredential = "no-credential" //nolint:gosec // the absence of one
)

// DecisionID is the ID of a decision about an object: `<code>/<namespace>/<name>/<kind>`. Where more than one decision of a
// code may concern the object, more tells them apart.
func DecisionID(code Code, object Ref, more ...string) string {
	return strings.Join(append([]string{string(code), object.Namespace, object.Name, object.Kind}, more...), "/")
}
