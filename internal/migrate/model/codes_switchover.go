package model

import "slices"

// switchoverCodes are the findings of stage switchover.
func switchoverCodes() []Entry { return slices.Concat(uninstallCodes(), installCodes()) }

// uninstallCodes are about the driver.
func uninstallCodes() []Entry {
	return []Entry{
		{
			"M301", Needed, "The guide's order means an outage",
			"Under the strategy guide the driver is uninstalled before workloads are changed.",
			"From then on every pod with a volume of the driver that starts, restarts or moves to another node hangs until its workload " +
				"is updated, and running ones may hang when they end.",
			"Plan a window, and answer the decision M301/outage with accept. Pods that hang in Terminating then, as those of " +
				"StatefulSets and DaemonSets do, hold their rollout up until somebody lets them go: kubectl delete pod NAME --force " +
				"--grace-period=0. Or take the strategy zero-downtime, which needs none of that.",
		},
		{
			"M302", Blocking, "The outage was refused",
			"The decision M301/outage was answered with something else than accept.",
			"Under the strategy guide everything that follows depends on the driver being gone.",
			"Use --strategy=zero-downtime, or change the answer in plan.yaml when there is a window.",
		},
		{
			"M303", Warning, "The driver cannot be removed yet",
			"Some workloads keep their volumes of the driver: they are static pods, or wait for a decision, or were left out by one.",
			"Without the driver the kubelet cannot unmount such volumes, and their pods hang in Terminating.",
			"Decide about them or change them by hand. Until then the driver and the new way run beside each other, which harms neither.",
		},
		{
			"M304", Warning, "The driver has to stay",
			"Besides Azure's, other providers (AWS, Google Cloud, Vault and so on) are served by the same CSI driver.",
			"Arc's extension and the add-on of AKS remove driver and Azure provider together; pods of the others could no longer start.",
			"Leave it where it is, or bring the driver by its own chart in the window in which the extension goes. The step says how.",
		},
		{
			"M305", Info, "How the driver was installed was not seen",
			"No DaemonSet of the CSI driver is among what was read, as is usual for a folder of manifests.",
			"What it takes to uninstall it depends on how it came: Arc, AKS, Helm, manifests.",
			"Plan from the cluster to have that step as well.",
		},
	}
}

// installCodes are about the new controller, and about what the driver leaves behind.
func installCodes() []Entry {
	return []Entry{
		{
			"M306", Warning, "Another controller of SecretSyncs is installed",
			"Microsoft's extension or the public sync controller already makes Secrets of SecretSyncs on this cluster.",
			"Both would act on the SecretSyncs of this migration. secretstore stands back from what another one wrote last, so " +
				"the Secrets " +
				"would stay with the other.",
			"Move from it first, as docs/guide/adopt.md says, or use --target=sse.",
		},
		{
			"M307", Blocking, "Microsoft's extension does not run beside this controller",
			"Another controller of SecretSyncs is installed, and the target is Microsoft's extension.",
			"The extension brings the same definitions and would act on the same objects.",
			"Uninstall the other one first, or use --target=secretstore.",
		},
		{
			"M308", Blocking, "Microsoft's extension needs the guide's order",
			"The target is Microsoft's extension and the strategy zero-downtime, which puts the new way beside the old one.",
			"Microsoft does not support its two extensions on one cluster at the same time.",
			"Use --strategy=guide and plan a window, or --target=secretstore, which runs beside the driver.",
		},
		{
			"M309", Warning, "This version of the driver writes Secrets again and again",
			"From version 1.6.0 the CSI driver rewrites the Secrets of its classes every 5 minutes, not only when a pod mounts them.",
			"A Secret that was handed over too early gets the driver's label and owners back.",
			"Nothing: Secrets are handed over only after no pod mounts their class. Do not shorten that wait.",
		},
		{
			"M310", Info, "The definitions have to survive the driver",
			"SecretProviderClass is defined by the driver's project. The old and the new classes are objects of that definition.",
			"If it is part of the Helm release that is uninstalled, it goes with it, and every class with it.",
			"Nothing beyond the planned steps: save before, look after, apply what was saved if it is gone.",
		},
		{
			"M311", Info, "Azure IoT Operations is on this cluster",
			"An extension of Azure IoT Operations was found. It brings cert-manager itself, and admission policies of its own.",
			"Microsoft installs the Secret Store extension there without its own policies.",
			"Nothing: the planned command has the setting validatingAdmissionPolicies.applyPolicies=false.",
		},
	}
}
