// Package cluster runs a real Kubernetes control plane on loopback for tests and the demo: etcd and kube-apiserver through
// envtest, and kube-controller-manager beside them, so that namespaces end, owners take their dependents with them and
// service accounts exist. There is no node and no scheduler: nothing runs a pod.
//
// What it promises:
//   - The service-account issuer is the API server's own https URL, and its discovery document and keys can be fetched
//     there by anyone who trusts [Cluster.CAPEM]: what Entra does with a cluster's issuer, a stand-in can do with this one.
//     Tokens are signed by RS256, the one algorithm that Entra documents.
//   - RBAC is on, with the admission plugins of a default cluster and OwnerReferencesPermissionEnforcement.
//   - [Cluster.Stop] leaves no process behind; with the binaries that this repository builds, neither does the death of the
//     process that started the cluster (on Linux).
//
// Binaries come from KUBEBUILDER_ASSETS or, without it, from bin/controlplane ("make controlplane"). A failure to start
// carries the end of the failing process's log.
package cluster
