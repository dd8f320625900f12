package prepare

import (
	"fmt"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
)

// This stage's findings.
const (
	codeTrial      model.Code = "M201"
	codeEtcd       model.Code = "M202" // decision: answerAccept or answerStop
	codeStopped    model.Code = "M203"
	codeOldCluster model.Code = "M204"
	codeNoPolicies model.Code = "M205"
	codeIssuer     model.Code = "M206"
	codeIssuerSeen model.Code = "M207"
	codeIssuerOff  model.Code = "M208"
	codeClientID   model.Code = "M210" // decision: answerKeep or answerNew
	codeTenant     model.Code = "M211" // decision: a client ID or model.AnswerLeave
	codeCloud      model.Code = "M212" // decision: a client ID or model.AnswerLeave
	codeLeft       model.Code = "M213"
	codeShards     model.Code = "M214"
	codePolicies   model.Code = "M220"
	codeVaultRead  model.Code = "M221"
	codeVaultGone  model.Code = "M222"
	codeScope      model.Code = "M223" // decision: answerVault or answerSecret
	codeCerts      model.Code = "M230"
)

// The answers to the question whether values may lie in etcd.
const (
	answerAccept = "accept"
	answerStop   = "stop"
)

// The versions of Kubernetes, as minors of 1, that matter.
const (
	minorFederation = 27
	minorPolicies   = 30
)

func clusterObject() model.Object { return model.Object{} }

// consent urges a trial and asks, before anything, whether values may lie in etcd. It is false where they may not.
func (p *planner) consent() bool {
	if len(p.survey.Classes) == 0 {
		return true
	}
	p.tell(codeTrial, clusterObject(), "Try the whole way on a cluster that is not production first.")
	question := fmt.Sprintf("The values of %s will lie in Secrets, in the cluster's etcd. Is that acceptable?",
		model.Counted(p.inUse(), "class"))
	d := model.Decision{
		ID: string(codeEtcd) + "/etcd", Code: codeEtcd, Question: question, Required: true, Proposal: answerAccept,
		Options: []model.Option{
			{Answer: answerAccept, Means: "RBAC on Secrets, the audit log and the encryption of etcd were looked at and are good enough."},
			{Answer: answerStop, Means: "Values must not lie in etcd: nothing is prepared, and the CSI driver stays."},
		},
	}
	answer, decided := p.plan.Ask(p.options, d, model.Find(codeEtcd, clusterObject(), "", "%s", question))
	if decided && answer != answerAccept {
		p.tell(codeStopped, clusterObject(), "The answer to %s is %q: nothing is prepared.", d.ID, answer)
		return false
	}
	p.addConsent()
	return true
}

// inUse counts the classes that workloads mount.
func (p *planner) inUse() int {
	n := 0
	for _, c := range p.survey.Classes {
		if len(c.UsedBy) > 0 {
			n++
		}
	}
	return n
}

// addConsent is the gate that the answer opens, with what can be looked at before.
func (p *planner) addConsent() {
	if p.allProven() {
		return
	}
	c := p.step(orderConsent, model.Check, "etcd")
	c.Command = []string{"kubectl", "auth", "can-i", "get", "secrets", "--all-namespaces", "--as", "system:anonymous"}
	c.Gate = &model.Gate{Kind: model.GateConsent, Decision: string(codeEtcd) + "/etcd", Answers: []string{answerAccept}}
	c.Summary = "The operator accepts that values lie in etcd, before anything is changed: who may read Secrets (the answer here " +
		"must be no), whether the audit log keeps their contents, whether etcd is encrypted at rest."
	c.Needs = []string{"the decision " + string(codeEtcd) + "/etcd is answered " + answerAccept}
	c.Risk = "Whoever may read Secrets of a namespace, or a backup of etcd without encryption, reads the values."
	c.Undo = "Nothing is changed by looking."
	p.add(c)
}

// allProven tells whether nothing is left to prepare: every class in use that can be served is served.
func (p *planner) allProven() bool {
	for _, c := range p.survey.Classes {
		made, found := p.successorOf(c)
		if len(c.UsedBy) > 0 && !c.Broken && !c.Object.Partial && (!found || !made.proven) {
			return false
		}
	}
	return true
}

// version judges the cluster's version, where it is known.
func (p *planner) version() {
	minor, known := minorOf(p.survey.Input.Version)
	switch {
	case !known:
	case minor < minorFederation:
		p.tell(codeOldCluster, clusterObject(), "The cluster runs Kubernetes %s; 1.%d is the least that will do.",
			p.survey.Input.Version, minorFederation)
	case minor < minorPolicies && p.options.Target != model.TargetSSE:
		p.tell(codeNoPolicies, clusterObject(), "The cluster runs Kubernetes %s, without validating admission policies: the chart "+
			"has to be told its namespaces.", p.survey.Input.Version)
	}
}

// minorOf is the minor of a version 1.x; any later major is later than all that matters.
func minorOf(version string) (int, bool) {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return 0, false
	}
	major, err := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(strings.TrimRight(parts[1], "+"))
	if err != nil || err2 != nil {
		return 0, false
	}
	return minor + (major-1)*1000, true
}
