package conformance_test

import (
	"os"
	"strings"
	"testing"
)

// TestTheLockFileNamesNoHost: packages are known by name, version and digest, wherever npm is set up to fetch them from.
func TestTheLockFileNamesNoHost(t *testing.T) {
	lock, err := os.ReadFile("js/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), `"resolved"`) || !strings.Contains(string(lock), `"integrity"`) {
		t.Error("js/package-lock.json names addresses, or lacks digests: make it with npm's omit-lockfile-registry-resolved")
	}
}
