package inventory_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/inventory"
)

// installation is an object of kube-system.
func installation(apiVersion, kind, name, meta, body string) string {
	return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: kube-system" + meta + "}\n" + body
}

// driver and provider are the DaemonSets of the CSI driver and of the Azure provider, as their charts and manifests have them.
func driver(name, meta, image, args string) string {
	return installation("apps/v1", "DaemonSet", name, meta, `spec:
  template:
    spec:
      containers:
      - {name: node-driver-registrar, image: "mcr.microsoft.com/oss/v2/kubernetes-csi/csi-node-driver-registrar:v2.14.0"}
      - name: secrets-store
        image: `+image+`
        args: ["--endpoint=$(CSI_ENDPOINT)", "--provider-volume=/var/run/secrets-store-csi-providers"`+args+`]
        env: [{name: HTTPS_PROXY, value: "http://user:pass@proxy.example.com:3128"}, {name: no_proxy, value: .svc}]
      volumes:
      - {name: mountpoint-dir, hostPath: {path: /data/kubelet/pods}}
      - {name: providers-dir, hostPath: {path: /var/run/secrets-store-csi-providers}}`)
}

func provider(name, meta, image, args string) string {
	return installation("apps/v1", "DaemonSet", name, meta, `spec:
  template:
    spec:
      containers:
      - {name: provider-azure-installer, image: "`+image+`", args: ["--endpoint=unix:///provider/azure.sock"`+args+`]}
      volumes: [{name: providers-dir, hostPath: {path: /var/run/secrets-store-csi-providers}}]`)
}

const (
	driverImage   = "mcr.microsoft.com/oss/v2/kubernetes-csi/secrets-store/driver:v1.5.6"
	providerImage = "mcr.microsoft.com/oss/v2/azure/secrets-store/provider-azure:v1.8.2"
	helmRelease   = ", labels: {app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: "
)

// TestFlavours: which flavour is installed is told by what each puts on its DaemonSets, and by what Azure says.
func TestFlavours(t *testing.T) {
	t.Parallel()
	arc := &model.Azure{Extensions: []model.Extension{{
		Name: "my-spe", Type: "Microsoft.AzureKeyVaultSecretsProvider",
		Settings: map[string]string{"secrets-store-csi-driver.enableSecretRotation": "true", "secrets-store-csi-driver.rotationPollInterval": "10m"},
	}}}
	for name, tt := range map[string]struct {
		reason    string
		manifests []string
		azure     *model.Azure
		want      model.Installed
	}{
		"nothing": {reason: "a folder shows no driver"},
		"Arc extension, told by ARM": {
			reason: "the extension's name is the operator's; the settings are its own where nothing was read that runs",
			azure:  arc, want: model.Installed{
				Flavour: model.FlavourArc, Namespace: "kube-system", Extension: "my-spe",
				Settings: map[string]string{"rotation": "true", "rotationPollInterval": "10m"},
			},
		},
		"Arc extension, told by its agents": {
			reason: "what they keep in the cluster has the same settings",
			manifests: []string{"apiVersion: clusterconfig.azure.com/v1beta1\nkind: ExtensionConfig\nmetadata: {name: spe, namespace: azure-arc}\n" +
				"spec: {extensionType: microsoft.azurekeyvaultsecretsprovider, releaseNamespace: kube-system, parameter: {secrets-store-csi-driver.syncSecret.enabled: 'true'}}"},
			want: model.Installed{
				Flavour: model.FlavourArc, Namespace: "kube-system", Extension: "spe", Settings: map[string]string{"syncSecret.enabled": "true"},
			},
		},
		"Arc extension, told by its release": {
			reason:    "without Azure, the usual name in kube-system",
			manifests: []string{provider("akvsecretsprovider-csi-secrets-store-provider-azure", helmRelease+"akvsecretsprovider}", providerImage, "")},
			want:      model.Installed{Flavour: model.FlavourArc, Namespace: "kube-system", Extension: "akvsecretsprovider", Release: "akvsecretsprovider", ProviderVersion: "v1.8.2"},
		},
		"AKS add-on": {
			reason:    "its DaemonSets have names of their own",
			manifests: []string{provider("aks-secrets-store-provider-azure", "", "mcr.microsoft.com/oss/azure/secrets-store/provider-azure:v1.5.3", "")},
			want:      model.Installed{Flavour: model.FlavourAKS, Namespace: "kube-system", ProviderVersion: "v1.5.3"},
		},
		"Helm chart": {
			reason:    "a release of any other name; copied to another registry, by digest, with the version in a label",
			manifests: []string{provider("csi-azure", ", labels: {app.kubernetes.io/managed-by: Helm, app.kubernetes.io/version: 1.7.0}, annotations: {meta.helm.sh/release-name: csi}", "registry.example.com:5000/secrets-store/provider-azure@sha256:00", "")},
			want:      model.Installed{Flavour: model.FlavourHelm, Namespace: "kube-system", Release: "csi", ProviderVersion: "v1.7.0"},
		},
		"plain YAML": {
			reason:    "nobody's marks; an image of another name is known by its argument",
			manifests: []string{provider("csi-secrets-store-provider-azure", "", "registry.example.com/azure-provider:latest", "")},
			want:      model.Installed{Flavour: model.FlavourManifests, Namespace: "kube-system"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inventory.Survey(model.Snapshot{Objects: objects(t, tt.manifests...), Azure: tt.azure}, model.Options{})
			if diff := cmp.Diff(tt.want, s.Installed); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestSettingsThatMatter: rotation on or off and its interval, syncing, filtered watch, the kubelet's folder, proxy (without its
// password), files of certificates.
func TestSettingsThatMatter(t *testing.T) {
	t.Parallel()
	role := func(name string) string {
		return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + name + "}"
	}
	common := func(more map[string]string) map[string]string {
		settings := map[string]string{
			"rotation": "false", "rotationPollInterval": "2m", "filteredWatchSecret": "true", "linux.kubeletRootDir": "/data/kubelet",
			"HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": ".svc",
		}
		maps.Copy(settings, more)
		return settings
	}
	for name, tt := range map[string]struct {
		reason    string
		manifests []string
		want      map[string]string
		codes     []model.Code
	}{
		"default off, 2 m": {
			reason:    "a driver that is told nothing does not rotate; whether it syncs is not known without roles",
			manifests: []string{driver("csi-secrets-store", "", driverImage, "")},
			want:      common(nil), codes: []model.Code{model.CodeRotation},
		},
		"all set": {
			reason: "what runs counts; flags come with = and without",
			manifests: []string{
				driver("csi-secrets-store", "", driverImage, `, --enable-secret-rotation, "--rotation-poll-interval", 30m, --filtered-watch-secret=false`),
				provider("p", "", providerImage, ", -write-cert-and-key-in-separate-files=true"), role("secretprovidersyncing-role"),
			},
			want: common(map[string]string{
				"rotation": "true", "rotationPollInterval": "30m", "filteredWatchSecret": "false", "writeCertAndKeyInSeparateFiles": "true",
				"syncSecret.enabled": "true",
			}),
		},
		"syncing is off": {
			reason:    "roles were read, and that of syncing is not among them: Secrets of classes were never made",
			manifests: []string{driver("csi-secrets-store", "", driverImage, ""), role("secretproviderclasses-role"), class("app", syncing("made"))},
			want:      common(map[string]string{"syncSecret.enabled": "false"}), codes: []model.Code{model.CodeNoSync, model.CodeRotation},
		},
		"syncing has happened": {
			reason:    "a Secret with the driver's label proves it, as on AKS, where the role has another name",
			manifests: []string{driver("csi-secrets-store", "", driverImage, ""), class("app", syncing("made")), object("v1", "Secret", "made", ", labels: {secrets-store.csi.k8s.io/managed: 'true'}", "")},
			want:      common(map[string]string{"syncSecret.enabled": "true"}), codes: []model.Code{model.CodeRotation},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inventory.Survey(model.Snapshot{Objects: objects(t, tt.manifests...)}, model.Options{})
			if diff := cmp.Diff(tt.want, s.Installed.Settings); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tt.reason, diff)
			}
			if s.Installed.DriverVersion != "v1.5.6" {
				t.Errorf("driver %q", s.Installed.DriverVersion)
			}
			var codes []model.Code
			for _, f := range s.Findings {
				if f.Object == (model.Ref{}) {
					codes = append(codes, f.Code)
				}
			}
			if diff := cmp.Diff(tt.codes, codes); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestWindows: the Windows DaemonSet's folders are not taken for those of Linux.
func TestWindows(t *testing.T) {
	t.Parallel()
	windows := installation("apps/v1", "DaemonSet", "z-windows", "", `spec: {template: {spec: {nodeSelector: {kubernetes.io/os: windows}, containers: [{image: "`+driverImage+`"}], volumes: [{hostPath: {path: 'C:/var/lib/kubelet/pods'}}]}}}`)
	s := inventory.Survey(model.Snapshot{Objects: objects(t, driver("a-linux", "", driverImage, ""), windows)}, model.Options{})
	if s.Installed.Settings["linux.kubeletRootDir"] != "/data/kubelet" || s.Installed.Settings["windows.enabled"] != "true" {
		t.Errorf("settings: %v", s.Installed.Settings)
	}
}

// TestOtherProvidersOnTheDriver: each is named, and means that the driver must stay.
func TestOtherProvidersOnTheDriver(t *testing.T) {
	t.Parallel()
	other := func(name, image string) string {
		return installation("apps/v1", "DaemonSet", name, "", `spec: {template: {spec: {containers: [{image: "`+image+`"}], volumes: [{hostPath: {path: /etc/kubernetes/secrets-store-csi-providers}}]}}}`)
	}
	s := inventory.Survey(model.Snapshot{Objects: objects(t, class("app"), driver("d", "", driverImage, ""), provider("p", "", providerImage, ""),
		other("a", "public.ecr.aws/aws-secrets-manager/secrets-store-csi-driver-provider-aws:1.0.r2-101"),
		other("b", "us-docker.pkg.dev/secretmanager-csi/secrets-store-csi-driver-provider-gcp/plugin:v1.8.0"),
		other("c", "hashicorp/vault-csi-provider:1.4.1"), other("own", "registry.example.com/own:1"),
		installation("apps/v1", "DaemonSet", "logs", "", `spec: {template: {spec: {containers: [{image: fluentd}], volumes: [{hostPath: {path: /var/log}}]}}}`),
	)}, model.Options{})
	if diff := cmp.Diff([]string{"aws", "gcp", "own", "vault"}, s.Installed.Providers); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !has(s, model.CodeProviders) {
		t.Errorf("findings: %v", s.Findings)
	}
}

// TestNeighbours: cert-manager of either make, and controllers that make Secrets of SecretSyncs already.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	runs := func(namespace, name, labels, image string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + ", namespace: " + namespace + ", labels: {" + labels + "}}\n" +
			`spec: {template: {spec: {containers: [{image: "` + image + `"}]}}}`
	}
	for name, tt := range map[string]struct {
		manifest, certManager, secretStore string
		azure                              *model.Azure
		told                               bool
	}{
		"open source":      {manifest: runs("cert-manager", "cert-manager", "", "quay.io/jetstack/cert-manager-controller:v1.17.0"), certManager: "open source"},
		"Microsoft's":      {manifest: runs("cert-manager", "cert-manager", "", "mcr.microsoft.com/azurearck8s/cert-manager-controller:v1.17.0"), certManager: "extension"},
		"by the extension": {azure: &model.Azure{Extensions: []model.Extension{{Type: "microsoft.certmanagement"}}}, certManager: "extension"},
		"ours":             {manifest: runs("secretstore", "secretstore-controller", "app.kubernetes.io/name: secretstore-controller", "example.com/x:1"), secretStore: "secretstore"},
		"SSE":              {manifest: runs("azure-secret-store", "secrets-store-sync-controller-manager", "", "mcr.microsoft.com/oss/secrets-store-sync/controller:1"), secretStore: "sse", told: true},
		"SSE by ARM":       {azure: &model.Azure{Extensions: []model.Extension{{Type: "microsoft.azure.secretstore"}}}, secretStore: "sse", told: true},
		"public":           {manifest: runs("sync", "sync", "", "registry.k8s.io/secrets-store-sync/controller:v0.0.4"), secretStore: "secrets-store-sync-controller", told: true},
		"something else":   {manifest: runs("azure", "web", "", "nginx:1")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inventory.Survey(model.Snapshot{Objects: objects(t, tt.manifest), Azure: tt.azure}, model.Options{})
			if s.Installed.CertManager != tt.certManager || s.Installed.SecretStore != tt.secretStore {
				t.Errorf("got cert-manager %q, secret store %q", s.Installed.CertManager, s.Installed.SecretStore)
			}
			if has(s, model.CodeOtherSync) != tt.told {
				t.Errorf("findings: %v", s.Findings)
			}
		})
	}
}
