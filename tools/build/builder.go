package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// progressInterval is how often a running build says that it runs.
const progressInterval = 10 * time.Second

// builder builds one target.
type builder struct {
	target
	source, out string
	now         func() time.Time
}

// build brings the programs in the output folder up to date.
func (b builder) build(ctx context.Context) error {
	flags, err := b.flags(ctx)
	if err != nil {
		return err
	}
	if b.product {
		return b.compile(ctx, flags)
	}
	stamp, err := stampOf(b.source, append(flags, b.links...))
	if err != nil {
		return err
	}
	stampFile := filepath.Join(b.out, "stamp")
	if old, err := os.ReadFile(stampFile); err == nil && string(old) == stamp {
		return nil
	}
	// Without its stamp a folder that is half built is built again.
	if err := os.Remove(stampFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the old stamp: %w", err)
	}
	if err := b.compile(ctx, flags); err != nil {
		return err
	}
	if err := b.link(); err != nil {
		return err
	}
	if err := os.WriteFile(stampFile, []byte(stamp), 0o600); err != nil {
		return fmt.Errorf("writing the stamp: %w", err)
	}
	return nil
}

// flags returns the arguments of "go build", the pattern last.
func (b builder) flags(ctx context.Context) ([]string, error) {
	ldflags := "-s -w" // no symbols: nobody debugs these, and they are large
	if b.version != "" {
		version, err := b.moduleVersion(ctx)
		if err != nil {
			return nil, err
		}
		// Kubernetes' own build sets these; without them the programs call themselves v0.0.0-master.
		parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
		const variable = " -X k8s.io/component-base/version."
		ldflags += variable + "gitVersion=" + version + variable + "gitMajor=" + parts[0] + variable + "gitMinor=" + parts[1]
	}
	out, err := filepath.Rel(b.source, b.out) // relative, so that a checkout can move without a new build
	if err != nil {
		return nil, fmt.Errorf("finding the output folder: %w", err)
	}
	flags := []string{"build", "-v", "-trimpath"}
	if !b.product {
		flags = append(flags, "-ldflags", ldflags)
	}
	return append(append(flags, "-o", out+string(filepath.Separator)), b.pattern...), nil
}

// moduleVersion asks which version of the module the target's go.mod chooses.
func (b builder) moduleVersion(ctx context.Context) (string, error) {
	//nolint:gosec // a module that this program names
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", b.version)
	cmd.Dir = b.source
	cmd.Stderr = os.Stderr
	version, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("finding the version of %s: %w", b.version, err)
	}
	if strings.Count(string(version), ".") < 2 {
		return "", fmt.Errorf("finding the version of %s: got %q", b.version, version)
	}
	return strings.TrimSpace(string(version)), nil
}

// compile runs "go build" and says every few seconds how far it is.
func (b builder) compile(ctx context.Context, flags []string) error {
	started := b.now()
	var output buildOutput
	cmd := exec.CommandContext(ctx, "go", flags...) //nolint:gosec // arguments made by this program
	cmd.Dir = b.source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // no C compiler needed, and one cache whatever the machine has
	cmd.Stderr = &output
	if !b.product {
		fmt.Printf("building %s: %s\n", b.name, b.hint)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting go build: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			fmt.Printf("building %s: %3.0f s, %s (%s)\n", b.name, b.now().Sub(started).Seconds(), output.progress(), b.hint)
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("go build: %w\n%s", err, output.messages())
			}
			if took := b.now().Sub(started); !b.product || took > progressInterval {
				fmt.Printf("built %s in %.0f s\n", b.name, took.Seconds())
			}
			return nil
		}
	}
}

// link makes the symbolic links by which a multi-call program is called.
func (b builder) link() error {
	for _, name := range b.links {
		path := filepath.Join(b.out, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing an old link: %w", err)
		}
		if err := os.Symlink(b.name, path); err != nil {
			return fmt.Errorf("linking: %w", err)
		}
	}
	return nil
}
