package model

// The codes of what reading Azure has to say, M182 to M188.
const (
	AzureNotAsked Code = "M182"
	AzureNoLogin  Code = "M183"
	AzureUnread   Code = "M184"
)

// azureReadCodes are the findings of reading Azure.
func azureReadCodes() []Entry {
	return []Entry{
		{
			Code: AzureNotAsked, Severity: Info, Title: "Azure was not asked",
			What: "Nothing was read of Azure, or not all: it was not said where the cluster is there.",
			Why: "Without Azure the plan does not know the extension's settings, the issuer that Azure publishes, or whether roles or " +
				"access policies rule a vault. It plans steps that find out, and the extension's settings are not backed up.",
			Do: "Sign in (az login) and say --subscription, --resource-group and --cluster-name; or leave Azure to somebody else by " +
				"--no-azure.",
		},
		{
			Code: AzureNoLogin, Severity: Warning, Title: "No login to Azure",
			What: "It was said where things are in Azure, but no login was found there that works.",
			Why:  "The plan is made without what Azure knows, as if it had not been asked (M182).",
			Do: "Sign in with az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, and run again; or leave Azure " +
				"to somebody else by --no-azure.",
		},
		{
			Code: AzureUnread, Severity: Warning, Title: "Something in Azure could not be read",
			What: "Azure was asked for the cluster, its extensions or a vault, and refused, or knows none of that name.",
			Why: "The plan is made without it. Steps that need it find out for themselves, and fail if the login that runs them may not " +
				"either.",
			Do: "Do what the message says: mostly the name, --subscription or --resource-group is another one, or the login lacks the " +
				"role Reader there.",
		},
	}
}
