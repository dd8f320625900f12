// Command build builds the programs that developing secretstore needs and that do not ship with it: a Kubernetes control
// plane to test against, the code generator, the linter. Each is a module of its own beside this one, which pins versions
// that need not fit those of the product; bin/NAME takes what is built from tools/NAME.
//
// A stamp beside the programs says what they were built from, so that a second run costs nothing. If the control plane's
// programs are given by KUBEBUILDER_ASSETS, nothing is built for it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// target is a module to build.
type target struct {
	name    string
	pattern []string // what of the module to build, as "go build" takes it
	product bool     // built from the product's own module into bin/ itself, each time: the go command knows what is current
	version string   // the module whose version the programs report as Kubernetes' own; empty if none does
	links   []string // names by which the one program that was built is also called
	hint    string   // how long the first build takes
}

// targets lists what can be built.
func targets() []target {
	return []target{
		{
			name: "controlplane", pattern: []string{"."}, version: "k8s.io/kubernetes",
			links: []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"},
			hint:  "the first build takes 5 to 10 minutes on two cores, and later ones nothing",
		},
		{name: "kwok", pattern: []string{"tool"}, hint: "the first build takes 2 to 3 minutes on two cores"},
		{
			name: "programs", pattern: []string{"./cmd/...", "./test/demo", "./test/demo-migration", "./test/bench"}, product: true,
			hint: "the first build takes 2 to 3 minutes on two cores",
		},
		{name: "generate", pattern: []string{"tool"}, hint: "the first build takes a minute on two cores"},
		{name: "lint", pattern: []string{"tool"}, hint: "the first build takes 4 minutes on two cores"},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// run builds the named targets, one after the other: two links at once need more memory than a small machine has.
func run(ctx context.Context, names []string) error {
	tools, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("finding the folder of tools: %w", err)
	}
	for _, name := range names {
		t, err := find(name)
		if err != nil {
			return err
		}
		if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" && name == "controlplane" {
			fmt.Printf("using the control plane in KUBEBUILDER_ASSETS=%s\n", assets)
			continue
		}
		b := builder{target: t, source: filepath.Join(tools, name), out: filepath.Join(tools, "..", "bin", name), now: time.Now}
		if t.product {
			b.source, b.out = filepath.Dir(tools), filepath.Join(tools, "..", "bin")
		}
		if err := b.build(ctx); err != nil {
			return fmt.Errorf("building %s: %w", name, err)
		}
	}
	return nil
}

// find returns the target of that name.
func find(name string) (target, error) {
	var known []string
	for _, t := range targets() {
		if t.name == name {
			return t, nil
		}
		known = append(known, t.name)
	}
	return target{}, fmt.Errorf("unknown target %q; there are %s", name, strings.Join(known, ", "))
}
