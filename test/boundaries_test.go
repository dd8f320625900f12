// Package test holds what is tested of the repository as a whole; the folders below it hold what is tested of the running
// programs.
package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "secretstore/"

// rule says what packages must not import. Patterns are as in go list ("a/..." is a and all below it); those of this module
// are written without its name, which is told from a dependency's by having no dot in its first element.
type rule struct {
	reason string
	of     []string // the packages that the rule binds
	except []string // but not these
	deny   []string // what they must not import
	allow  []string // of the denied, what they may
	deep   bool     // neither themselves nor through others
}

// pure lists the packages that decide and do nothing else. .golangci.yml has the same list, to forbid them time and chance.
func pure() []string {
	return []string{
		"internal/redact", "internal/fault", "internal/spcparams/...", "internal/secretdata/...",
		"internal/controller/outcome/...", "internal/migrate/azscript/...", "internal/migrate/model/...",
		"internal/migrate/stage/...", "internal/migrate/yamledit", "internal/jitter",
	}
}

// ours lists everything of this module.
func ours() []string {
	return []string{"api/...", "charts/...", "cmd/...", "internal/...", "test/...", "tools/..."}
}

const (
	azureSDK = "github.com/Azure/azure-sdk-for-go/..."
	azureMSI = "github.com/AzureAD/..."
)

// rules is the direction of dependencies: cmd -> controller | migrate | csiserver -> source <- adapters -> azure.
func rules() []rule {
	return []rule{
		{reason: "the API is types only", of: []string{"api/..."}, deny: ours(), allow: []string{"api/..."}},
		{reason: "the chart is files only", of: []string{"charts/..."}, deny: ours()},
		{reason: "what decides does not act", of: pure(), deny: []string{"os", "os/...", "net", "net/http", "syscall"}},
		{reason: "what decides reaches no client, not even through others", of: pure(), deep: true, deny: []string{
			"k8s.io/client-go/...", "sigs.k8s.io/controller-runtime/pkg/client/...", "google.golang.org/grpc/...", azureSDK, azureMSI,
		}},
		{reason: "the Azure SDK stays behind the adapters", of: ours(), deny: []string{azureSDK, azureMSI}, except: []string{
			"internal/azure/...", "internal/source/akv/...", "internal/emulator/...",
			"test/conformance/...", "test/stack/...", // tests act on the vault as an operator would
		}},
		{
			reason: "controllers know the port, not its adapters", of: []string{"internal/controller/..."}, deep: true,
			deny: []string{"internal/source/...", "internal/azure/...", azureSDK}, allow: []string{"internal/source"},
		},
		{
			reason: "the port does not know its adapters", of: []string{"internal/source"}, deep: true,
			deny: []string{"internal/source/...", "internal/azure/...", "internal/controller/..."},
		},
		{
			reason: "Azure is below all that uses it", of: []string{"internal/azure/..."},
			deny: []string{"internal/source/...", "internal/controller/...", "internal/migrate/...", "internal/kube/..."},
		},
		{
			reason: "an adapter knows its port and its cloud, not who asks", of: []string{"internal/source/..."},
			deny: []string{"internal/controller/...", "internal/migrate/...", "internal/kube/..."},
		},
		{
			reason: "running and migrating are two programs' work", of: []string{"internal/controller/..."},
			deny: []string{"internal/migrate/..."},
		},
		{
			reason: "migrating and running are two programs' work", of: []string{"internal/migrate/..."},
			deny: []string{"internal/controller/..."},
		},
		{
			reason: "what carries a plan out knows ports, not clusters and clouds", of: []string{"internal/migrate/act"}, deep: true,
			deny: []string{
				"k8s.io/api/...", "k8s.io/client-go/...", "sigs.k8s.io/...", "helm.sh/...", "internal/azure/...", azureSDK, azureMSI,
			},
		},
		{
			reason: "what acts in Azure knows no cluster, and not who asks", of: []string{"internal/migrate/az"}, deep: true,
			deny: []string{"k8s.io/api/...", "k8s.io/client-go/...", "internal/migrate/..."}, allow: []string{"internal/migrate/model/..."},
		},
		{
			reason: "what acts in a cluster changes nothing in Azure, and no files",
			of:     []string{"internal/migrate/cluster", "internal/migrate/install"},
			deny:   []string{"internal/azure/arm", "internal/migrate/az", "internal/migrate/state", "internal/migrate/write"},
		},
		{
			reason: "the state folder is files, whatever acts", of: []string{"internal/migrate/state"}, deep: true,
			deny: []string{"k8s.io/client-go/...", "sigs.k8s.io/controller-runtime/...", "helm.sh/...", "internal/azure/...", azureSDK},
		},
		{
			reason: "what a migration is judged by is not made of it", of: []string{"test/rig/...", "test/stack"}, deep: true,
			deny: []string{"internal/migrate/..."},
		},
		{
			reason: "each stage can be run alone", of: []string{"internal/migrate/stage/..."},
			deny: []string{"internal/migrate/stage/...", "internal/migrate/read/...", "internal/migrate/write/..."},
		},
		{
			reason: "a mistake must not hide on both sides", of: []string{"internal/emulator/...", "cmd/secretstore-emulator"},
			deny: ours(), allow: []string{"internal/emulator/..."},
		},
		{
			reason: "the product does not contain its stand-in", of: []string{"internal/...", "cmd/..."},
			except: []string{"internal/emulator/...", "cmd/secretstore-emulator"}, deny: []string{"internal/emulator/..."},
		},
		{
			reason: "nothing is built on programs, tests and tools", of: []string{"api/...", "cmd/...", "internal/..."},
			deny: []string{"cmd/...", "test/...", "tools/..."},
		},
		{reason: "tests use what programs are made of, not programs", of: []string{"test/..."}, deny: []string{"cmd/...", "tools/..."}},
	}
}

// graph maps each package's path to those that it imports.
type graph map[string][]string

// violations lists, sorted, how the packages of g break r: "package -> … -> what it must not import".
func (r rule) violations(g graph) []string {
	var found []string
	for pkg := range g {
		if !matchesAny(r.of, pkg) || matchesAny(r.except, pkg) {
			continue
		}
		for _, path := range r.pathsFrom(g, pkg) {
			found = append(found, strings.Join(path, " -> "))
		}
	}
	slices.Sort(found)
	return found
}

// pathsFrom returns the shortest path from pkg to each package that it must not import.
func (r rule) pathsFrom(g graph, pkg string) [][]string {
	var found [][]string
	seen := map[string]bool{pkg: true}
	for queue := [][]string{{pkg}}; len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		for _, next := range g[path[len(path)-1]] {
			if seen[next] {
				continue
			}
			seen[next] = true
			longer := append(slices.Clone(path), next)
			switch {
			case matchesAny(r.deny, next) && !matchesAny(r.allow, next):
				found = append(found, longer)
			case r.deep:
				queue = append(queue, longer)
			}
		}
	}
	return found
}

// matchesAny tells whether a pattern matches the package.
func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		for _, own := range ours() {
			if first, _, _ := strings.Cut(pattern, "/"); strings.HasPrefix(own, first+"/") {
				pattern = module + pattern
				break
			}
		}
		tree, isTree := strings.CutSuffix(pattern, "/...")
		return pkg == tree || isTree && strings.HasPrefix(pkg, tree+"/")
	})
}

// load asks go list for every package that this module is made of or depends on.
func load(t *testing.T) graph {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags=long", "-json=ImportPath,Imports", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	g := graph{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatalf("decoding the output of go list: %v", err)
		}
		g[pkg.ImportPath] = pkg.Imports
	}
}

func TestBoundaries(t *testing.T) {
	g := load(t)
	if len(g) < 100 {
		t.Fatalf("go list found only %d packages: the rules would hold of nothing", len(g))
	}
	for _, r := range rules() {
		if found := r.violations(g); len(found) > 0 {
			t.Errorf("%s:\n\t%s", r.reason, strings.Join(found, "\n\t"))
		}
	}
}

// The checker must see what it is for, or a green test means nothing.
func TestRuleViolations(t *testing.T) {
	g := graph{
		"secretstore/internal/a":       {"os", "secretstore/internal/b"},
		"secretstore/internal/b":       {"example.com/sdk/client", "secretstore/internal/b/c"},
		"secretstore/internal/b/c":     nil,
		"secretstore/internal/ab":      {"os/exec"},
		"example.com/sdk/client":       {"net/http"},
		"example.com/other/internal/a": {"os"},
	}
	tests := map[string]struct {
		reason string
		rule   rule
		want   []string
	}{
		"Direct": {
			reason: "an import of its own is found",
			rule:   rule{of: []string{"internal/a"}, deny: []string{"os"}},
			want:   []string{"secretstore/internal/a -> os"},
		},
		"NotThroughOthers": {
			reason: "a rule about direct imports is not broken by a dependency's",
			rule:   rule{of: []string{"internal/a"}, deny: []string{"example.com/sdk/..."}},
		},
		"Deep": {
			reason: "a deep rule is, and says by which way",
			rule:   rule{of: []string{"internal/a"}, deny: []string{"net/http"}, deep: true},
			want:   []string{"secretstore/internal/a -> secretstore/internal/b -> example.com/sdk/client -> net/http"},
		},
		"Tree": {
			reason: "a tree includes its root and what is below, but no neighbor whose name begins alike",
			rule:   rule{of: []string{"internal/..."}, deny: []string{"internal/b/..."}},
			want: []string{
				"secretstore/internal/a -> secretstore/internal/b",
				"secretstore/internal/b -> secretstore/internal/b/c",
			},
		},
		"NoTree": {
			reason: "a path without dots is one package",
			rule:   rule{of: []string{"internal/..."}, deny: []string{"os", "internal/b"}},
			want:   []string{"secretstore/internal/a -> os", "secretstore/internal/a -> secretstore/internal/b"},
		},
		"Except": {
			reason: "an excepted package is not bound",
			rule:   rule{of: []string{"internal/..."}, except: []string{"internal/a"}, deny: []string{"os", "os/..."}},
			want:   []string{"secretstore/internal/ab -> os/exec"},
		},
		"Allow": {
			reason: "of what is denied some may be allowed",
			rule:   rule{of: []string{"internal/..."}, deny: []string{"internal/..."}, allow: []string{"internal/b/c"}},
			want:   []string{"secretstore/internal/a -> secretstore/internal/b"},
		},
		"Missing": {
			reason: "a rule about a package that is not written yet is kept",
			rule:   rule{of: []string{"internal/later/..."}, deny: []string{"os"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.rule.violations(g)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
	for _, r := range rules() {
		if r.reason == "" || len(r.of) == 0 || len(r.deny) == 0 {
			t.Errorf("a rule that binds nothing: %s", fmt.Sprintf("%+v", r))
		}
	}
}
