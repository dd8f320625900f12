package model

import "slices"

// The codes of what the readers have to say, M170 to M189.
const (
	SkippedFolders    Code = "M170"
	NoObjects         Code = "M171"
	HelmTemplate      Code = "M172"
	JSONPatch         Code = "M173"
	RenamedByOverlay  Code = "M174"
	SeveralNamespaces Code = "M175"
	IssuerUnread      Code = "M176"
	HalfInstalled     Code = "M177"
	KindsUnknown      Code = "M178"
	NestedList        Code = "M179"
	OutsideResource   Code = "M180"
	KindNotListed     Code = "M181"
	BrokenPatch       Code = "M189"
)

// readCodes are the findings of reading a cluster or a folder.
func readCodes() []Entry {
	return slices.Concat(folderCodes(), kustomizationCodes(), clusterReadCodes(), azureReadCodes())
}

func folderCodes() []Entry {
	return []Entry{
		{
			Code: SkippedFolders, Severity: Info, Title: "Folders that were not read",
			What: "The folder holds others that were passed over: hidden ones, node_modules, and what symbolic links lead to.",
			Why:  "Nothing in them is part of the plan. They seldom hold manifests, but what they hold would be missing.",
			Do:   "Nothing, unless manifests are in them: then read that folder by itself with --from.",
		},
		{
			Code: NoObjects, Severity: Info, Title: "A file without Kubernetes objects",
			What: "A YAML or JSON file has at least one document without apiVersion and kind: a file of values, a pipeline, a " +
				"configuration.",
			Why: "It deploys nothing, so there is nothing in it to migrate. It is named so that no file is missing from the account.",
			Do:  "Nothing, unless the document ought to be a manifest.",
		},
		{
			Code: HelmTemplate, Severity: Warning, Title: "A Helm template that has to be changed by hand",
			What: "The file is a template (it has {{ }} outside quotes, or stands in the templates of a chart) and mentions the CSI " +
				"driver, a SecretProviderClass or a SecretSync.",
			Why: "What a template makes depends on values that this folder may not have. The tool reports templates and never guesses: " +
				"nothing in the file is part of the plan, and a workload that it deploys loses its secrets when the driver is removed.",
			Do: "Render the chart (helm template RELEASE CHART -f VALUES > rendered/all.yaml), plan the rendered folder with " +
				"--from, and " +
				"make the same changes in the template. Or plan from the cluster, where the rendered objects are.",
		},
	}
}

func kustomizationCodes() []Entry {
	return []Entry{
		{
			Code: JSONPatch, Severity: Blocking, Title: "A JSON patch that cannot be followed",
			What: "A JSON 6902 patch of a kustomization changes a SecretProviderClass, or volumes of a workload that mounts one, and " +
				"what it has to become is not sure: the message says why. Patches of one object that is in the folder are " +
				"followed, and changed together with it.",
			Why: "Such a patch addresses places in lists by number. Once the migration changes the base, the same number may be another " +
				"volume, or none, and kustomize would build a wrong object without a word. So its base waits with it.",
			Do: "Write what the patch does into the base, or turn it into a strategic merge patch, which names volumes; or do away " +
				"with the reason that the message gives. Then plan again.",
		},
		{
			Code: BrokenPatch, Severity: Blocking, Title: "A patch within a kustomization cannot be read",
			What: "The text of an inline patch is no YAML, or a list of it is no JSON 6902 patch: an operation lacks op or path.",
			Why:  "What it changes is not known, and kustomize refuses to build what it is part of.",
			Do:   "Mend the patch at the line that the message names (kustomize build says the same), then plan again.",
		},
		{
			Code: RenamedByOverlay, Severity: Warning, Title: "An overlay that renames objects",
			What: "A kustomization sets namePrefix or nameSuffix.",
			Why: "The names in the plan are those in the files. The name of a class in a volume is text to kustomize, which renames the " +
				"class and not the volume; federated credentials name service accounts as they are called in the cluster.",
			Do: "Compare the names of service accounts, classes and Secrets in the plan with those in the cluster, or plan " +
				"from the cluster.",
		},
		{
			Code: SeveralNamespaces, Severity: Warning, Title: "One manifest for several namespaces",
			What: "Overlays deploy the same base to several namespaces.",
			Why: "Each namespace needs its own service account and federated credential, which the plan of a folder cannot tell apart " +
				"where one document stands for several objects.",
			Do: "Plan each overlay by itself from its built manifests (kustomize build OVERLAY > built/all.yaml), or plan from " +
				"the cluster.",
		},
		{
			Code: NestedList, Severity: Warning, Title: "A list within a list",
			What: "An item of a list (kind: List) is itself a list.",
			Why:  "Its items are not read, and nothing of them is part of the plan.",
			Do:   "Put the inner list's items into the outer list, or into documents of their own.",
		},
		{
			Code: OutsideResource, Severity: Warning, Title: "A kustomization that uses what is not in the folder",
			What: "A kustomization names a resource, base, component or patch that is an address or lies outside the folder " +
				"that was read.",
			Why: "What it deploys is not part of the plan.",
			Do:  "Read a folder that holds it too, or look there for SecretProviderClasses and for volumes of the CSI driver.",
		},
	}
}

func clusterReadCodes() []Entry {
	return []Entry{
		{
			Code: IssuerUnread, Severity: Info, Title: "The cluster's issuer could not be read",
			What: "The API server refused its OIDC discovery document, /.well-known/openid-configuration.",
			Why: "The issuer in it has to equal, byte for byte, the one that federated credentials name, or Microsoft Entra " +
				"trusts no token " +
				"of this cluster.",
			Do: "Let your account read it (kubectl create clusterrolebinding read-issuer " +
				"--clusterrole=system:service-account-issuer-discovery --user=YOU), or compare by hand.",
		},
		{
			Code: HalfInstalled, Severity: Warning, Title: "One of two definitions is missing",
			What: "Of the CSI driver's definitions SecretProviderClass and SecretProviderClassPodStatus the cluster has only one.",
			Why: "An installation or an uninstallation stopped half-way. The driver cannot mount anything without both, and " +
				"what was mounted " +
				"is not known.",
			Do: "Repair the driver's installation (its chart's CRDs) before migrating, or remove the rest of it if nothing uses it.",
		},
		{
			Code: KindsUnknown, Severity: Warning, Title: "Kinds that the cluster could not name",
			What: "The API server could not say which kinds some of its API groups have: an aggregated API does not answer.",
			Why:  "Objects of such a kind that mount the CSI driver would be missing from the plan, though their pods are in it.",
			Do:   "Look at kubectl get apiservices for those that are not available, mend or remove them, and run again.",
		},
		{
			Code: KindNotListed, Severity: Warning, Title: "A kind that may hold pods may not be listed",
			What: "By its schema a custom resource may hold a pod template, but your account may not list it.",
			Why: "An object of that kind whose pods would mount the CSI driver, but do not run now, is missing from the plan. Objects " +
				"whose pods run are in it.",
			Do: "Have a role bound to your account that may list the kind, and run again; or look through its objects by hand.",
		},
	}
}
