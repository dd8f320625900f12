// Package takeover tests taking a live cluster over: a shop on the old way, running on a rig (package rig), whose rollouts happen.
package takeover_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"secretstore/test/migration/estate"
	"secretstore/test/rig"
	"secretstore/test/stack"
)

const shopDir = "testdata/shop"

// shared is the one rig of this package's tests, with the shop running on it.
var shared *rig.Rig

// programs is the folder with the controller and the emulator.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

// run starts the rig with the shop, runs the tests and stops it.
func run(m *testing.M) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "takeover-")
	if err != nil {
		return failed(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programs = dir
	if err := stack.Build(ctx, programs, false); err != nil {
		return failed(err)
	}
	shared, err = startShop(ctx, filepath.Join(dir, "seed.yaml"))
	if err != nil {
		return failed(err)
	}
	code = m.Run()
	if err := shared.Stop(); err != nil {
		return failed(err)
	}
	return code
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// startShop starts a rig, applies the shop and waits until all of it runs.
func startShop(ctx context.Context, seed string) (*rig.Rig, error) {
	objects, err := estate.Load(shopDir)
	if err != nil {
		return nil, err
	}
	if err := rig.WriteVaults(seed, objects, federated()); err != nil {
		return nil, err
	}
	started := time.Now()
	r, err := rig.Start(ctx, rig.Options{
		Seed: seed, Programs: programs, Log: os.Stderr, Driver: rig.DriverOptions{OwnersEvery: 500 * time.Millisecond},
	})
	if err != nil {
		return nil, err
	}
	up := time.Now()
	err = r.Settle(ctx, objects)
	fmt.Fprintf(os.Stderr, "the rig was up in %.1f s, the shop on it ran %.1f s later\n", up.Sub(started).Seconds(), time.Since(up).Seconds())
	return r, err
}
