package model

import (
	"slices"
	"strings"
)

// workloadsCodes are the findings of stage workloads.
func workloadsCodes() []Entry {
	codes := slices.Concat(workloadsClassCodes(), workloadsFileCodes(), workloadsPaceCodes(), workloadsRolloutCodes(),
		workloadsPodCodes(), workloadsReferenceCodes())
	slices.SortFunc(codes, func(a, b Entry) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return codes
}

// workloadsClassCodes are about classes that keep a workload from being changed.
func workloadsClassCodes() []Entry {
	return []Entry{
		{
			Code: "M501", Severity: Blocking, Title: "A class that the workload uses cannot be taken over",
			What: "A volume of the workload, or a Secret that it reads, comes of a SecretProviderClass that is missing, is broken, " +
				"gives no files, or holds something that cannot be translated.",
			Why: "A workload is changed whole or not at all: one whose volumes came half from the CSI driver and half from Secrets " +
				"would roll twice, and could not start once the driver is gone.",
			Do: "Look at the findings about the class and mend it there, or take the volume out of the workload if nobody needs it. " +
				"Then plan again.",
		},
		{
			Code: "M502", Severity: Needed, Title: "A class that the workload uses waits for a decision",
			What: "A volume of the workload, or a Secret that it reads, comes of a SecretProviderClass about which something has to " +
				"be decided.",
			Why: "Until then it is not known which Secrets hold the workload's files, so nothing is done to it.",
			Do:  "Answer the decision of the class in plan.yaml and plan again; the workload needs no answer of its own.",
		},
		{
			Code: "M521", Severity: Warning, Title: "One class is mounted with several credentials",
			What: "Volumes of workloads in one namespace name the same class with different nodePublishSecretRefs, or some with none.",
			Why: "The CSI driver signed in for each pod with the pod's own credentials. A SecretSync signs in once for all of them: " +
				"what only one of the old principals could read must be granted to the new identity, and can then be read by all.",
			Do: "Decide in stage prepare which identity reads the class. If the difference was meant as a boundary, give each side a " +
				"class and a namespace of its own.",
		},
	}
}

// workloadsFileCodes are about the volumes and their files.
func workloadsFileCodes() []Entry {
	return []Entry{
		{
			Code: "M503", Severity: Info, Title: "A volume that no container mounts goes",
			What: "The pod has a CSI volume without any mount. It was there so that the driver wrote the class's Secrets.",
			Why:  "The Secrets are made by SecretSyncs now, whether a pod runs or not; the volume would only keep pods from starting.",
			Do:   "Nothing. The volume is taken out of the template.",
		},
		{
			Code: "M504", Severity: Info, Title: "A volume may be mounted only so that Secrets are written",
			What: "The workload mounts a class and also reads, by reference, a Secret that the same class makes.",
			Why: "The CSI driver writes Secrets only for volumes that are mounted, so many pods mount files that no program reads. " +
				"It cannot be seen from outside which. Keeping the files is always right; without them the pod is simpler.",
			Do: "Nothing, and the files are kept. If you know that no program reads them, answer `remove` in plan.yaml.",
		},
		{
			Code: "M505", Severity: Warning, Title: "A group may read files that only their owner could",
			What: "The class sets filePermission without read permission for the group, and the pod has a securityContext.fsGroup.",
			Why: "The kubelet gives the files of a Secret to the pod's fsGroup and lets it read them: 0400 becomes 0440, 0600 " +
				"becomes 0640. Programs that insist on private files, as ssh does, refuse such keys.",
			Do: "Try it on one pod. If the program refuses, take fsGroup out of the pod, or let an init container copy the file into " +
				"an emptyDir of medium Memory with the mode that is wanted.",
		},
		{
			Code: "M506", Severity: Warning, Title: "The pods run on Windows",
			What: "The workload is meant for Windows nodes.",
			Why: "Windows has no file modes: defaultMode and items[].mode have no effect, and files are readable by every user of " +
				"the container. Files of a Secret are links that change their target, which some Windows programs do not follow. The " +
				"controller that makes the Secrets needs a Linux node.",
			Do: "Have one Linux node at least, and try one pod before the others. Paths with drive letters stay as they are.",
		},
		{
			Code: "M507", Severity: Info, Title: "A file mounted by subPath never changes",
			What: "A container mounts a single file of the volume by subPath.",
			Why: "The kubelet never updates such a mount, with a CSI volume or with a Secret: the container sees the value of its " +
				"start.",
			Do: "Nothing, if a restart is how values are taken over. Otherwise mount the whole volume in a folder, and let the " +
				"program read the file there.",
		},
	}
}

// workloadsPaceCodes are about what happens to files, and to pods for their sake, from now on.
func workloadsPaceCodes() []Entry {
	return []Entry{
		{
			Code: "M508", Severity: Info, Title: "Files follow the vault from now on",
			What: "The driver's rotation is off, or was not seen to be on, so mounted files stay as they were when the pod started.",
			Why: "A SecretSync is checked every hour, and the kubelet renews the files of a Secret about a minute later, while the " +
				"pod runs. A program that reads its files again meets new values without a restart.",
			Do: "Check that the program can bear that. Where it must not, read the value by environment or by subPath, or pin " +
				"objectVersion in the class.",
		},
		{
			Code: "M528", Severity: Info, Title: "Files follow the vault at another pace",
			What: "The driver renewed mounted files at its own interval. From now on the interval of the SecretSyncs counts.",
			Why: "A new value reaches pods later, or sooner, than people are used to: the worst case is the check interval, the " +
				"jitter and about a minute of the kubelet's.",
			Do: "Set rotationPollIntervalInSeconds if the difference matters, and mind the vault's limits. One Secret is checked at " +
				"once by changing its SecretSync's forceSynchronization.",
		},
		{
			Code: "M525", Severity: Info, Title: "The workload may have no purpose any more",
			What: "It mounts classes, reads none of their Secrets itself, and other workloads read them without a volume.",
			Why: "Some clusters run a pod for nothing but to keep the CSI driver writing Secrets. A SecretSync needs no such pod. " +
				"The workload is changed like any other, because it cannot be seen whether it does something else.",
			Do: "If it is such a keeper, delete it once the Secrets are handed over. It is never deleted for you.",
		},
	}
}
