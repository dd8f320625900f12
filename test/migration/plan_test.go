package migration_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"secretstore/internal/migrate"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
	"secretstore/test/migration/estate"
)

// digest stands in for a keyed digest: the same for all values, so that a value that is not digested differs.
func digest([]byte) string { return "digest" }

// TestFolderAndClusterGiveTheSamePlan reads the estate as a folder, and from the API server that it was applied to.
func TestFolderAndClusterGiveTheSamePlan(t *testing.T) {
	if _, err := estate.Apply(t.Context(), shared.Config(), loadEstate(t)); err != nil {
		t.Fatal(err)
	}
	folder, err := read.Folder(t.Context(), os.DirFS(estateDir), estateDir, read.FolderOptions{Digest: digest})
	if err != nil {
		t.Fatal(err)
	}
	live, err := read.Cluster(t.Context(), shared.Config(), read.ClusterOptions{Digest: digest})
	if err != nil {
		t.Fatal(err)
	}
	options := model.Options{
		Strategy: model.ZeroDowntime, Target: model.TargetSecretStore, Style: model.StyleDirect, Roles: model.RolesLeast, ForceLive: true,
	}
	fromFolder, fromCluster := migrate.Plan(folder, options), migrate.Plan(live, options)
	if fromFolder.Counts.Total < 150 {
		t.Errorf("only %d objects were found", fromFolder.Counts.Total)
	}
	ignored := cmp.Options{
		cmpopts.IgnoreTypes(model.Place{}), cmpopts.IgnoreFields(model.Report{}, "Input"), cmpopts.EquateEmpty(),
	}
	if diff := cmp.Diff(fromFolder, fromCluster, ignored); diff != "" {
		t.Errorf("the plans differ (-folder +cluster):\n%s", shortened(diff))
	}
}

// shortened keeps the lines of a difference that differ, and not too many.
func shortened(diff string) string {
	var lines []string
	for line := range strings.SplitSeq(diff, "\n") {
		if strings.HasPrefix(line, "-") || strings.HasPrefix(line, "+") {
			lines = append(lines, line)
		}
	}
	const most = 150
	return strings.Join(lines[:min(len(lines), most)], "\n")
}

