package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"secretstore/test/cluster"
)

// Build builds the controller and the emulator into dir; race gives them the race detector, which needs a C compiler.
func Build(ctx context.Context, dir string, race bool) error {
	root, err := cluster.Root()
	if err != nil {
		return err
	}
	// As the Makefile builds them, so that nothing is compiled twice.
	args, environment := []string{"build", "-trimpath", "-o", dir + string(filepath.Separator)}, []string{"CGO_ENABLED=0"}
	if race {
		args, environment = append(args, "-race"), []string{"CGO_ENABLED=1"}
	}

	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/secretstore-controller", "./cmd/secretstore-emulator")...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), environment...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the programs: %w\n%s", err, out)
	}
	return nil
}
