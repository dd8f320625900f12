package translate

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// Names of parameters.
const (
	paramClient    = "clientID"
	paramTenant    = "tenantID"
	paramOldTenant = "tenantId"
	paramVault     = "keyvaultName"
	paramCloud     = "cloudName"
	paramObjects   = "objects"
)

// legacy are the parameters of other ways to sign in, which nothing reads any more.
func legacy() []string {
	return []string{"usePodIdentity", "userAssignedIdentityID", "useVMManagedIdentity"}
}

// parameters looks at what the class says beside its objects.
func (p *planner) parameters(w *work) {
	w.objects = w.class.Parameters[paramObjects]
	for _, warning := range w.class.Params.Warnings {
		if first, _, _ := strings.Cut(warning.Path, ","); !slices.Contains(legacy(), first) {
			p.tell(w, codeUnknownField, "%s. It is kept.", warning)
		}
	}
	switch cloud := strings.TrimSpace(w.class.Parameters[paramCloud]); {
	case isPublic(cloud):
	case p.options.Target == model.TargetSSE:
		p.tell(w, codeCloudRefused, "The class reads the cloud %s, and Microsoft's extension accepts no cloudName.", cloud)
	default:
		p.tell(w, codeCloud, "The class reads the cloud %s; cloudName is kept.", cloud)
	}
	if !p.zeroDowntime() && w.newClass == w.ref().Name {
		p.tell(w, codeRollback, "The class is edited in place. With clientID in it the old provider signs in by workload identity and "+
			"no longer looks at nodePublishSecretRef.")
	}
}

// isPublic tells the names of the public cloud, the default.
func isPublic(cloud string) bool {
	return cloud == "" || strings.EqualFold(cloud, "AzurePublicCloud") || strings.EqualFold(cloud, "AzureCloud")
}

// classEdits turn the class as it is into one that the Secret Store reads.
func classEdits(w *work) []model.FieldEdit {
	old := map[string]any{}
	if parameters, ok := (model.Path{"spec", "parameters"}).Get(w.class.Object.Content); ok {
		old, _ = parameters.(map[string]any)
	}
	wanted := wantedParameters(w, old)
	edits := diff(model.Path{"spec", "parameters"}, wanted, old, everything)
	if was, ok := (model.Path{"spec", "secretObjects"}).Get(w.class.Object.Content); ok {
		edits = append(edits, model.FieldEdit{Op: model.OpRemove, Path: model.Path{"spec", "secretObjects"}, Was: was})
	}
	return edits
}

// wantedParameters are the parameters of the new class.
func wantedParameters(w *work, old map[string]any) map[string]any {
	wanted := map[string]any{}
	maps.Copy(wanted, old)
	for _, name := range append(legacy(), paramOldTenant) {
		delete(wanted, name)
	}
	text := func(name string) string { s, _ := old[name].(string); return s }
	if strings.TrimSpace(text(paramTenant)) == "" {
		wanted[paramTenant] = cmp.Or(text(paramOldTenant), w.tenant, "${AZURE_TENANT_ID}")
	}
	if isPublic(strings.TrimSpace(text(paramCloud))) {
		delete(wanted, paramCloud)
	}
	wanted[paramClient] = w.clientID
	wanted[paramObjects] = w.objects
	return wanted
}

// newClass is the class's twin.
func newClass(w *work) map[string]any {
	old := w.class.Object.Content
	spec := map[string]any{}
	if fields, ok := old["spec"].(map[string]any); ok {
		spec = maps.Clone(fields)
	}
	delete(spec, "secretObjects")
	parameters, _ := spec["parameters"].(map[string]any)
	spec["parameters"] = wantedParameters(w, parameters)
	content := object(classVersion, kindClass, w.ref().Namespace, w.newClass, spec)
	if metadata, ok := content["metadata"].(map[string]any); ok {
		for _, field := range []string{"labels", "annotations"} {
			if kept := carried(old, field); len(kept) > 0 {
				metadata[field] = kept
			}
		}
	}
	return content
}

// object is a manifest.
func object(version, kind, namespace, name string, spec map[string]any) map[string]any {
	metadata := map[string]any{"name": name}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	return map[string]any{"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
}

// carried are the labels or annotations of an object without those by which tools know what they deployed: a copy that
// carried them would be taken for theirs, and pruned.
func carried(content map[string]any, field string) map[string]any {
	all, _ := model.Path{"metadata", field}.Get(content)
	fields, _ := all.(map[string]any)
	kept := map[string]any{}
	for name, value := range fields {
		if !isOwners(name) {
			kept[name] = value
		}
	}
	return kept
}

// isOwners tells labels and annotations of Helm, Argo CD, Flux, kustomize and kubectl.
func isOwners(name string) bool {
	prefix, _, _ := strings.Cut(name, "/")
	switch name {
	case "app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "kubectl.kubernetes.io/last-applied-configuration":
		return true
	}
	return slices.ContainsFunc([]string{
		"helm.sh", "argoproj.io", "fluxcd.io", "config.kubernetes.io", "kustomize.config.k8s.io",
	}, func(domain string) bool { return prefix == domain || strings.HasSuffix(prefix, "."+domain) })
}
