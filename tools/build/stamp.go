package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
)

// stampOf says what programs are built from: the Go version, the arguments, and a digest of each file of the module.
func stampOf(source string, arguments []string) (string, error) {
	paths, err := filepath.Glob(filepath.Join(source, "*"))
	if err != nil {
		return "", fmt.Errorf("listing the module: %w", err)
	}
	sort.Strings(paths)
	lines := []string{runtime.Version(), strings.Join(arguments, " ")}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("reading the module: %w", err)
		}
		lines = append(lines, fmt.Sprintf("%x %s", sha256.Sum256(content), filepath.Base(path)))
	}
	return strings.Join(lines, "\n") + "\n", nil
}
