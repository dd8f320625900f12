package model

// verifyCodes are the findings of stage verify.
func verifyCodes() []Entry {
	return []Entry{
		{
			"M601", Info, "Who can read the values now",
			"The values are in Secrets. Whoever may get, list or watch Secrets of a namespace reads them, and so does whoever " +
				"may start pods " +
				"there.",
			"With the CSI driver only the pod, its node and whoever may exec into the pod saw them.",
			"Go through the subjects that the planned commands list, namespace by namespace. Take wildcards and rights of whole groups " +
				"back where they are not needed.",
		},
		{
			"M602", Info, "Encryption at rest was not seen",
			"Whether the API server encrypts Secrets in etcd is set by a file beside it, which no request shows.",
			"Without it the values lie in etcd, its disks and its backups as they are.",
			"Look for --encryption-provider-config among the API server's flags (K3s: secrets-encryption status; managed " +
				"clusters: their own " +
				"setting), and make sure that its first provider is not identity.",
		},
		{
			"M603", Warning, "The old class stays",
			"A workload that still mounts the class cannot be changed, or waits for a decision.",
			"Its pods would not start without the class.",
			"Decide about that workload, or change it by hand, then plan the clean-up again.",
		},
		{
			"M604", Warning, "Credentials stay",
			"Volumes of workloads that cannot be changed yet sign in with this Secret.",
			"Without it their pods would not start, and a way back would be cut off.",
			"Decide about those workloads, or change them by hand, then plan the clean-up again.",
		},
		{
			"M605", Needed, "Something else uses the credentials",
			"Besides volumes of the CSI driver another object refers to the Secret, by environment or by a volume.",
			"It would stop when the Secret is deleted or its principal is disabled, long after the migration looked done.",
			"Answer keep, or give that object an identity of its own first and answer delete.",
		},
		{
			"M606", Info, "What becomes of the service principal",
			"The principal's credentials lay in Secrets of this cluster. After the migration the cluster does not need it.",
			"It keeps its rights until they are revoked, and its secret may be in backups. Yet other clusters or pipelines may " +
				"use it, which " +
				"nothing in this cluster shows.",
			"Look at its sign-ins in Entra, then answer the decision of this code: keep, revoke, disable or delete. What was not " +
				"answered is " +
				"planned as revoke, behind a gate of its own; with other uses in this cluster as keep.",
		},
		{
			"M607", Info, "Rights of managed identities stay",
			"Some volumes sign in as the managed identity of a node, of a pod, or by workload identity.",
			"Such an identity serves more than this migration sees, so its rights are not planned to be revoked.",
			"Revoke its rights on the vaults by hand if nothing else needs them.",
		},
		{
			"M608", Info, "The state folder stays",
			"Backups, decisions and the journal are in the state folder. No value of a secret is in it, but names of workloads, " +
				"vaults and principals are.",
			"It is the way back. It is also of no use to anybody else.",
			"Remove it when no way back is needed any more; no step does it unasked.",
		},
	}
}
