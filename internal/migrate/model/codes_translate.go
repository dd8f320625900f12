package model

import (
	"cmp"
	"slices"
)

// translateCodes are the findings of stage translate.
func translateCodes() []Entry {
	codes := slices.Concat(
		translateClassCodes(), translateParameterCodes(), translatePathCodes(), translateNameCodes(), translateFileCodes(),
		translateTargetCodes(),
	)
	slices.SortFunc(codes, func(a, b Entry) int { return cmp.Compare(a.Code, b.Code) })
	return codes
}

// translateClassCodes are about classes as a whole.
func translateClassCodes() []Entry {
	return []Entry{
		{
			"M401", Blocking, "Class with mistakes",
			"The parameters of the SecretProviderClass could not be read: another finding names each mistake with its line.",
			"Whatever were made of a class that is understood in part would lack secrets that applications need.",
			"Correct the class (the old provider may have overlooked the mistake) and plan again.",
		},
		{
			"M402", Info, "Class that nobody mounts",
			"No pod template, not of suspended or idle workloads either, has a volume of the class.",
			"A Secret that nobody needs would lay a value into etcd for nothing.",
			"Nothing has to be done. If something that was not read needs the class, answer the decision of this code with yes; " +
				"otherwise delete the class after the migration.",
		},
		{
			"M403", Warning, "Secret of a class that nobody mounts",
			"An object uses a Secret that the class makes, but no pod mounts the class, without which the CSI driver neither makes " +
				"nor renews that Secret.",
			"The Secret, if it is there, holds an old value and is deleted with the last of its owners.",
			"Answer the decision of M402 with yes to have the Secret kept in step from now on, or remove what uses it.",
		},
		{
			"M404", Blocking, "Class without a service account",
			"Stage prepare planned no service account and no identity for the class.",
			"A SecretSync signs in with the token of a service account; without one it reads nothing.",
			"Answer the decisions of stage prepare for this class, then plan again.",
		},
		{
			"M405", Blocking, "Class patched by a kustomization",
			"The folder holds a patch of the class that a kustomization lays over it, and the patch cannot be made to reach the " +
				"class's successor as well: the message says why. Patches that set another vault, or other objects whose files have " +
				"the same names, get both names as their target, and are no finding.",
			"What the overlay says of the old class would not be true of the new one: it would read another vault, or give other " +
				"files than the SecretSync and the volumes list. So the class, and what mounts it, wait.",
			"Do away with the reason that the message gives: give objects of other names an objectAlias, list the patch under " +
				"patches by a path to a file of its own, or put the whole class into each overlay; then plan again.",
		},
		{
			"M406", Warning, "Editing in place breaks the way back",
			"The guide's order edits the class itself, and clientID in it makes the old provider sign in by workload identity, past " +
				"the credentials of nodePublishSecretRef.",
			"Putting the old extension back is then not enough: pods would not start until the class is restored too.",
			"Keep akv-spe-spc-backup.yaml, and restore the class before the extension. The strategy zero-downtime leaves the class " +
				"alone.",
		},
	}
}

// translateParameterCodes are about parameters of a class.
func translateParameterCodes() []Entry {
	return []Entry{
		{
			"M407", Warning, "Parameter or field without effect",
			"The class holds a parameter, or an object holds a field, that is not known, or says the same twice.",
			"It may be a slip of the pen, and what was meant never took effect; or a feature of the old provider that the Secret " +
				"Store has not.",
			"Look it up. It is carried over as it is and does no harm.",
		},
		{
			"M408", Info, "Sovereign cloud",
			"The class names an Azure cloud other than the public one.",
			"Entra and Key Vault have other addresses there.",
			"AzureUSGovernmentCloud and AzureChinaCloud are known. Any other cloud has to be described to the controller by its " +
				"option --cloudFile, and federated credentials need the audience of that cloud.",
		},
		{
			"M409", Blocking, "Cloud that the target refuses",
			"The class names an Azure cloud other than the public one, and Microsoft's Secret Store extension accepts no cloudName.",
			"It would ask the public cloud for a vault that is not there.",
			"Migrate to this project's controller (--target=secretstore), or leave the class to the old extension.",
		},
		{
			"M410", Warning, "Version history that gives one file more",
			"The Azure provider up to v1.8.2 gives n + 1 versions where objectVersionHistory says n; the Secret Store gives n.",
			"An application may read the last of them. On the other hand a vault that holds fewer enabled versions than are asked for " +
				"leaves its SecretSync at PartialSync, and the migration stops there.",
			"Nothing, if the vault holds n + 1 enabled versions: the number is raised by one. Otherwise answer the decision of this " +
				"code.",
		},
		{
			"M411", Blocking, "Version history that has to be changed by hand",
			"The line of objectVersionHistory could not be told for certain in the text of `objects`, such as where the number is " +
				"written by a YAML alias, or an object is listed twice.",
			"The rest of the text must stay as it is, so the tool does not write it anew.",
			"Raise the number in the class by hand and answer the decision of M410 with the number that the class then says, or take " +
				"the alias or the second entry out.",
		},
	}
}

// translatePathCodes are about Secrets of secretObjects and what they are made of.
func translatePathCodes() []Entry {
	return []Entry{
		{
			"M412", Blocking, "Key made of nothing",
			"An entry of secretObjects names an object that the class does not give. The name there, as in sourcePath, is the alias " +
				"of an object that has one, and with a history it ends with /0, /1 and so on.",
			"The CSI driver makes no Secret from such an entry, and a SecretSync would not either.",
			"Correct objectName in secretObjects, or remove the entry.",
		},
		{
			"M413", Info, "Unknown type of Secret",
			"secretObjects asks for a type that the CSI driver does not know, of which it makes an Opaque Secret.",
			"The type of a Secret cannot change, so the new one must have the type that the old one has.",
			"Nothing has to be done.",
		},
		{
			"M414", Blocking, "Secret that cannot be made",
			"The type of the Secret is one that the controller does not make (tokens of service accounts, bootstrap tokens), or a key " +
				"is missing, illegal or given twice.",
			"Kubernetes acts on token Secrets, so whoever could have one made would gain rights of others; and it refuses typed " +
				"Secrets without their keys.",
			"Correct secretObjects as the message says, or provide this Secret in another way and remove the entry.",
		},
		{
			"M415", Warning, "Certificate alone for a TLS server",
			"The Secret feeds a TLS server from an object of objectType cert, which is the certificate alone.",
			"It holds neither the intermediate certificates nor the private key: handshakes fail, or fail for some clients.",
			"Read it as objectType secret: that gives key and chain. The bytes are carried over as they were.",
		},
		{
			"M416", Blocking, "Private key that is not there",
			"tls.key is made of an object of objectType cert, which holds no private key.",
			"The Secret could not be made, neither by the CSI driver nor by a SecretSync.",
			"Read the object as objectType secret.",
		},
		{
			"M432", Warning, "Reserved label or annotation",
			"secretObjects gives the Secret a label or an annotation that belongs to the controller.",
			"The controller knows its Secrets by it and refuses a SecretSync that asks for it.",
			"Nothing has to be done: it is left out. If something selects by it, give it a label of another name.",
		},
	}
}

// translateNameCodes are about names.
func translateNameCodes() []Entry {
	return []Entry{
		{
			"M417", Needed, "Two classes make one Secret",
			"Two classes of a namespace, or two entries of one, name the same Secret in secretObjects.",
			"With the CSI driver the pod that was mounted last won. A Secret has one SecretSync, so one class must keep the name.",
			"Decide for each class: the Secret's name, another name (what reads it is changed), or `(shared)` where one Secret serves " +
				"both.",
		},
		{
			"M418", Needed, "Secret of somebody else",
			"A Secret of the name exists that does not carry the CSI driver's label, and belongs to no SecretSync.",
			"It would be overwritten, or stand in the way for ever; the controller leaves what it did not make alone.",
			"Choose another name, or delete the Secret if it is a left-over and plan again.",
		},
		{
			"M419", Needed, "Name that no Secret can have",
			"Kubernetes allows lower-case letters, digits, hyphens and dots in names of Secrets; the name has others, or differs from " +
				"another one in letter case alone.",
			"The CSI driver could not make the Secret either; in lower case two names would become one.",
			"Choose a name; what reads the Secret is changed to it.",
		},
		{
			"M420", Needed, "Secret that cannot be changed",
			"The Secret is immutable, or has another type than the class asks for.",
			"Kubernetes refuses to change either, so a new value would never reach it.",
			"Choose a name for a new Secret; what reads the old one is changed. Or delete the Secret when nothing reads it, and plan " +
				"again.",
		},
		{
			"M421", Needed, "Name that is taken",
			"The name that the tool makes up for a new Secret (`<class>-files`, `<secret>-sse`) is that of an object that exists or " +
				"is planned, or is too long.",
			"Two owners of one Secret would undo each other's work.",
			"Choose a name.",
		},
		{
			"M422", Needed, "Name of a class that is taken",
			"The name that the tool makes up for the new class (`<class>-sse`) is that of another SecretProviderClass, or is too " +
				"long.",
			"Overwriting it would change what its pods mount.",
			"Choose a name.",
		},
		{
			"M423", Blocking, "Answer that cannot be used",
			"The answer in plan.yaml is no name that Kubernetes allows, is taken, or is no number in range.",
			"Nothing is guessed in place of an answer.",
			"Correct the answer in plan.yaml and plan again.",
		},
	}
}

// translateFileCodes are about the files of a mounted volume.
func translateFileCodes() []Entry {
	return []Entry{
		{
			"M424", Info, "File under another key",
			"The name of a file is no key that a Secret may have, because of a directory or a character.",
			"The keys of a Secret have no directories.",
			"Nothing has to be done: the value lies under a safe key, and `items` of the volume give the file its name back.",
		},
		{
			"M425", Warning, "File permission out of reach",
			"filePermission has the set-user, set-group or sticky bit.",
			"Files of a Secret volume have the nine bits of owner, group and others only.",
			"Nothing, unless the application looks at those bits.",
		},
		{
			"M426", Warning, "Certificates in files of their own",
			"The old provider was told to write certificate and key into `.crt` and `.key` files beside the combined one. Only the " +
				"vault knows which secrets are certificates; those are taken for ones whose files a workload or secretObjects names.",
			"An application may read those files under names that nothing shows. A secret that is no certificate cannot give them, and " +
				"would leave its SecretSync at PartialSync, so that it is not proposed.",
			"Answer the decision of this code, one for each class, with the names of the certificates whose two files are read, " +
				"separated by commas; or with none or all.",
		},
		{
			"M427", Warning, "Secret that may be too large",
			"A Secret holds 1 MiB, a value of Key Vault up to 25 KiB, and there are more than 40.",
			"If the sum is larger, the SecretSync says so and nothing goes on.",
			"Nothing, if the values are small, as most are. Otherwise answer the decision of this code with yes: the files are spread " +
				"over several Secrets that one volume joins. Keys of secretObjects have to be spread by hand.",
		},
		{
			"M433", Info, "PFX and encodings",
			"Objects have objectFormat pfx, or an objectEncoding that is undone before the value is written.",
			"Both providers turn the bytes of the vault into others, which has to come out the same.",
			"Nothing has to be done: they are carried over, and the bytes are compared before anything reads them.",
		},
		{
			"M434", Info, "Object that nobody reads",
			"No container mounts a volume of the class, and secretObjects does not name the object.",
			"The old provider fetched it all the same; a SecretSync fetches only what it maps.",
			"Nothing has to be done.",
		},
	}
}

// translateTargetCodes are about the systems before and after.
func translateTargetCodes() []Entry {
	return []Entry{
		{
			"M428", Info, "Class that no AKVSync can express",
			"AKVSyncs were asked for, and the class has something that they have no field for.",
			"A Secret with other bytes or other keys would break what reads it.",
			"Nothing has to be done: the class becomes a SecretProviderClass and SecretSyncs, which do the same.",
		},
		{
			"M429", Blocking, "Path or key that the target refuses",
			"The definition of SecretSync in Microsoft's extension allows letters and digits, with single hyphens, dots or " +
				"underscores between them, and not as the second character.",
			"The API server would refuse the object.",
			"Give the object an objectAlias of letters, digits and hyphens, or the Secret another key, and change what reads it; or " +
				"migrate to this project's controller (--target=secretstore), which takes every legal key.",
		},
		{
			"M430", Warning, "Driver that rewrites Secrets",
			"The CSI driver since version 1.6.0 writes every Secret that it made again every 5 minutes, by its name.",
			"It may put its label and owners back on a Secret that was handed over, as long as it runs and a pod mounts the class.",
			"Hand over when no pod mounts the class any more and 5 minutes have passed, remove the driver soon after, and look at the " +
				"Secrets' owners again at clean-up, as the plan says.",
		},
		{
			"M431", Info, "Hand-over happens in the cluster",
			"The CSI driver's Secrets exist in the cluster, owned by pods' owners, and no manifest describes them.",
			"A SecretSync of the same name, applied without hand-over, finds a Secret that is not its own and waits.",
			"Apply the manifests of the hand-over last, and run the migration against the cluster for its other steps.",
		},
	}
}
