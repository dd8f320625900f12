package rig_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"testing"
	"time"

	"secretstore/test/processes"
	"secretstore/test/rig"
)

func TestMain(m *testing.M) {
	code, orphan := processes.Orphan(func(dir string) error {
		_, err := rig.Start(context.Background(), rig.Options{Dir: dir})
		return err
	})
	if !orphan {
		code = m.Run()
	}
	os.Exit(code)
}

// programs is how many a rig without an emulator runs: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok.
const programs = 5

func TestStopLeavesNothing(t *testing.T) {
	r, err := rig.Start(t.Context(), rig.Options{Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if running := processes.Naming(t, r.Cluster.Dir()); runtime.GOOS == "linux" && len(running) != programs {
		t.Errorf("%d programs run: %s", len(running), running)
	}
	started := time.Now()
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Logf("stopped in %.1f s", time.Since(started).Seconds())
	if left := processes.Naming(t, r.Cluster.Dir()); len(left) > 0 {
		t.Errorf("after Stop: %s", left)
	}
	if _, err := os.Stat(r.Cluster.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Stop: the folder: %v, want it gone", err)
	}
}

// A test binary that is killed stops nothing: its children must notice by themselves, kwok too.
func TestChildrenEndWithTheirParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("the kernel does not offer it: nothing to check")
		return
	}
	processes.EndWithTheirParent(t, programs)
}
