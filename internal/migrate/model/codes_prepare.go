package model

import (
	"cmp"
	"slices"
)

// prepareCodes are the findings of stage prepare.
func prepareCodes() []Entry {
	codes := slices.Concat(prepareClusterCodes(), prepareIssuerCodes(), prepareIdentityCodes(), prepareVaultCodes())
	slices.SortFunc(codes, func(a, b Entry) int { return cmp.Compare(a.Code, b.Code) })
	return codes
}

// prepareClusterCodes are about the cluster as a whole.
func prepareClusterCodes() []Entry {
	return []Entry{
		{
			"M201", Info, "Try it elsewhere first",
			"A migration changes how a cluster signs in to Azure and how every application gets its secrets.",
			"Some steps are hard to take back: a restarted API server, revoked rights. What is special about your applications shows " +
				"when it is tried, not when it is read.",
			"Go the whole way once on a cluster that is not production, rolling back included.",
		},
		{
			"M202", Needed, "Values will lie in etcd",
			"A CSI volume holds secrets in the memory of a node. After the migration they are Kubernetes Secrets: in etcd, in its " +
				"backups, and within reach of whoever may read Secrets.",
			"That has to be acceptable before anything is changed, not after. RBAC on Secrets, the audit policy and encryption at " +
				"rest of etcd now protect these values; the last cannot be seen from within the cluster.",
			"Look at who may get Secrets (`kubectl auth can-i`, and the roles with wildcards), that the audit policy logs Secrets " +
				"by metadata only, and that the API server has an encryption-provider-config. Then answer the decision M202/etcd " +
				"with accept, or with stop.",
		},
		{
			"M203", Blocking, "Values must not lie in etcd",
			"The decision M202/etcd was answered with something else than accept.",
			"Every other step would end with Secrets in etcd.",
			"Keep the CSI driver; it goes on as before. To migrate all the same, change the answer in plan.yaml.",
		},
		{
			"M204", Blocking, "Kubernetes is too old",
			"The cluster runs a version before Kubernetes 1.27.",
			"Neither the controller nor Microsoft's extension is supported there, and the fields that they rely on are missing.",
			"Upgrade the cluster first, then run this again.",
		},
		{
			"M205", Warning, "No admission policies before Kubernetes 1.30",
			"Validating admission policies are on by default from Kubernetes 1.30. This cluster is older.",
			"They are what holds the controller to its own Secrets. Without them the chart demands a list of namespaces, in which " +
				"the controller then gets Roles instead of one ClusterRole.",
			"Install the chart with namespaces: every namespace that has a class in use. Or upgrade the cluster before.",
		},
	}
}

// prepareIssuerCodes are about the cluster's tokens and certificates.
func prepareIssuerCodes() []Entry {
	return []Entry{
		{
			"M206", Warning, "The cluster's issuer is not the one that Azure publishes",
			"The API server's discovery document names another issuer than the cluster's profile in Azure, be it by a slash.",
			"Entra compares the issuer of a token letter by letter with that of the federated credential, and fetches keys from the " +
				"address in Azure. Tokens of another issuer are refused (AADSTS700211).",
			"Set service-account-issuer to Azure's URL, keeping the old one as the second value so that tokens in use stay valid, and " +
				"restart the API server. The step says how on your distribution.",
		},
		{
			"M207", Info, "The issuers could not be compared",
			"Either the cluster's discovery document or the cluster's profile in Azure was not read.",
			"Whether the API server's flags have to change is not known, so the step is planned.",
			"Compare `kubectl get --raw /.well-known/openid-configuration` with oidcIssuerProfile.issuerUrl of `az connectedk8s " +
				"show`. If " +
				"they are equal to the last character, leave the step with the flags out.",
		},
		{
			"M208", Warning, "The OIDC issuer is off in Azure",
			"The cluster is known in Azure, but its oidcIssuerProfile is not enabled.",
			"Without it nobody publishes the keys by which Entra checks the cluster's tokens.",
			"Run the planned command; it also updates the Arc agents of the cluster.",
		},
		{
			"M230", Warning, "The open-source cert-manager has to make room",
			"Microsoft's Secret Store extension needs its own packaging of cert-manager and trust-manager and does not run beside the " +
				"open-source ones.",
			"Installations that do not keep the definitions lose every Certificate and Issuer with them, and no certificate is " +
				"renewed until the other one runs.",
			"Save all objects first, see that the definitions are kept, and uninstall it yourself. Or migrate to secretstore, which " +
				"needs no cert-manager.",
		},
	}
}

// prepareIdentityCodes are about who reads the vaults.
func prepareIdentityCodes() []Entry {
	return []Entry{
		{
			"M210", Info, "The class uses workload identity already",
			"The class names a client ID, so its pods sign in by workload identity today.",
			"That identity has the rights on the vault already. It trusts the service account of the pods, though, not yet the one that " +
				"SecretSyncs will sign in with.",
			"Nothing: the identity is kept and gets one more federated credential. Answer the decision of this code with new to have " +
				"the class read by an identity of this migration instead.",
		},
		{
			"M211", Needed, "The vault is in another tenant",
			"The class names a tenant that is not the one of the cluster's identities.",
			"A managed identity belongs to one tenant and gets no rights in another.",
			"Have an app registration or a managed identity made in the vault's tenant that may read the vault, and answer its client " +
				"ID. The plan then says which service account it has to trust. Or answer leave.",
		},
		{
			"M212", Needed, "The vault is in another cloud",
			"The class names a cloud that is not the one of most classes.",
			"Clouds have tenants, identities and sign-in addresses of their own; an identity of one is unknown in the other.",
			"Have an identity made in the vault's cloud that may read the vault, and answer its client ID. The issuer of this " +
				"cluster has " +
				"to be reachable from there. Or answer leave.",
		},
		{
			"M213", Blocking, "Nobody reads the vault",
			"By the operator's answer no identity is planned for the class.",
			"Without one its secrets cannot be fetched, and the workloads that mount it stay with the CSI driver, which then has to stay.",
			"Name an identity in plan.yaml when there is one, or retire the workloads.",
		},
		{
			"M214", Info, "More than one identity for one principal",
			"More namespaces read as one old principal than one managed identity may have federated credentials.",
			"Azure allows 20 on an identity, and each namespace needs one. 18 are used: a place for a namespace to come, and one to " +
				"put a new credential beside an old one, as a new issuer needs it.",
			"Nothing. What a later class of these namespaces needs has to be granted to the identity of its namespace.",
		},
	}
}

// prepareVaultCodes are about rights on vaults.
func prepareVaultCodes() []Entry {
	return []Entry{
		{
			"M220", Info, "The vault is ruled by access policies",
			"The vault does not use Azure's roles for its contents, so role assignments have no effect there.",
			"An access policy counts for the whole vault: it cannot be narrowed to single secrets.",
			"Nothing: the plan grants Get on the kinds of objects that are read, and List where a history is. Moving the vault " +
				"to roles is " +
				"a change of its own.",
		},
		{
			"M221", Info, "The vault was not looked at",
			"Azure was not asked, so the vault's ARM ID and whether roles or access policies rule it are not known.",
			"Both ways to grant rights are planned; the steps read which of the two is right.",
			"Run the plan with a login to Azure to have one of the two, or let the script find out.",
		},
		{
			"M222", Warning, "The vault was not found",
			"Azure was asked, but no vault of this name is in the subscriptions that the login sees.",
			"It may be in another subscription, in another tenant, or gone, in which case its pods do not start today either.",
			"Look for it (`az keyvault list --subscription ID`), and give its subscription to the commands that read it.",
		},
		{
			"M223", Info, "How far a role reaches",
			"A role can be given on the whole vault or on each secret that the classes name.",
			"On single secrets it is the least that will do, but the vault cannot be listed then: every check reads each secret, " +
				"and each " +
				"new secret needs a new assignment.",
			"Nothing: the vault as a whole is planned. Answer the decision of this code with secret to have it narrow.",
		},
	}
}
