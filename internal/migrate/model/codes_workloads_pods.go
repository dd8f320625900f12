package model

// workloadsRolloutCodes are about what replaces pods, or does not.
func workloadsRolloutCodes() []Entry {
	return []Entry{
		{
			Code: "M510", Severity: Warning, Title: "Something else deploys the object",
			What: "Labels, annotations or field managers show that Helm, Argo CD or Flux deploys the object.",
			Why: "What is changed in the cluster would be set back by the next deployment, and the pods would look for the CSI " +
				"driver again.",
			Do: "Make the change where it is deployed from: run this command over the repository with --from, or apply the patch " +
				"that is written out to the chart's values. Use --force-live only to bridge the time until then.",
		},
		{
			Code: "M511", Severity: Warning, Title: "Nothing replaces the pods: OnDelete",
			What: "The update strategy of the StatefulSet or DaemonSet is OnDelete.",
			Why: "A new template counts for a pod only when somebody deletes it. Pods that are not deleted keep their CSI volume and " +
				"hold up the driver's removal; once the driver is gone they hang in Terminating.",
			Do: "After the change delete the pods one by one, each when the one before is ready again. A deletion asks no " +
				"PodDisruptionBudget, an eviction does.",
		},
		{
			Code: "M512", Severity: Warning, Title: "A partition holds pods back",
			What: "The StatefulSet has a rolling update with a partition, so pods with lower numbers keep the old template.",
			Why:  "These pods keep their CSI volume, also when they are made anew, and hold up the driver's removal.",
			Do: "When the pods above the partition are ready, set the partition to 0 (step by step, if that is how you roll), and " +
				"wait until all pods are replaced.",
		},
		{
			Code: "M513", Severity: Warning, Title: "The Deployment is paused",
			What: "spec.paused is true.",
			Why: "The template is changed, but no pod is replaced until somebody resumes the Deployment. Whatever else was changed " +
				"while it was paused is rolled out with it.",
			Do: "Find out why it is paused, then resume it with `kubectl rollout resume` and wait with `kubectl rollout status`. The " +
				"driver stays until its pods are replaced.",
		},
		{
			Code: "M514", Severity: Warning, Title: "Nothing replaces the pods: no Deployment",
			What: "A ReplicaSet or ReplicationController stands alone.",
			Why: "It makes pods, but never replaces one because its template changed. Its pods keep their CSI volume and hold up the " +
				"driver's removal.",
			Do: "After the change delete one pod and see that the new one starts, then delete the others one by one. A " +
				"PodDisruptionBudget is heeded by evictions only. Consider a Deployment, which does all this.",
		},
		{
			Code: "M516", Severity: Info, Title: "A CronJob changes with its next Job",
			What: "The template of the CronJob is changed.",
			Why:  "Jobs that it made already keep the template that they were made of, and need the CSI driver until they end.",
			Do: "Wait until running Jobs have ended before the driver is removed; the gate does. Make one Job by hand to see that " +
				"it works.",
		},
	}
}

// workloadsPodCodes are about what cannot be changed in place.
func workloadsPodCodes() []Entry {
	return []Entry{
		{
			Code: "M515", Severity: Needed, Title: "A Job that has not ended cannot be changed",
			What: "The Job has a CSI volume, and the template of a Job can never be changed, not even while it is suspended.",
			Why: "It ends as it began, or it is deleted and begins anew. Waiting holds up the driver's removal, and a retry starts a " +
				"pod that needs the driver; beginning anew may do work twice. Only you know which is worse.",
			Do: "Answer `wait`, `new` or `recreate` in plan.yaml. A Job that is suspended for good never ends: `recreate` keeps it " +
				"suspended.",
		},
		{
			Code: "M517", Severity: Warning, Title: "A pod stands alone",
			What: "The pod belongs to no controller, and has a CSI volume.",
			Why: "The volumes of a pod cannot be changed. It has to be deleted and made anew, and does not serve in between; unless " +
				"somebody makes it anew it is gone.",
			Do: "Take the manifest that is written out, delete the pod when it suits and apply the manifest. Answer `recreate` in " +
				"plan.yaml to have it done for you. A Deployment would roll it without an outage.",
		},
		{
			Code: "M518", Severity: Blocking, Title: "A static pod cannot use a Secret",
			What: "The pod is the mirror of a file on a node, and mounts a class.",
			Why: "The kubelet makes it without the API server, and the API server refuses a mirror pod that names a Secret, a " +
				"ConfigMap or a service account. So the file cannot be changed to a Secret either.",
			Do: "Turn it into a DaemonSet or Deployment that is bound to the node, or bring the values onto the node in another way. " +
				"Delete the file on the node before the driver is removed.",
		},
		{
			Code: "M519", Severity: Needed, Title: "A pod template in an object of an unknown kind",
			What: "An object of a kind that Kubernetes itself does not have holds a pod template with a CSI volume, found by search.",
			Why: "The controller of that kind may copy the template, check it, set it back or replace pods in its own way. Whether " +
				"the path is the right place to change is for somebody to say who knows the kind.",
			Do: "Look the path up in the documentation of the kind. Answer `edit` in plan.yaml if it may be edited, `by-hand` if you " +
				"do it yourself.",
		},
		{
			Code: "M520", Severity: Warning, Title: "An ephemeral container cannot be taken along",
			What: "Somebody attached an ephemeral container to the running pod, and it mounts the volume.",
			Why:  "Ephemeral containers belong to one pod and may stand in no manifest: the new pod has none.",
			Do:   "End what is being debugged first, or attach a new one to the new pod with `kubectl debug`.",
		},
		{
			Code: "M526", Severity: Warning, Title: "Left as it is, by decision",
			What: "You decided that the object is not changed by this command.",
			Why:  "Its pods need the CSI driver, so the gate before the driver's removal waits for them.",
			Do:   "See that it ends, or is changed, before the driver is removed.",
		},
		{
			Code: "M527", Severity: Info, Title: "A Job that has ended is left alone",
			What: "The Job is complete or has failed for good. Its template still names a CSI volume.",
			Why:  "Pods that have ended hold no volume, so nothing waits for them; and a Job cannot be changed.",
			Do:   "Nothing. Where its manifest is kept for another run, change it there: run this command over the folder.",
		},
	}
}

// workloadsReferenceCodes are about what names classes and Secrets.
func workloadsReferenceCodes() []Entry {
	return []Entry{
		{
			Code: "M509", Severity: Info, Title: "Reloader's annotations name Secrets from now on",
			What: "Stakater's Reloader restarts the workload when a class's objects change, told by annotations that begin with " +
				"secretproviderclass.",
			Why: "Reloader sees such changes by the pod status objects of the CSI driver, which are no longer written. Without the " +
				"change pods would keep old values without a word. `auto` watches all Secrets that the pods use, not only those of the " +
				"vault.",
			Do: "Nothing, if Reloader watches Secrets, as it does unless told otherwise (--resources-to-ignore=secrets). Its CSI " +
				"integration can be switched off when no class is left.",
		},
		{
			Code: "M522", Severity: Blocking, Title: "A patch whose base is not in the folder",
			What: "A patch of a kustomization changes a CSI volume, and the object that it is merged into was not found.",
			Why: "What the patch says of the volume only means something together with its base. If the base's volume becomes a " +
				"Secret's and the patch stays, the volume has two sources and the API server refuses it.",
			Do: "Give --from a folder that holds the base as well. If the base comes from elsewhere, migrate it there, and take the " +
				"CSI part out of the patch at the same time.",
		},
		{
			Code: "M523", Severity: Info, Title: "A reference follows a Secret to its new name",
			What: "A Secret that the driver made has a successor of another name, or with other keys, and something reads it.",
			Why:  "A Secret's type cannot be changed and a name may be taken, so the successor could not have the old name.",
			Do: "Nothing for what is listed: it is edited. Look for references that no manifest shows, such as programs that read " +
				"Secrets from the API.",
		},
		{
			Code: "M524", Severity: Blocking, Title: "A reference to a Secret was not found again",
			What: "The object was seen to read a Secret that gets another name, but no field at that place holds the name.",
			Why:  "It cannot be edited, and would look for a Secret that nobody keeps.",
			Do:   "Edit the reference by hand to the new name, and report how it is written: the program should know it.",
		},
	}
}
