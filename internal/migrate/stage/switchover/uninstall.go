package switchover

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/model/shell"
)

// Places of the steps of the uninstallation.
const (
	goGate = iota
	goSave
	goFind
	goRemove
	goCheck
)

// varExtension stands for the extension's name until it was looked up.
const varExtension = "AKV_SPE_EXTENSION_NAME"

// uninstall plans the end of the driver.
func (p *planner) uninstall() {
	installed, others := p.survey.Installed, p.others()
	if installed.Flavour == model.FlavourNone {
		if workloads, _ := p.mounting(); len(workloads) > 0 {
			p.tell(codeUnseen, "How the driver was installed was not seen, so that its removal is not planned.")
		}
		return
	}
	if driverRewrites(installed.DriverVersion) && !p.guide() {
		p.tell(codeRewrites, "The CSI driver is of version %s.", installed.DriverVersion)
	}
	switch {
	case len(others) > 0:
		p.tell(codeStays, "The CSI driver serves other providers too (%s).", strings.Join(others, ", "))
		p.gate()
		p.keepDriver(others)
	case p.outage():
		p.gate()
		p.saveDefinitions()
		p.remove()
		p.checkDefinitions()
	}
}

// first is where the uninstallation stands in the order of the strategy.
func (p *planner) first() int {
	if p.guide() {
		return model.OrderUninstallFirst
	}
	return model.OrderUninstallLast
}

// others are the other providers on the driver, or their classes where no provider was seen.
func (p *planner) others() []string {
	others := slices.Clone(p.survey.Installed.Providers)
	if len(others) == 0 {
		for _, ref := range p.survey.Others {
			others = append(others, ref.String())
		}
	}
	return others
}

// gate is what has to hold before the driver goes: without it the kubelet cannot unmount, and pods hang in Terminating.
func (p *planner) gate() {
	if p.guide() {
		return
	}
	var held []string
	for _, w := range p.survey.Workloads {
		if len(w.Volumes) > 0 && (w.Held || w.Static) {
			held = append(held, w.Object.String())
		}
	}
	if len(held) > 0 {
		p.tell(codeGate, "The driver has to stay until these have no volume of it any more: %s.", strings.Join(held, ", "))
	}
	c := step(p.first()+goGate, model.Check, "gate")
	c.Command = []string{
		"kubectl", "get", "pods", "--all-namespaces", "--output", `jsonpath={range .items[*]}{.metadata.namespace}{"/"}` +
			`{.metadata.name}{" "}{.spec.volumes[*].csi.volumeAttributes.secretProviderClass}{"\n"}{end}`,
	}
	c.Gate = &model.Gate{Kind: model.GateUnmounted, Objects: p.survey.ClassRefs()}
	c.Summary = "No pod has a volume of a class of Azure Key Vault any more: in the list no pod is followed by the name of one."
	c.Risk = "A pod that has one when the driver goes cannot be unmounted: it hangs in Terminating until the driver is back."
	c.Undo = "Nothing is changed by looking."
	p.add(c)
}

// saveDefinitions saves the definitions: whether they go with the driver depends on how they came.
func (p *planner) saveDefinitions() {
	p.tell(codeDefinitions, "The definitions %s and %s are saved before the driver goes.", classesCRD, statusesCRD)
	c := step(p.first()+goSave, model.Check, "definitions-saved")
	c.Command = []string{"kubectl", "get", "crd", classesCRD, statusesCRD, "--output", "yaml"}
	c.Gate = &model.Gate{Kind: model.GateDefinitionsSaved, Objects: []model.Ref{definition(statusesCRD), definition(classesCRD)}}
	c.Summary = "The definitions of the driver's kinds are saved to a file, and the classes in akv-spe-spc-backup.yaml are " +
		"those of now. An " +
		"annotation meta.helm.sh/release-name in the definitions says that a Helm release made them."
	c.Undo = "Nothing is changed by reading."
	p.add(c)
}

// remove is the uninstallation itself.
func (p *planner) remove() {
	c := step(p.first()+goRemove, model.Run, "uninstall")
	c.Needs = []string{"switchover/check/definitions-saved"}
	if !p.guide() {
		c.Needs = append(c.Needs, "switchover/check/gate")
	}
	c.Risk = "Pods that have a volume of the driver cannot start from here on, and may hang when they end."
	installed := p.survey.Installed
	switch installed.Flavour {
	case model.FlavourArc:
		p.removeExtension(c)
	case model.FlavourAKS:
		addon := []string{"--addons", "azure-keyvault-secrets-provider", "--name", p.cluster(), "--resource-group", p.group()}
		c.Command = append([]string{"az", "aks", "disable-addons"}, addon...)
		c.Summary = "Disable the add-on of AKS that is the CSI driver and its Azure provider."
		c.Undo = strings.Join(append([]string{"az", "aks", "enable-addons"}, addon...), " ") +
			"; rotation, if it was on, by --enable-secret-rotation"
		p.azure(c)
	case model.FlavourHelm:
		release, namespace := cmp.Or(installed.Release, "${HELM_RELEASE}"), cmp.Or(installed.Namespace, "${HELM_NAMESPACE}")
		c.Command = []string{"helm", "uninstall", release, "--namespace", namespace, "--keep-history"}
		c.Summary = "Uninstall the release of the CSI driver and its Azure provider; its history is kept, so that it can be put back."
		c.Undo = "helm rollback " + release + " --namespace " + namespace
		p.add(c)
	default:
		c.Verb, c.ID = model.Check, "switchover/check/uninstall"
		c.Command = []string{"kubectl", "get", "daemonsets", "--all-namespaces"}
		c.Summary = "The DaemonSets of the CSI driver and of its Azure provider are deleted, with their roles and the CSIDriver " +
			model.Driver + ", but not their definitions."
		c.Undo = "Apply the manifests that they were installed from."
		c.ByHand = "They were installed by manifests, which only their owner knows: kubectl delete -f with those, without the " +
			"definitions."
		p.add(c)
	}
}

// removeExtension removes Arc's extension.
func (p *planner) removeExtension(c model.Change) {
	name := p.survey.Installed.Extension
	if name == "" {
		name = "${" + varExtension + "}"
		find := step(p.first()+goFind, model.Run, "extension-name")
		find.Command = p.extension("list", "--query", "[?extensionType=='"+extensionProvider+"'].name | [0]", "--output", "tsv")
		find.Sets, find.Summary, find.Undo = varExtension, "Find the extension's name.", "Nothing is changed by reading."
		p.azure(find)
	}
	c.Command = p.extension("delete", "--name", name, "--yes")
	c.Summary = "Uninstall the Azure Key Vault Secrets Provider extension. The Secrets with credentials stay until clean-up."
	again := p.extension("create", "--name", name, "--extension-type", "Microsoft.AzureKeyVaultSecretsProvider")
	if was, whole := p.settings(); was == nil {
		c.Undo = shell.Command(again) + " (with the settings of akv-spe-extension-config.json)"
	} else {
		again = append(again, was...)
		c.Undo = shell.Command(again)
		if whole {
			c.Back = again
		}
	}
	c.Undo += "; then restore the classes that were edited"
	p.azure(c)
}

// settingsFlag is what the settings of an extension stand behind.
const settingsFlag = "--configuration-settings"

// settings are the words that bring the extension back as it was, nil where Azure was not read; whole says that none is missing.
func (p *planner) settings() (words []string, whole bool) {
	if p.survey.Azure == nil || p.survey.Azure.Arc == "" {
		return nil, false
	}
	words, whole = []string{}, true
	for _, e := range p.survey.Azure.Extensions {
		if !strings.EqualFold(e.Type, extensionProvider) {
			continue
		}
		if e.Namespace != "" {
			words = append(words, "--release-namespace", e.Namespace)
		}
		var pairs []string
		for name, value := range e.Settings {
			if strings.Contains(value, "@") { // a proxy's address with a password in it
				whole = false
				continue
			}
			pairs = append(pairs, name+"="+value)
		}
		slices.Sort(pairs)
		if len(pairs) > 0 {
			words = append(append(words, settingsFlag), pairs...)
		}
	}
	return words, whole
}

// keepDriver leaves the driver where other providers need it.
func (p *planner) keepDriver(others []string) {
	c := step(p.first()+goRemove, model.Check, "provider")
	c.Command = []string{"kubectl", "get", "daemonsets", "--all-namespaces"}
	c.Summary = "Only the Azure provider goes; the CSI driver stays, since it serves " + strings.Join(others, ", ") + "."
	c.Risk = "Whatever removes the driver as well stops the pods of the other providers."
	c.Undo = "Install the Azure provider again as it was."
	c.ByHand = "What brought both cannot take away one of them: whoever looks after the other providers decides when."
	c.Manual = map[model.Flavour]string{
		model.FlavourArc: "The extension brings driver and provider together. It does no harm where it is. To be rid of it, " +
			"install the\n" +
			"driver by its own chart (secrets-store-csi-driver) in the same window in which the extension is deleted; pods of the\n" +
			"other providers cannot start in between.\n",
		model.FlavourAKS: "The add-on brings driver and provider together. It does no harm where it is. To be rid of it, " +
			"install the\n" +
			"driver by its own chart (secrets-store-csi-driver) in the same window in which the add-on is disabled.\n",
		model.FlavourHelm: "If the provider has a release of its own: helm uninstall that release. If it brought the driver " +
			"as a sub-chart,\n" +
			"leave it, or install the driver by its own chart in the same window.\n",
		model.FlavourManifests: "Delete the DaemonSet of the Azure provider, its service account and roles; nothing else.\n",
	}[p.survey.Installed.Flavour]
	p.add(c)
}

// checkDefinitions looks for the definitions afterwards: with them go all classes, new and old.
func (p *planner) checkDefinitions() {
	c := step(p.first()+goCheck, model.Check, "definitions")
	c.Command = []string{"kubectl", "get", "crd", classesCRD}
	c.Gate = &model.Gate{Kind: model.GateDefinitions, Objects: []model.Ref{definition(classesCRD)}}
	c.Summary = "The definition of SecretProviderClass is still there, and so are the classes. Otherwise apply the saved " +
		"definitions and " +
		"the saved classes at once."
	c.Risk = "Without its class a SecretSync cannot renew its Secret (which stays as it is meanwhile)."
	c.Undo = "Nothing is changed by looking."
	p.add(c)
}
