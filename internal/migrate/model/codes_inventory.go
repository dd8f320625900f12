package model

import "slices"

// The findings of stage inventory.
const (
	CodeClassUnused    Code = "M101"
	CodeClassForeign   Code = "M102"
	CodeClassBroken    Code = "M103"
	CodeClassWarning   Code = "M104"
	CodeSecretObject   Code = "M105"
	CodeClassProvider  Code = "M106"
	CodeCredentials    Code = "M107" // decision: which principal's place the new identity takes
	CodeClassRead      Code = "M108" // decision: AnswerTranslate or AnswerLeave
	CodeUnknownKind    Code = "M110" // decision: AnswerEdit or AnswerLeave
	CodeStaticPod      Code = "M111"
	CodeClassMissing   Code = "M112"
	CodeClassElsewhere Code = "M113" // decision: AnswerLeave is the only answer
	CodeOwner          Code = "M114" // decision: AnswerEdit or AnswerLeave
	CodePodsDiffer     Code = "M115"
	CodeLeft           Code = "M116"
	CodeNoCredential   Code = "M120"
	CodeNoClientID     Code = "M121"
	CodeSecretOrphan   Code = "M122"
	CodeStatusStale    Code = "M123"
	CodeProviders      Code = "M130"
	CodeRotation       Code = "M131"
	CodeNoDriver       Code = "M132"
	CodeNoSync         Code = "M133"
	CodeOtherSync      Code = "M134"
)

// inventoryCodes are the findings of stage inventory.
func inventoryCodes() []Entry {
	return slices.Concat(classCodes(), classUseCodes(), workloadCodes(), secretCodes(), clusterCodes())
}

func classCodes() []Entry {
	return []Entry{{
		Code: CodeClassUnused, Severity: Info,
		Title: "No workload mounts the class",
		What: "No workload that was read has a volume of this SecretProviderClass, and no SecretSync reads it. Templates were " +
			"looked at, not only pods: workloads that are scaled to zero, suspended or have never run count as users.",
		Why: "The driver fetches secrets only while a pod mounts them, so nothing comes of this class today. It is left as it " +
			"is and counts as not in use.",
		Do: "Delete the class if nobody needs it. If a workload outside of what was read uses it (another repository, a " +
			"namespace that was left out), read that together with this.",
	}, {
		Code: CodeClassForeign, Severity: Info,
		Title: "The class belongs to another provider",
		What:  "This SecretProviderClass is not for the Azure provider: its secrets come from AWS, Google, Vault or some other store.",
		Why: "It has nothing to do with Azure Key Vault and is not taken over. Its pods still need the CSI driver, which " +
			"therefore has to stay on the cluster when the Azure provider goes.",
		Do: "Nothing. Keep the CSI driver, installed by its own chart if it came with Azure's extension.",
	}, {
		Code: CodeClassBroken, Severity: Blocking,
		Title: "The class holds mistakes",
		What: "The parameters of this SecretProviderClass cannot be understood in full. The message names the parameter, within " +
			"`objects` also the entry and the line of its text.",
		Why: "What is not understood would be lost or fetched wrongly. Most of these mistakes stop pods from starting today as " +
			"well, so the class may be a forgotten one.",
		Do: "Mend the class as the message says, check that its pods start, and run again. Delete it if nobody uses it.",
	}, {
		Code: CodeClassWarning, Severity: Warning,
		Title: "Part of the class has no effect",
		What: "A parameter of the class, or a field within its `objects`, is none that the Azure provider or this tool knows: a " +
			"spelling mistake, or something that an older provider read.",
		Why: "It is reported so that nothing is dropped without a word. If it was meant to do something, it does not do it " +
			"today either.",
		Do: "Check its spelling. It is kept where it is in `objects`; remove it if it means nothing.",
	}, {
		Code: CodeSecretObject, Severity: Warning,
		Title: "An entry of secretObjects cannot be read",
		What:  "An entry of `spec.secretObjects` has no name, no data, or data without `objectName` and `key`.",
		Why:   "The driver makes no Secret of such an entry, or one that lacks a key. What cannot be read is not translated.",
		Do:    "Complete the entry if the Secret is needed; otherwise remove it.",
	}, {
		Code: CodeClassProvider, Severity: Warning,
		Title: "The class names no provider",
		What:  "`spec.provider` of this SecretProviderClass is empty, and no other piece of it says `azure`.",
		Why:   "The driver cannot serve a class without a provider, so it is not taken for one of Azure Key Vault and left alone.",
		Do:    "Set `spec.provider: azure` if that is meant, and run again.",
	}}
}

func classUseCodes() []Entry {
	return []Entry{{
		Code: CodeCredentials, Severity: Needed,
		Title: "One class is mounted with different credentials",
		What: "Volumes of this class name different `nodePublishSecretRef` Secrets, of different service principals, or some " +
			"name one and some do not. The rights of a principal decide what its pods may read.",
		Why: "After the migration one identity reads the class for all pods of the namespace. Whose rights it should get, " +
			"nobody but you can say: pods with fewer rights may get more than they had.",
		Do: "Choose the principal whose place the new identity takes. If pods must not share it, give some of them a class of " +
			"their own first and run again.",
	}, {
		Code: CodeClassRead, Severity: Needed,
		Title: "Nobody mounts the class, but its Secrets are read",
		What: "No workload mounts this SecretProviderClass, yet others refer to a Secret that it makes: a Job that has ended " +
			"mounted it once, or nothing ever did.",
		Why: "The driver makes and refreshes the Secret only while a pod mounts the class, and garbage collection takes it when " +
			"what mounted it is deleted. Whoever reads it then fails to start.",
		Do: "Answer `translate` to have the Secret kept in step from now on, which is what its readers seem to expect, or `leave` " +
			"to leave both as they are.",
	}}
}

func workloadCodes() []Entry {
	return []Entry{{
		Code: CodeUnknownKind, Severity: Needed,
		Title: "The workload is of a kind that Kubernetes itself does not know",
		What: "A resource of an operator (an Argo Rollout, a Knative Service, a DeploymentConfig, a ScaledJob or another) holds " +
			"a pod template with a volume of Azure Key Vault, or with a Secret that comes of one. The template was found by " +
			"search; the message names its path.",
		Why: "What the operator does with a changed template is not known here: it may roll out, wait, ignore it or replace data.",
		Do: "Read the operator's documentation. Answer `edit` to have the template changed like that of a Deployment, or " +
			"`leave` to change it yourself.",
	}, {
		Code: CodeStaticPod, Severity: Blocking,
		Title: "The pod is static",
		What:  "This pod mirrors a file on a node. The kubelet makes it of the file; the API server's copy cannot be changed.",
		Why: "A mirror pod may not refer to Secrets at all, so what a CSI volume gave it cannot be given by a Secret. While " +
			"the pod mounts its volume the driver cannot be removed.",
		Do: "Turn the static pod into a DaemonSet or a Deployment, or change the file on the node so that it needs no secret " +
			"of Azure Key Vault. Then run again.",
	}, {
		Code: CodeClassMissing, Severity: Blocking,
		Title: "A volume names a class that does not exist",
		What:  "A CSI volume of this workload names a SecretProviderClass that is not in its namespace, or names none.",
		Why: "Pods of this workload do not start today either: the driver refuses the mount until the class exists. What files " +
			"the volume should hold is not known, so nothing can take its place.",
		Do: "Restore the class, or remove the volume or the whole workload if it is a leftover. Then run again.",
	}, {
		Code: CodeClassElsewhere, Severity: Needed,
		Title: "A volume names a class that is not in the folder",
		What:  "A CSI volume of this workload names a SecretProviderClass that no file of the folder holds.",
		Why: "The class says what files the volume has. It is probably kept in another repository, or only in the cluster; " +
			"without it the workload cannot be changed.",
		Do: "Read a folder that holds the class as well. Answer `leave` if the workload is to stay as it is for now.",
	}, {
		Code: CodeOwner, Severity: Needed,
		Title: "Somebody else's object owns the workload",
		What: "The workload has an owner that was not read, or in which no pod template was found: the owner's controller makes " +
			"the workload from settings of its own.",
		Why: "A change made here may be undone by the owner's controller as soon as it looks.",
		Do: "Change it where the owner is configured and answer `leave`; or answer `edit` if the owner does not bring changed " +
			"fields back. If the owner was left out by a selector or a missing permission, read it too.",
	}, {
		Code: CodePodsDiffer, Severity: Warning,
		Title: "Pods mount or read what their template does not",
		What: "Running pods of this workload have a volume of a SecretProviderClass, or use a Secret of one, that its template " +
			"does not name: they are of an earlier template, or an admission webhook adds it.",
		Why: "Changing the template does not change these pods, and the driver must not be removed while a pod has a volume of it.",
		Do:  "Finish the rollout, or delete the old pods. If a webhook adds the volume, change its configuration.",
	}, {
		Code: CodeLeft, Severity: Warning,
		Title: "The workload is left to somebody else",
		What:  "By decision of the operator this workload is not changed.",
		Why:   "It still needs the driver and the class. Neither can be removed before it has been changed.",
		Do:    "Change it by hand; a further run no longer lists it then.",
	}}
}

func secretCodes() []Entry {
	return []Entry{{
		Code: CodeNoCredential, Severity: Warning,
		Title: "The credentials that a volume names do not exist",
		What:  "A CSI volume names a Secret as its `nodePublishSecretRef` that is not in the namespace.",
		Why: "Pods with that volume do not start today. The old principal is not known, so its rights in Azure cannot be found " +
			"and will not be revoked at the end.",
		Do: "Find out whether the workload is still needed. The migration itself does not need the credentials.",
	}, {
		Code: CodeNoClientID, Severity: Warning,
		Title: "The client ID of a principal could not be read",
		What:  "The Secret with a service principal's credentials has no key `clientid`, or it could not be read.",
		Why:   "Without it the principal's rights in Azure cannot be found, compared with the new identity's, or revoked at the end.",
		Do:    "Allow reading the Secret, or look the principal up yourself and revoke its access in the last stage.",
	}, {
		Code: CodeSecretOrphan, Severity: Warning,
		Title: "A Secret of the driver is made by no class any more",
		What:  "The Secret carries the driver's label, but no SecretProviderClass of its namespace names it in `secretObjects`.",
		Why: "Nobody refreshes it, and it is garbage-collected with the pods' owners that it names. What reads it will break " +
			"one day, with or without this migration.",
		Do: "Add the Secret to a class if it is needed, and run again; or delete it.",
	}, {
		Code: CodeStatusStale, Severity: Info,
		Title: "A pod status was left behind",
		What:  "The SecretProviderClassPodStatus belongs to a pod that no longer exists, for instance because its node was removed.",
		Why:   "It means nothing, but the removal of the driver's definitions would wait for it.",
		Do:    "Nothing: it is removed in the last stage.",
	}}
}

func clusterCodes() []Entry {
	return []Entry{{
		Code: CodeProviders, Severity: Warning,
		Title: "Other providers use the CSI driver",
		What:  "Besides the Azure provider there are classes or DaemonSets of other providers on the same CSI driver.",
		Why: "Azure's extension, add-on or chart brings the driver with it. Uninstalling it takes the driver away from the " +
			"other providers' pods too, which then cannot start.",
		Do: "Install the driver by its own chart before the extension is uninstalled, or remove the Azure provider alone.",
	}, {
		Code: CodeRotation, Severity: Info,
		Title: "Rotation was off and will be on",
		What: "The driver runs without rotation, its default: pods keep the value that they started with until they start " +
			"again. The new controller looks every hour, and mounted files follow within about a minute more.",
		Why: "An application that was restarted to get a new value now sees files change under it. Values read from the " +
			"environment still change with a restart only.",
		Do: "Check that applications can bear files that change, or pin `objectVersion` in the class.",
	}, {
		Code: CodeNoDriver, Severity: Info,
		Title: "No CSI driver was found",
		What:  "There are volumes of the Secrets Store CSI driver, but no DaemonSet that runs it was read.",
		Why: "How it was installed, which versions run and how they are set is not known: defaults are assumed. In a folder " +
			"this is usual, since the driver is installed elsewhere.",
		Do: "In a cluster, check that DaemonSets of all namespaces may be listed.",
	}, {
		Code: CodeNoSync, Severity: Warning,
		Title: "Syncing of Secrets is switched off",
		What:  "Classes list `secretObjects`, but the driver runs without `syncSecret.enabled`, so it makes none of them.",
		Why:   "After the migration these Secrets appear for the first time. What refers to them has not worked until now.",
		Do:    "Remove the entries that are not wanted before translating.",
	}, {
		Code: CodeOtherSync, Severity: Warning,
		Title: "Another controller makes Secrets of SecretSyncs",
		What:  "Microsoft's Secret Store extension, or the public secrets-store-sync-controller, runs on this cluster.",
		Why:   "Two controllers that answer to the same SecretSyncs write the same Secrets against each other.",
		Do:    "Remove the other one before this project's controller is installed, or migrate to it by `--target=sse`.",
	}}
}
