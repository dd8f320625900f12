package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"secretstore/test/cluster"
)

// shared is the control plane that the tests work against.
var shared *cluster.Cluster

// TestMain runs the tests with a control plane, and lets scripts run the program by its name.
func TestMain(m *testing.M) {
	testscript.Main(withCluster{m}, map[string]func(){"kubectl-secretstore": main})
}

type withCluster struct{ m *testing.M }

// Run implements testscript.TestingM.
func (w withCluster) Run() int {
	crds, err := cluster.Manifests("charts/secretstore/crds/*.yaml")
	if err != nil {
		panic(err)
	}
	return cluster.Shared(w.m, cluster.Options{Manifests: append(crds, []byte(operators))}, &shared)
}

// operators is who the program is run as: an account that may do what its help says is all that is needed, and one that may
// do nothing.
const operators = `
apiVersion: v1
kind: Namespace
metadata: {name: operators}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: operators}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: nobody, namespace: operators}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: operator}
rules:
- {apiGroups: [secret-sync.x-k8s.io], resources: [secretsyncs], verbs: [get, list, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: operator}
subjects:
- {kind: ServiceAccount, name: operator, namespace: operators}
`
