package arm

import "secretstore/internal/emulator/state"

const kindClusters = "Microsoft.Kubernetes/connectedClusters"

type clusterView struct {
	resourceView

	Identity   map[string]string `json:"identity"`
	Properties clusterProperties `json:"properties"`
}

type clusterProperties struct {
	ProvisioningState  string           `json:"provisioningState"`
	ConnectivityStatus string           `json:"connectivityStatus"`
	KubernetesVersion  string           `json:"kubernetesVersion"`
	Distribution       string           `json:"distribution"`
	AgentVersion       string           `json:"agentVersion"`
	OIDCIssuerProfile  *issuerProfile   `json:"oidcIssuerProfile,omitempty"`
	SecurityProfile    *securityProfile `json:"securityProfile,omitempty"`
}

type issuerProfile struct {
	Enabled             bool   `json:"enabled"`
	IssuerURL           string `json:"issuerUrl,omitempty"`
	SelfHostedIssuerURL string `json:"selfHostedIssuerUrl,omitempty"`
}

type securityProfile struct {
	WorkloadIdentity workloadIdentity `json:"workloadIdentity"`
}

type workloadIdentity struct {
	Enabled bool `json:"enabled"`
}

func viewCluster(c state.Cluster) clusterView {
	return clusterView{
		resourceView: resourceView{
			ID: c.ResourceID(), Name: c.Name, Type: kindClusters, Location: c.Location, Tags: map[string]string{},
		},
		Identity: map[string]string{"type": "SystemAssigned", "tenantId": c.TenantID},
		Properties: clusterProperties{
			ProvisioningState: state.StateSucceeded, ConnectivityStatus: "Connected", KubernetesVersion: c.KubernetesVersion,
			Distribution: c.Distribution, AgentVersion: "1.24.3",
			OIDCIssuerProfile: &issuerProfile{
				Enabled: c.OIDCIssuer, IssuerURL: c.IssuerURL, SelfHostedIssuerURL: c.SelfHostedIssuerURL,
			},
			SecurityProfile: &securityProfile{WorkloadIdentity: workloadIdentity{Enabled: c.WorkloadIdentity}},
		},
	}
}

// forVersion leaves out what an older version does not know: the profiles came with the previews of 2024.
func (v clusterView) forVersion(version string) clusterView {
	switch version {
	case "2021-10-01", "2022-10-01-preview", "2024-01-01":
		v.Properties.OIDCIssuerProfile, v.Properties.SecurityProfile = nil, nil
	}
	return v
}

func (s *Service) getCluster(r *request) (answer, *refusal) {
	cluster, found := s.state.Cluster(r.over)
	if !found {
		return answer{}, resourceNotFound(r.target)
	}
	return ok(viewCluster(cluster).forVersion(r.URL.Query().Get("api-version")))
}

func (s *Service) listClusters(r *request) (answer, *refusal) {
	var items []item
	for _, cluster := range s.state.Clusters() {
		if state.Covers(r.scope, cluster.ResourceID()) {
			items = append(items, item{cluster.ResourceID(), viewCluster(cluster).forVersion(r.URL.Query().Get("api-version"))})
		}
	}
	return s.page(r, items)
}
