package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMigrateScripts runs the scripts in testdata/migrate, which specify the migration by example: one for each trap, named after
// it, and one for each command. They read folders of manifests, and no cluster. They have the command "exit" of TestScripts.
func TestMigrateScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/migrate",
		// Whoever runs the tests may be signed in to Azure, which no script asks.
		Setup: func(env *testscript.Env) error {
			env.Setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
			return nil
		},
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exit": exits},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		ContinueOnError:     true,
	})
}
