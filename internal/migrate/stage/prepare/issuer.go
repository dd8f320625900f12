package prepare

import (
	"cmp"
	"strings"

	"secretstore/internal/migrate/model"
)

// isAKS tells a cluster of Azure's own service from one that is connected by Arc.
func (p *planner) isAKS() bool { return p.survey.Installed.Flavour == model.FlavourAKS }

// issuerWord is the issuer as commands write it: the very text where it is known.
func (p *planner) issuerWord() string {
	if p.survey.Azure != nil {
		return cmp.Or(p.survey.Azure.IssuerURL, reference(varIssuer))
	}
	return reference(varIssuer)
}

// issuer plans what makes Entra able to check the cluster's tokens.
func (p *planner) issuer() {
	if len(p.units) == 0 || p.allProven() {
		return
	}
	azure, ours := p.survey.Azure, p.survey.Input.Issuer
	if azure == nil || !azure.IssuerEnabled {
		p.enableIssuer()
	}
	if azure == nil || azure.IssuerURL == "" {
		p.readIssuer()
	}
	if !p.isAKS() { // there Azure sets the API server up itself
		p.compareIssuers(azure, ours)
	}
	p.checkToken()
}

// compareIssuers plans the API server's flags where its issuer is not known to be the one that Azure publishes.
func (p *planner) compareIssuers(azure *model.Azure, ours string) {
	switch {
	case azure == nil || azure.IssuerURL == "" || ours == "":
		p.tell(codeIssuerSeen, clusterObject(), "The issuer of the cluster's tokens (%s) could not be compared with that of Azure "+
			"(%s).", cmp.Or(ours, "unknown"), p.issuerWord())
		p.flags()
	case azure.IssuerURL != ours:
		p.tell(codeIssuer, clusterObject(), "The API server issues tokens as %q, Azure publishes the keys as %q%s.", ours,
			azure.IssuerURL, slash(ours, azure.IssuerURL))
		p.flags()
	}
}

// slash points at the difference that is easily overlooked.
func slash(a, b string) string {
	if strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/") {
		return "; they differ in the slash at the end, which counts"
	}
	return ""
}

// enableIssuer switches the issuer on in Azure.
func (p *planner) enableIssuer() {
	if p.survey.Azure != nil && p.survey.Azure.Arc != "" {
		p.tell(codeIssuerOff, clusterObject(), "Azure does not publish the cluster's keys: the OIDC issuer is off.")
	}
	c := p.step(orderIssuerOn, model.Run, "issuer")
	c.Command = []string{
		"az", "connectedk8s", "update", "--name", p.cluster(), "--resource-group", p.group(), "--enable-oidc-issuer",
	}
	if p.isAKS() {
		c.Command = []string{"az", "aks", "update", "--name", p.cluster(), "--resource-group", p.group(), "--enable-oidc-issuer"}
	}
	c.Summary = "Switch the cluster's OIDC issuer on, so that Entra finds the keys that its tokens are signed with. Where " +
		"it is on " +
		"already nothing changes."
	c.Needs = []string{"the extension connectedk8s of the Azure CLI, 1.10.0 or later"}
	c.Risk = "The Arc agents of the cluster are updated as well."
	if p.isAKS() {
		c.Needs, c.Risk = nil, "On AKS an issuer cannot be switched off again."
	}
	c.Undo = "It need not be undone: an issuer that nothing trusts gives nobody anything."
	p.azure(c)
}

// readIssuer keeps the issuer's URL.
func (p *planner) readIssuer() {
	c := p.step(orderIssuerRead, model.Run, "issuer-url")
	kind := "connectedk8s"
	if p.isAKS() {
		kind = "aks"
	}
	c.Command = []string{
		"az", kind, "show", "--name", p.cluster(), "--resource-group", p.group(), "--query", "oidcIssuerProfile.issuerUrl",
		"--output", "tsv",
	}
	c.Sets = varIssuer
	c.Summary = "Read the issuer's URL, to the last character: a slash at its end belongs to it."
	c.Undo = "Nothing is changed by reading."
	p.azure(c)
}

// flags has the API server issue its tokens as Azure publishes its keys.
func (p *planner) flags() {
	c := p.step(orderFlags, model.Check, "issuer-flags")
	c.Manual = flagsText(p.survey.Input.Version, p.issuerWord(), cmp.Or(p.survey.Input.Issuer, "<the issuer until now>"))
	c.Command = []string{"kubectl", "get", "--raw", "/.well-known/openid-configuration"}
	c.Gate = &model.Gate{Kind: model.GateIssuer, Issuer: p.issuerWord()}
	c.Summary = "Set service-account-issuer (the new one first, the old one second) and service-account-max-token-expiration=24h " +
		"for the API server, restart it, and wait until its discovery document names " + p.issuerWord() + "."
	c.Risk = "Without the old issuer as the second one every token that pods hold is refused at once. While the only API server " +
		"of a cluster restarts, kubectl and controllers wait; pods go on."
	c.Undo = "Take the new issuer out of the flags, so that the old one is first again, and restart the API server."
	c.ByHand = "Flags of an API server are set where it runs, by the tools of the distribution."
	p.add(c)
}

// checkToken is the proof that tokens are as Entra wants them.
func (p *planner) checkToken() {
	u := p.units[0]
	c := p.step(orderTokenCheck, model.Check, "token")
	c.Command = []string{
		"kubectl", "create", "token", u.account, "--namespace", cmp.Or(u.namespace, varNamespace), "--audience", audience(u.cloud),
		"--duration", "10m",
	}
	c.Token = &model.Token{Namespace: cmp.Or(u.namespace, varNamespace), Account: u.account, Audience: audience(u.cloud)}
	c.Gate = &model.Gate{Kind: model.GateToken, Issuer: p.issuerWord()}
	c.Summary = "A token, minted now, has iss " + p.issuerWord() + " exactly, aud " + audience(u.cloud) + " alone, sub " +
		"" + subject(u) +
		", is signed by RS256, and is valid for no longer than 24 hours."
	c.Needs = []string{"ServiceAccount " + cmp.Or(u.namespace, varNamespace) + "/" + u.account}
	c.Risk = "The token is a credential until it expires: do not paste it anywhere; decode it on this machine."
	c.Undo = "Nothing is changed by looking; the token expires."
	p.add(c)
}

// certificates looks after cert-manager, which Microsoft's extension needs and ours does not.
func (p *planner) certificates() {
	if p.options.Target != model.TargetSSE || len(p.units) == 0 {
		return
	}
	switch p.survey.Installed.CertManager {
	case "extension":
		return
	case "open source":
		p.tell(codeCerts, clusterObject(), "The open-source cert-manager runs here; Microsoft's extension has to take its place.")
		p.backupCertificates()
		p.removeCertManager()
	}
	c := p.step(orderCertsInstall, model.Run, "cert-manager")
	c.Command = []string{
		"az", "k8s-extension", "create", "--resource-group", p.group(), "--cluster-name", p.cluster(), "--cluster-type",
		"connectedClusters", "--name", "azure-cert-management", "--extension-type", "microsoft.certmanagement",
	}
	c.Summary = "Install cert-manager for Arc-enabled Kubernetes, which the Secret Store extension needs. On a cluster " +
		"with Azure IoT " +
		"Operations it may have come with microsoft.iotoperations.platform: then leave this out."
	c.Undo = "az k8s-extension delete --cluster-type connectedClusters --cluster-name " + p.cluster() + " --resource-group " +
		p.group() + " --name azure-cert-management"
	p.azure(c)
}

// backupCertificates saves what goes with the definitions.
func (p *planner) backupCertificates() {
	c := p.step(orderCertsBackup, model.Check, "certificates")
	c.Command = []string{
		"kubectl", "get", "certificates.cert-manager.io,issuers.cert-manager.io,clusterissuers.cert-manager.io", "--all-namespaces",
		"--output", "yaml",
	}
	c.Summary = "Save every Certificate, Issuer and ClusterIssuer to a file, and those of trust-manager " +
		"(bundles.trust.cert-manager.io)."
	c.Undo = "Nothing is changed by reading."
	c.ByHand = "The file is yours to keep: nothing of cert-manager is in the state folder."
	p.add(c)
}

// removeCertManager leaves the removal to whoever installed it.
func (p *planner) removeCertManager() {
	c := p.step(orderCertsRemove, model.Check, "no-cert-manager")
	c.Command = []string{"kubectl", "get", "crd", "certificates.cert-manager.io", "--output", "jsonpath={.metadata.annotations}"}
	c.Summary = "The open-source cert-manager and trust-manager are uninstalled, and their definitions are still there: " +
		"before, see that " +
		"the definitions are kept (helm.sh/resource-policy: keep, crds.keep of the chart)."
	c.Risk = "If the definitions go with it, so does every Certificate. Until the extension runs no certificate is renewed."
	c.Undo = "Install cert-manager again as it was and apply the saved objects."
	c.ByHand = "cert-manager serves more than this migration: whoever looks after it removes it."
	p.add(c)
}
