package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
)

// TestVariablesOfTheEnvironment: what somebody put into an object of the cluster does not bring the operator's secrets there.
func TestVariablesOfTheEnvironment(t *testing.T) {
	t.Parallel()
	run := &migrationRun{program: program{env: func(name string) string { return "the operator's " + name }}}
	class := model.Change{Stage: model.Translate, Verb: model.Create, Content: map[string]any{
		"spec": map[string]any{"parameters": map[string]any{"keyvaultName": "${AZURE_CLIENT_SECRET}", "x": "${FEDERATED_TOKEN}"}},
	}}
	read := model.Change{
		Stage: model.Prepare, Verb: model.Run, Command: strings.Fields(
			"az keyvault show --name ${HOME} --subscription ${SUBSCRIPTION} --query ${KEYVAULT_ID_KV} --x ${USER_ASSIGNED_CLIENT_ID_2}"),
	}
	want := map[string]string{
		"KEYVAULT_ID_KV":            "the operator's KEYVAULT_ID_KV",
		"USER_ASSIGNED_CLIENT_ID_2": "the operator's USER_ASSIGNED_CLIENT_ID_2",
	}
	if diff := cmp.Diff(want, run.variables([]model.Change{class, read})); diff != "" {
		t.Errorf("what the environment is asked for (-want +got):\n%s", diff)
	}
}
