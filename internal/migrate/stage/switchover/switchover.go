// Package switchover plans how the old driver goes and the new controller comes: under Guide the one before the other, with an
// outage that the operator has to accept; under ZeroDowntime the new one first, and the old one last, behind a gate.
//
// Promises: nothing is uninstalled while the plan knows a pod that would hang without it, or another provider that needs the
// driver; the definitions of the driver's kinds are saved before and looked for after; and credentials stay where they are until
// clean-up, so that the way back is short.
//
// It is pure.
package switchover

import (
	"cmp"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
)

// This stage's findings.
const (
	codeOutage      model.Code = "M301" // decision: answerAccept or answerStop
	codeStopped     model.Code = "M302"
	codeGate        model.Code = "M303"
	codeStays       model.Code = "M304"
	codeUnseen      model.Code = "M305"
	codeNeighbour   model.Code = "M306"
	codeRefused     model.Code = "M307"
	codeSideBySide  model.Code = "M308"
	codeRewrites    model.Code = "M309"
	codeDefinitions model.Code = "M310"
	codeIoT         model.Code = "M311"
)

// Microsoft's names.
const (
	extensionProvider = "microsoft.azurekeyvaultsecretsprovider"
	extensionStore    = "microsoft.azure.secretstore"
	classesCRD        = "secretproviderclasses.secrets-store.csi.x-k8s.io"
	statusesCRD       = "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io"
)

// The answers to the question of the outage.
const (
	answerAccept = "accept"
	answerStop   = "stop"
)

// Plan says how the driver goes and the controller comes. A cluster without classes needs neither.
func Plan(s model.Survey, o model.Options) model.Plan {
	p := &planner{survey: s, options: o}
	if len(s.Classes) > 0 {
		p.install()
		p.uninstall()
	}
	p.plan.Changes = model.SortChanges(p.plan.Changes)
	p.plan.Findings = model.SortFindings(p.plan.Findings)
	return p.plan
}

// A planner collects the plan.
type planner struct {
	survey  model.Survey
	options model.Options
	plan    model.Plan
}

func (p *planner) guide() bool { return p.options.Strategy == model.Guide }

// tell adds a finding about the cluster.
func (p *planner) tell(code model.Code, message string, args ...any) {
	p.plan.Findings = append(p.plan.Findings, model.Find(code, model.Object{}, "", message, args...))
}

// step begins a step.
func step(order int, verb model.Verb, what string) model.Change {
	return model.Change{
		ID:    strings.Join([]string{string(model.Switchover), string(verb), what}, "/"),
		Stage: model.Switchover, Order: order, Verb: verb,
	}
}

func (p *planner) add(c model.Change) { p.plan.Changes = append(p.plan.Changes, c) }

// azure finishes a step that is done in Azure.
func (p *planner) azure(c model.Change) {
	if p.options.NoAzure && c.ByHand == "" {
		c.ByHand = model.LeftToOthers
	}
	p.add(c)
}

func (p *planner) group() string   { return cmp.Or(p.options.Azure.ResourceGroup, "${RESOURCE_GROUP}") }
func (p *planner) cluster() string { return cmp.Or(p.options.Azure.Cluster, "${CLUSTER_NAME}") }

// extension is a command about an extension of the cluster.
func (p *planner) extension(verb string, more ...string) []string {
	return append([]string{
		"az", "k8s-extension", verb, "--cluster-type", "connectedClusters", "--cluster-name", p.cluster(),
		"--resource-group", p.group(),
	}, more...)
}

// mounting are the workloads that still have a volume of the driver, and how many pods they have.
func (p *planner) mounting() (workloads []model.Workload, pods int) {
	for _, w := range p.survey.Workloads {
		if len(w.Volumes) > 0 {
			workloads = append(workloads, w)
			pods += w.Pods
		}
	}
	return workloads, pods
}

// definition refers to a definition of a kind.
func definition(name string) model.Ref {
	return model.Ref{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition", Name: name}
}

// outage asks, under Guide, for consent to the outage. It is false where that is refused.
func (p *planner) outage() bool {
	workloads, pods := p.mounting()
	if !p.guide() || len(workloads) == 0 {
		return true
	}
	namespaces := map[string]bool{}
	for _, w := range workloads {
		namespaces[w.Object.Namespace] = true
	}
	size := model.Counted(len(workloads), "workload") + " in " + model.Counted(len(namespaces), "namespace")
	if !p.survey.Input.IsFolder() {
		size += ", with " + model.Counted(pods, "pod") + " now"
	}
	d := model.Decision{
		ID: string(codeOutage) + "/outage", Code: codeOutage, Required: true, Proposal: answerStop,
		Question: "From the uninstallation until a workload is updated its pods cannot start. That concerns " + size + ". Is " +
			"that accepted?",
		Options: []model.Option{
			{Answer: answerAccept, Means: "There is a window for it: the driver is uninstalled before workloads are changed."},
			{Answer: answerStop, Means: "The driver is not uninstalled. With --strategy=zero-downtime no outage is needed."},
		},
	}
	open := model.Find(codeOutage, model.Object{}, "", "Pods that start between uninstallation and update will hang: %s.", size)
	answer, decided := p.plan.Ask(p.options, d, open)
	if decided && answer != answerAccept {
		p.tell(codeStopped, "The answer to %s is %q: the driver is not uninstalled.", d.ID, answer)
		return false
	}
	return true
}

// driverRewrites tells whether the driver is of version 1.6.0 or later.
func driverRewrites(version string) bool {
	numbers := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(numbers) < 2 {
		return false
	}
	major, err := strconv.Atoi(numbers[0])
	minor, err2 := strconv.Atoi(numbers[1])
	return err == nil && err2 == nil && (major > 1 || major == 1 && minor >= 6)
}
