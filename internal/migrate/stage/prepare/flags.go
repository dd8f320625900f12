package prepare

import "strings"

// flagsText says how the flags of the API server are set on the distribution that a version tells, or on all of them.
func flagsText(version, issuer, old string) string {
	texts := []struct{ mark, text string }{
		{"+k3s", k3sText(issuer, old)},
		{"+rke2", rke2Text(issuer, old)},
		{"+vmware", tanzuText(issuer)},
	}
	for _, t := range texts {
		if strings.Contains(version, t.mark) {
			return t.text
		}
	}
	return strings.Join([]string{
		kubeadmText(issuer, old), k3sText(issuer, old), rke2Text(issuer, old), openShiftText(issuer), tanzuText(issuer),
	}, "\n")
}

// mergeText is what config.yaml of K3s and RKE2 has to hold.
func mergeText(issuer, old string) string {
	return "  kube-apiserver-arg:\n" +
		"    - 'service-account-issuer=" + issuer + "'\n" +
		"    - 'service-account-issuer=" + old + "'\n" +
		"    - 'service-account-max-token-expiration=24h'\n"
}

func k3sText(issuer, old string) string {
	return "K3s, on each server node, one after the other: merge into /etc/rancher/k3s/config.yaml (other entries of\n" +
		"kube-apiserver-arg stay; entries of these two names are replaced; the order of the issuers matters):\n" +
		mergeText(issuer, old) +
		"then: sudo systemctl restart k3s\n"
}

func rke2Text(issuer, old string) string {
	return "RKE2, on each server node, one after the other: merge into /etc/rancher/rke2/config.yaml in the same way:\n" +
		mergeText(issuer, old) +
		"then: sudo systemctl restart rke2-server\n"
}

func kubeadmText(issuer, old string) string {
	return "kubeadm, on each control-plane node, one after the other: in /etc/kubernetes/manifests/kube-apiserver.yaml, under\n" +
		"command (the kubelet restarts the API server as soon as the file is saved; keep a copy outside of that folder):\n" +
		"    - --service-account-issuer=" + issuer + "\n" +
		"    - --service-account-issuer=" + old + "\n" +
		"    - --service-account-max-token-expiration=24h\n" +
		"and the same in ClusterConfiguration, apiServer.extraArgs, of the ConfigMap kube-system/kubeadm-config, or the next\n" +
		"kubeadm upgrade takes them back. (Before kubeadm.k8s.io/v1beta4 extraArgs is a map and holds one issuer only.)\n"
}

func openShiftText(issuer string) string {
	return "OpenShift: the operator sets the flags, keeps the old issuer for 24 hours, and restarts the API servers in turn:\n" +
		"    oc patch authentication cluster --type merge --patch '{\"spec\":{\"serviceAccountIssuer\":\"" + issuer + "\"}}'\n" +
		"    oc adm wait-for-stable-cluster\n" +
		"Within those 24 hours restart every pod that talks to the API server. The limit of a token's lifetime stays as it is:\n" +
		"tokens for Entra are asked for 10 minutes.\n"
}

func tanzuText(issuer string) string {
	return "Tanzu: in the Cluster object, merge into the variable apiServerExtraArgs (spec.topology.variables), which is a " +
		"map and\n" +
		"so holds one issuer only; the control-plane nodes are replaced one after the other:\n" +
		"    apiServerExtraArgs:\n" +
		"      service-account-issuer: " + issuer + "\n" +
		"      service-account-max-token-expiration: 24h\n" +
		"Pods that hold tokens of the old issuer have to be restarted afterwards.\n"
}
