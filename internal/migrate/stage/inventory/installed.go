package inventory

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// Types of Azure's cluster extensions, in lower case.
const (
	extensionProvider = "microsoft.azurekeyvaultsecretsprovider"
	extensionStore    = "microsoft.azure.secretstore"
	extensionCerts    = "microsoft.certmanagement"
)

// extensionLabel is the label that Arc's agents put on what an extension installs.
const extensionLabel = "clusterconfig.azure.com/extension-type"

// part is a DaemonSet of the driver or of a provider, and the container that does the work.
type part struct {
	object    model.Object
	container any
}

// readInstalled says what runs on the cluster.
func (t *taking) readInstalled() {
	var drivers, providers []part
	installed := &t.survey.Installed
	for _, set := range t.objects.of("apps", "DaemonSet") {
		switch role, container := roleOf(set); role {
		case roleDriver:
			drivers = append(drivers, part{set, container})
		case roleAzure:
			providers = append(providers, part{set, container})
		case roleOther:
			installed.Providers = appendOnce(installed.Providers, otherProvider(set, container))
		case roleNone:
		}
	}
	installed.Providers = appendOnce(installed.Providers, t.foreignProviders()...)
	slices.Sort(installed.Providers)
	installed.DriverVersion, installed.ProviderVersion = newest(drivers), newest(providers)
	t.readFlavour(slices.Concat(providers, drivers))
	t.readSettings(drivers, providers)
	t.readNeighbours()
	t.judgeInstalled(len(drivers) > 0)
}

// foreignProviders are the providers of the classes that are left alone.
func (t *taking) foreignProviders() []string {
	var found []string
	for _, object := range t.objects.of(spcGroup, "SecretProviderClass") {
		provider := text(object.Content, "spec", "provider")
		if provider != "" && provider != model.ProviderAzure {
			found = appendOnce(found, provider)
		}
	}
	return found
}

// role is what a DaemonSet is to the driver.
type role int

const (
	roleNone role = iota
	roleDriver
	roleAzure
	roleOther
)

// roleOf tells a DaemonSet's role by its images, which are copied to other registries but keep their names, or by the
// arguments that only the driver and the Azure provider have, or by the folder in which providers meet the driver.
func roleOf(set model.Object) (role, any) {
	spec := value(set.Content, "spec", "template", "spec")
	containers := list(spec, "containers")
	for _, container := range containers {
		image := repository(text(container, "image"))
		arguments := argumentsOf(container)
		_, driver := arguments["provider-volume"]
		switch {
		case strings.HasSuffix(image, "secrets-store/driver"), driver:
			return roleDriver, container
		case strings.HasSuffix(image, "secrets-store/provider-azure"), strings.HasSuffix(arguments["endpoint"], "/azure.sock"):
			return roleAzure, container
		}
	}
	meets := slices.ContainsFunc(list(spec, "volumes"), func(volume any) bool {
		return strings.Contains(text(volume, "hostPath", "path"), "secrets-store-csi-providers")
	})
	if meets && len(containers) > 0 {
		return roleOther, containers[0]
	}
	return roleNone, nil
}

// otherProvider is the short name of a provider: what its image calls itself (secrets-store-csi-driver-provider-aws,
// vault-csi-provider), else the DaemonSet's name.
func otherProvider(set model.Object, container any) string {
	for element := range strings.SplitSeq(repository(text(container, "image")), "/") {
		if _, name, found := strings.Cut(element, "provider-"); found && name != "" {
			return name
		}
		if name, found := strings.CutSuffix(element, "-csi-provider"); found && name != "" {
			return name
		}
	}
	return set.Name
}

// repository is an image without tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		image = image[:colon]
	}
	return image
}

// versionOf is the version that a part's image is tagged with, or that its labels name where the tag does not.
func versionOf(p part) string {
	image, _, _ := strings.Cut(text(p.container, "image"), "@")
	tag := strings.TrimPrefix(strings.TrimPrefix(image, repository(image)), ":")
	for _, v := range []string{tag, text(p.object.Content, "metadata", "labels", "app.kubernetes.io/version")} {
		if v = strings.TrimPrefix(v, "v"); v != "" && v[0] >= '0' && v[0] <= '9' {
			return "v" + v
		}
	}
	return ""
}

// newest is the version of the first part that tells one: parts for Linux and Windows are of one release.
func newest(parts []part) string {
	for _, p := range parts {
		if v := versionOf(p); v != "" {
			return v
		}
	}
	return ""
}

// readFlavour says how the driver and its provider were installed, by what ARM and Arc's agents say and by the marks on the
// DaemonSets, the provider's first.
func (t *taking) readFlavour(parts []part) {
	installed := &t.survey.Installed
	if extension, found := t.extension(extensionProvider); found {
		installed.Flavour, installed.Extension = model.FlavourArc, extension.Name
		installed.Namespace = cmp.Or(extension.Namespace, "kube-system")
	}
	for _, p := range parts {
		installed.Namespace = cmp.Or(installed.Namespace, p.object.Namespace)
		installed.Release = cmp.Or(installed.Release, text(p.object.Content, "metadata", "annotations", "meta.helm.sh/release-name"))
	}
	if installed.Flavour != model.FlavourNone || len(parts) == 0 {
		return
	}
	installed.Flavour = model.FlavourManifests
	for _, p := range parts {
		if flavour := flavourOf(p.object); flavour != model.FlavourManifests {
			installed.Flavour = flavour
			break
		}
	}
	if installed.Flavour == model.FlavourArc {
		installed.Extension = installed.Release
	}
}

// flavourOf tells by the marks on one DaemonSet. Arc's extension is a Helm release too, named after the extension.
func flavourOf(set model.Object) model.Flavour {
	labels := fields(set.Content, "metadata", "labels")
	release := cmp.Or(
		text(set.Content, "metadata", "annotations", "meta.helm.sh/release-name"), text(labels, "app.kubernetes.io/instance"))
	switch {
	case strings.EqualFold(text(labels, extensionLabel), extensionProvider),
		release == "akvsecretsprovider" && set.Namespace == "kube-system":
		return model.FlavourArc
	case strings.HasPrefix(set.Name, "aks-secrets-store-"), text(labels, "kubernetes.azure.com/managedby") == "aks":
		return model.FlavourAKS
	case text(labels, "app.kubernetes.io/managed-by") == model.ManagerHelm,
		strings.HasPrefix(text(labels, "helm.sh/chart"), "csi-secrets-store-provider-azure"):
		return model.FlavourHelm
	}
	return model.FlavourManifests
}

// extension is a cluster extension of a type, as ARM tells it, or as Arc's agents keep it in the cluster.
func (t *taking) extension(kind string) (model.Extension, bool) {
	if t.snapshot.Azure != nil {
		for _, extension := range t.snapshot.Azure.Extensions {
			if strings.EqualFold(extension.Type, kind) {
				return extension, true
			}
		}
	}
	for _, object := range t.objects.of("clusterconfig.azure.com", "ExtensionConfig") {
		if strings.EqualFold(text(object.Content, "spec", "extensionType"), kind) {
			return model.Extension{
				Name: object.Name, Type: kind, Version: text(object.Content, "spec", "version"),
				Namespace: text(object.Content, "spec", "releaseNamespace"), Settings: texts(object.Content, "spec", "parameter"),
			}, true
		}
	}
	return model.Extension{}, false
}

// readNeighbours says what manages certificates, and what makes Secrets of SecretSyncs already.
func (t *taking) readNeighbours() {
	installed := &t.survey.Installed
	if _, found := t.extension(extensionCerts); found {
		installed.CertManager = "extension"
	}
	if _, found := t.extension(extensionStore); found {
		installed.SecretStore = "sse"
	}
	for _, deployment := range t.objects.of("apps", "Deployment") {
		for _, container := range list(deployment.Content, "spec", "template", "spec", "containers") {
			image := repository(text(container, "image"))
			installed.CertManager = cmp.Or(installed.CertManager, certManager(deployment, image))
			installed.SecretStore = cmp.Or(installed.SecretStore, secretStore(deployment, image))
		}
	}
}

// certManager tells cert-manager's own controller, and whether Microsoft packed it.
func certManager(deployment model.Object, image string) string {
	switch {
	case !strings.HasSuffix(image, "cert-manager-controller"):
		return ""
	case strings.HasPrefix(image, "mcr.microsoft.com/"),
		strings.EqualFold(text(deployment.Content, "metadata", "labels", extensionLabel), extensionCerts):
		return "extension"
	}
	return "open source"
}

// secretStore tells a controller of SecretSyncs. Microsoft's is the public one, in a namespace of its own.
func secretStore(deployment model.Object, image string) string {
	name := text(deployment.Content, "metadata", "labels", "app.kubernetes.io/name")
	switch {
	case name == "secretstore-controller", strings.HasSuffix(image, "/secretstore-controller"):
		return "secretstore"
	case deployment.Namespace == "azure-secret-store",
		strings.EqualFold(text(deployment.Content, "metadata", "labels", extensionLabel), extensionStore):
		return "sse"
	case strings.HasSuffix(image, "secrets-store-sync/controller"),
		strings.HasPrefix(deployment.Name, "secrets-store-sync-controller"):
		return "secrets-store-sync-controller"
	}
	return ""
}

// judgeInstalled reports what of it matters to everybody.
func (t *taking) judgeInstalled(driver bool) {
	installed := t.survey.Installed
	cluster := model.Object{}
	if len(installed.Providers) > 0 && len(t.survey.Classes) > 0 {
		t.say(model.CodeProviders, cluster, "The CSI driver also serves %s: it has to stay.", strings.Join(installed.Providers, ", "))
	}
	if !driver && len(t.survey.Workloads) > 0 {
		t.say(model.CodeNoDriver, cluster, "No DaemonSet of the CSI driver was read; workloads that depend on it: %d.",
			len(t.survey.Workloads))
	}
	if installed.Settings[settingRotation] == "false" {
		t.say(model.CodeRotation, cluster, "The driver runs without rotation.")
	}
	if installed.Settings[settingSync] == "false" && len(t.survey.Synced) > 0 {
		t.say(model.CodeNoSync, cluster, "Classes name %s, but the driver may not make any.",
			model.Counted(len(t.survey.Synced), "Secret"))
	}
	if installed.SecretStore != "" && installed.SecretStore != "secretstore" && t.options.Target != model.TargetSSE {
		t.say(model.CodeOtherSync, cluster, "%s makes Secrets of SecretSyncs on this cluster.", installed.SecretStore)
	}
}
