package inventory

import (
	"net/url"
	"slices"
	"strings"
)

// Names of settings in Installed.Settings that this package decides by.
const (
	settingRotation = "rotation"
	settingSync     = "syncSecret.enabled"
)

// chartSettings maps the settings of the extension and of the chart, without their prefix, onto the names that they have here.
func chartSettings() map[string]string {
	return map[string]string{
		"enableSecretRotation": settingRotation, "rotationPollInterval": "rotationPollInterval", settingSync: settingSync,
		"filteredWatchSecret": "filteredWatchSecret", "linux.kubeletRootDir": "linux.kubeletRootDir",
		"writeCertAndKeyInSeparateFiles": "writeCertAndKeyInSeparateFiles", "constructPEMChain": "constructPEMChain",
	}
}

// argumentSettings maps arguments of the driver and of the Azure provider onto the names of settings.
func argumentSettings() map[string]string {
	return map[string]string{
		"enable-secret-rotation": settingRotation, "rotation-poll-interval": "rotationPollInterval",
		"filtered-watch-secret":                "filteredWatchSecret",
		"write-cert-and-key-in-separate-files": "writeCertAndKeyInSeparateFiles", "construct-pem-chain": "constructPEMChain",
	}
}

// readSettings gathers the settings that matter: what the extension was told, and over it what really runs. Where a driver runs
// and says nothing, its defaults count.
func (t *taking) readSettings(drivers, providers []part) {
	settings := map[string]string{}
	if len(drivers) > 0 {
		settings[settingRotation], settings["rotationPollInterval"], settings["filteredWatchSecret"] = "false", "2m", "true"
	}
	if extension, found := t.extension(extensionProvider); found {
		for _, name := range sortedKeys(extension.Settings) {
			value := extension.Settings[name]
			if known, matters := chartSettings()[strings.TrimPrefix(name, "secrets-store-csi-driver.")]; matters {
				settings[known] = value
			}
		}
	}
	for _, p := range slices.Concat(drivers, providers) {
		if text(p.object.Content, "spec", "template", "spec", "nodeSelector", "kubernetes.io/os") == "windows" {
			settings["windows.enabled"] = "true"
			continue
		}
		readPart(settings, p)
	}
	t.readSyncing(settings, len(drivers) > 0)
	if len(settings) > 0 {
		t.survey.Installed.Settings = settings
	}
}

// readPart adds what a part's arguments, volumes and environment say.
func readPart(settings map[string]string, p part) {
	arguments := argumentsOf(p.container)
	for argument, name := range argumentSettings() {
		if value, given := arguments[argument]; given {
			settings[name] = value
		}
	}
	for _, volume := range list(p.object.Content, "spec", "template", "spec", "volumes") {
		path := strings.TrimSuffix(text(volume, "hostPath", "path"), "/")
		if root, found := strings.CutSuffix(path, "/plugins/csi-secrets-store"); found {
			settings["linux.kubeletRootDir"] = root
		} else if root, found := strings.CutSuffix(path, "/pods"); found {
			settings["linux.kubeletRootDir"] = root
		}
	}
	for _, env := range list(p.container, "env") {
		name := strings.ToUpper(text(env, "name"))
		if slices.Contains([]string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"}, name) && text(env, "value") != "" {
			settings[name] = withoutUser(text(env, "value"))
		}
	}
	for _, env := range list(p.container, "envFrom") {
		if name := text(env, "secretRef", "name"); strings.Contains(name, "proxy") {
			settings["proxy"] = "Secret " + name // where Arc's extension keeps it
		}
	}
}

// readSyncing says whether the driver may make Secrets: its chart makes a role for that, and only then.
func (t *taking) readSyncing(settings map[string]string, driver bool) {
	roles := 0
	for _, kind := range []string{"ClusterRole", "ClusterRoleBinding"} {
		for _, object := range t.objects.of("rbac.authorization.k8s.io", kind) {
			roles++
			if strings.Contains(object.Name, "secretprovidersyncing") {
				settings[settingSync] = "true"
			}
		}
	}
	if _, known := settings[settingSync]; !known && driver && roles > 0 {
		settings[settingSync] = "false"
	}
	for _, secret := range t.survey.Synced {
		if secret.Managed {
			settings[settingSync] = "true" // it has made one
		}
	}
}

// argumentsOf are the flags of a container by their names without hyphens: `--name=value`, `--name value` or `--name`, which
// means true.
func argumentsOf(container any) map[string]string {
	var words []string
	for _, field := range []string{"command", "args"} {
		for _, word := range list(container, field) {
			if text, ok := word.(string); ok {
				words = append(words, text)
			}
		}
	}
	arguments := map[string]string{}
	for i, word := range words {
		if !strings.HasPrefix(word, "-") {
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
		if !given {
			value = "true"
			if i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
				value = words[i+1]
			}
		}
		arguments[name] = value
	}
	return arguments
}

// withoutUser takes the credentials out of a proxy's address.
func withoutUser(address string) string {
	if !strings.Contains(address, "@") {
		return address
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return address[strings.LastIndex(address, "@")+1:]
	}
	parsed.User = nil
	return parsed.String()
}
