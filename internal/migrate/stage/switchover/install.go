package switchover

import (
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/migrate/model"
)

// Who makes Secrets of SecretSyncs, as the survey names them.
const (
	storeOurs = "secretstore"
	storeSSE  = "sse"
)

// Places of the steps of the installation.
const (
	installNeighbour = iota
	installIt
	installCheck
)

// install plans the new controller.
func (p *planner) install() {
	there := p.survey.Installed.SecretStore
	if p.options.Target == model.TargetSSE {
		p.installSSE(there)
		return
	}
	if there == storeOurs {
		return
	}
	if there != "" {
		p.stopNeighbour(there)
	}
	c := step(model.OrderInstall+installIt, model.Run, storeOurs)
	c.Command = append([]string{
		"helm", "upgrade", "--install", "secretstore", "charts/secretstore", "--namespace", "secretstore-system", "--create-namespace",
		"--set", "image.repository=${SECRETSTORE_IMAGE_REPOSITORY}", "--set", "image.digest=${SECRETSTORE_IMAGE_DIGEST}",
	}, p.namespaces()...)
	c.Summary = "Install secretstore; it leaves the CSI driver and its classes alone, and does nothing until there are SecretSyncs."
	c.Needs = []string{"an image in a registry that the cluster reaches", "the rights of a cluster administrator, once"}
	c.Undo = "helm uninstall secretstore --namespace secretstore-system (definitions and Secrets stay)"
	p.add(c)
	check := step(model.OrderInstall+installCheck, model.Check, storeOurs)
	check.Command = []string{
		"kubectl", "rollout", "status", "deployment/secretstore-controller", "--namespace", "secretstore-system", "--timeout", "5m",
	}
	check.Gate = &model.Gate{Kind: model.GateRollout, Objects: []model.Ref{{
		APIVersion: "apps/v1", Kind: "Deployment", Namespace: "secretstore-system", Name: "secretstore-controller",
	}}}
	check.Summary, check.Needs, check.Undo = "The controller runs.", []string{c.ID}, "Nothing is changed by looking."
	p.add(check)
}

// namespaces are the chart's, where it has to be told them: before Kubernetes 1.30 there are no admission policies.
func (p *planner) namespaces() []string {
	if !beforePolicies(p.survey.Input.Version) {
		return nil
	}
	var namespaces []string
	for _, c := range p.survey.Classes {
		if len(c.UsedBy) > 0 && c.Object.Namespace != "" {
			namespaces = append(namespaces, c.Object.Namespace)
		}
	}
	slices.Sort(namespaces)
	return []string{"--set", "namespaces={" + strings.Join(slices.Compact(namespaces), ",") + "}"}
}

// beforePolicies tells a version of Kubernetes before 1.30; one that is not known is not.
func beforePolicies(version string) bool {
	rest, found := strings.CutPrefix(version, "v1.")
	text, _, _ := strings.Cut(rest, ".")
	minor, err := strconv.Atoi(strings.TrimRight(text, "+"))
	return found && err == nil && minor < 30
}

// stopNeighbour is the gate before ours comes beside another controller of the same resources.
func (p *planner) stopNeighbour(there string) {
	p.tell(codeNeighbour, "%s makes Secrets of SecretSyncs on this cluster already.", there)
	c := step(model.OrderInstall+installNeighbour, model.Check, "neighbour")
	c.Command = []string{"kubectl", "get", "deployments", "--all-namespaces"}
	c.Summary = "The other controller (" + there + ") is scaled down, and stays so: both would write the same Secrets. " +
		"docs/guide/adopt.md says how what it made is taken over."
	c.Risk = "Two controllers that write one Secret take its keys from each other."
	c.Undo = "Scale secretstore down and the other controller up."
	c.ByHand = "Whoever installed the other controller stops it."
	p.add(c)
}

// installSSE plans Microsoft's extension.
func (p *planner) installSSE(there string) {
	switch {
	case there == storeSSE:
		return
	case there != "":
		p.tell(codeRefused, "%s is installed; Microsoft's extension does not run beside it.", there)
		return
	case !p.guide():
		p.tell(codeSideBySide, "Microsoft's extension is not supported beside the CSI driver's.")
		return
	}
	c := step(model.OrderInstall+installIt, model.Run, storeSSE)
	c.Command = p.extension("create", "--extension-type", extensionStore, "--name", "ssarcextension", "--scope", "cluster")
	if p.hasIoT() {
		p.tell(codeIoT, "Azure IoT Operations is on this cluster.")
		c.Command = append(c.Command, "--configuration-settings", "validatingAdmissionPolicies.applyPolicies=false")
	}
	c.Summary = "Install Microsoft's Secret Store extension for the whole cluster. (On a cluster with Azure IoT Operations " +
		"with the " +
		"setting validatingAdmissionPolicies.applyPolicies=false.)"
	c.Needs = []string{"cert-manager for Arc-enabled Kubernetes runs", "the extension k8s-extension of the Azure CLI"}
	c.Undo = strings.Join(p.extension("delete", "--name", "ssarcextension", "--yes"), " ") + " (definitions and Secrets stay)"
	p.azure(c)
	check := step(model.OrderInstall+installCheck, model.Check, storeSSE)
	check.Command = []string{
		"kubectl", "wait", "pods", "--all", "--namespace", "azure-secret-store", "--for", "condition=Ready", "--timeout", "5m",
	}
	check.Summary, check.Needs, check.Undo = "The extension runs.", []string{c.ID}, "Nothing is changed by looking."
	p.add(check)
}

// hasIoT tells whether Azure IoT Operations was seen.
func (p *planner) hasIoT() bool {
	return p.survey.Azure != nil && slices.ContainsFunc(p.survey.Azure.Extensions, func(e model.Extension) bool {
		return strings.HasPrefix(strings.ToLower(e.Type), "microsoft.iotoperations")
	})
}
