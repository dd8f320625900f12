package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSyncHashKey(t *testing.T) {
	t.Parallel()
	one, err := syncHashKey("")
	if err != nil {
		t.Fatal(err)
	}
	other, err := syncHashKey("")
	if err != nil || one.Len() != leastKey || one.Equal(other) {
		t.Errorf("without a file two starts have keys of %d bytes, equal: %v, %v", one.Len(), one.Equal(other), err)
	}
	file := filepath.Join(t.TempDir(), "key")
	for _, tc := range []struct {
		text, says string
	}{
		{strings.Repeat("k", leastKey), ""},
		{"short-canary", "has 12 bytes"},
	} {
		if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := syncHashKey(file)
		if tc.says == "" && (err != nil || string(key.Reveal()) != tc.text) {
			t.Errorf("a key of %d bytes: %v", len(tc.text), err)
		}
		if tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "canary")) {
			t.Errorf("a short key: %v", err)
		}
		if shown := fmt.Sprintf("%v %+v", key, key); strings.Contains(shown, "k") {
			t.Errorf("the key shows itself: %s", shown)
		}
	}
	if _, err := syncHashKey(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestClusterConfigOutsideACluster(t *testing.T) {
	t.Parallel()
	if _, err := clusterConfig(options{}); err == nil || !strings.Contains(err.Error(), "--kubeconfig") {
		t.Errorf("outside a cluster: %v", err)
	}
	if _, err := clusterConfig(options{kubeconfig: "/nonexistent/kubeconfig"}); err == nil || !strings.Contains(err.Error(), "kubeconfig") {
		t.Errorf("a missing kubeconfig: %v", err)
	}
}
