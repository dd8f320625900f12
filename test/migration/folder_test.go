package migration_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/internal/migrate"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
	"secretstore/internal/migrate/write"
	"secretstore/test/migration/estate"
)

// stateOfVerify names rows of the estate's table that a stage after workloads decides.
var stateOfVerify = []string{"credentials that something else uses", "gate: CSI volumes left"}

// leftAlone are the codes of workloads that stay as they are by an answer.
var leftAlone = []model.Code{model.CodeLeft, model.CodeClassElsewhere, "M526"}

// planFolder reads a folder and plans its migration.
func planFolder(t *testing.T, dir string, answers map[string]string) (model.Snapshot, model.Report) {
	t.Helper()
	snapshot, err := read.Folder(context.Background(), os.DirFS(dir), dir, read.FolderOptions{
		Digest: digest,
	})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot, migrate.Plan(snapshot, model.Options{
		Strategy: model.ZeroDowntime, Target: model.TargetSecretStore, Style: model.StyleDirect, Roles: model.RolesLeast,
		Decisions: answers,
	})
}

// writeFolder writes what the stages that edit folders change, one after the other, and returns the names of the files.
func writeFolder(t *testing.T, dir string, answers map[string]string) []string {
	t.Helper()
	var names []string
	for _, stages := range [][]model.StageName{{model.Prepare, model.Translate}, {model.Workloads}} {
		_, report := planFolder(t, dir, answers)
		result, err := write.Folder(os.DirFS(dir), migrate.Only(report, stages...).Changes)
		if err != nil {
			t.Fatal(err)
		}
		if err := write.Commit(dir, result); err != nil {
			t.Fatal(err)
		}
		names = append(names, result.Names()...)
	}
	return names
}

// fixture copies a fixture, for a test to write into.
func fixture(t *testing.T, dir string) string {
	t.Helper()
	into := t.TempDir()
	if err := os.CopyFS(into, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return into
}

// proposals answers every decision with what it proposes; answering may raise further ones.
func proposals(t *testing.T, dir string) map[string]string {
	t.Helper()
	answers := map[string]string{}
	for range 5 {
		_, report := planFolder(t, dir, answers)
		before := len(answers)
		for _, d := range report.Decisions {
			answers[d.ID] = d.Proposal
		}
		if len(answers) == before {
			return answers
		}
	}
	t.Fatal("answers raise questions without end")
	return nil
}

// named is an object's name in the estate's table.
func named(ref model.Ref) string {
	object := &unstructured.Unstructured{}
	object.SetKind(ref.Kind)
	object.SetNamespace(ref.Namespace)
	object.SetName(ref.Name)
	return estate.Name(object)
}

// TestFolderLosesNothing: what mounts a class, is one or was made of one is in the report, unless something above it is; and the
// sums are those of the list.
func TestFolderLosesNothing(t *testing.T) {
	for _, dir := range []string{estateDir, gitopsDir} {
		snapshot, report := planFolder(t, dir, nil)
		reported := map[model.Ref]bool{}
		var sums model.Counts
		for _, object := range report.Objects {
			reported[object.Ref] = true
			sums.Add(object.Outcome)
		}
		seen := 0
		for _, object := range snapshot.Objects {
			u := &unstructured.Unstructured{Object: object.Content}
			uses := strings.HasPrefix(object.Kind, "SecretProviderClass") || len(volumeNames(u)) > 0 ||
				u.GetLabels()["secrets-store.csi.k8s.io/managed"] != ""
			if !uses || object.Partial || owned(u) && object.Kind != "Secret" && object.Kind != "SecretProviderClassPodStatus" {
				continue
			}
			if seen++; !reported[object.Ref] {
				t.Errorf("%s: %s (%s) is not in the report", dir, object.Ref, object.Place)
			}
		}
		if seen < 10 {
			t.Errorf("%s: only %d objects use the driver: the test would show nothing", dir, seen)
		}
		c := report.Counts
		c.Kinds = nil
		if diff := cmp.Diff(sums, c); diff != "" || c.Total != len(report.Objects) {
			t.Errorf("%s: sums (-list +counts):\n%s", dir, diff)
		}
	}
}

// owned tells whether an object belongs to a controller, as whose part it ends.
func owned(u *unstructured.Unstructured) bool {
	return len(u.GetOwnerReferences()) > 0
}

// TestEstatesOutcomes compares what becomes of each object of the estate with what its table says.
func TestEstatesOutcomes(t *testing.T) {
	_, report := planFolder(t, estateDir, nil)
	got := map[string]model.Accounted{}
	for _, object := range report.Objects {
		got[named(object.Ref)] = object
	}
	// A folder may hold the rest of a cluster's classes elsewhere.
	inFolder := map[string]model.Outcome{"Deployment support/support-chat": model.NeedsDecision}
	compared := 0
	for _, r := range readTable(t, filepath.Join(estateDir, "README.md"), 1, 0) {
		for _, name := range r.shownBy {
			object, reported := got[name]
			if !reported || r.outcome == "–" || slices.Contains(stateOfVerify, r.trap) {
				continue // whether it ought to be reported is TestFolderLosesNothing's
			}
			want := model.Outcome(r.outcome)
			if other, differs := inFolder[name]; differs {
				want = other
			}
			if compared++; object.Outcome != want {
				t.Errorf("%q: %s ends %s %v, not %s", r.trap, name, object.Outcome, object.Findings, want)
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d ends were compared", compared)
	}
}

// TestFolderTwiceIsOnce: the second run writes no file, whether decisions are open or answered.
func TestFolderTwiceIsOnce(t *testing.T) {
	for _, source := range []string{estateDir, gitopsDir, filepath.Join(seedDir, "before")} {
		for _, answered := range []bool{false, true} {
			dir := fixture(t, source)
			var answers map[string]string
			if answered {
				answers = proposals(t, dir)
			}
			if len(writeFolder(t, dir, answers)) == 0 {
				t.Errorf("%s: the first run writes nothing", source)
			}
			if again := writeFolder(t, dir, answers); len(again) > 0 {
				t.Errorf("%s, answered %t: the second run writes %v", source, answered, again)
			}
		}
	}
}

// TestFolderKeepsTheRest: a line that goes from a file is one of a CSI volume or its mount, or names what gets another name.
func TestFolderKeepsTheRest(t *testing.T) {
	volume := regexp.MustCompile(`csi|driver:|readOnly:|volumeAttributes|secretProviderClass|nodePublishSecretRef|name: .*creds|` +
		`mountPath|subPath|stakater|secretName|op: replace|value: staging-creds|volumes:|volumeMounts:|- name: |name: inventory-(sftp|license|registry)$`)
	for _, source := range []string{estateDir, gitopsDir} {
		dir := fixture(t, source)
		writeFolder(t, dir, proposals(t, dir))
		if err := fs.WalkDir(os.DirFS(source), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			before, after := readBoth(t, filepath.Join(source, name), filepath.Join(dir, name))
			for _, line := range removed(before, after) {
				if !volume.MatchString(line) {
					t.Errorf("%s/%s loses %q", source, name, line)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// mounts tells a volume of volumeNames from an ephemeral container's debugging.
func mounts(name string) bool { return !strings.HasPrefix(name, "debugs ") }

func readBoth(t *testing.T, a, b string) (before, after []byte) {
	t.Helper()
	before, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	if after, err = os.ReadFile(b); err != nil {
		t.Fatal(err)
	}
	return before, after
}

// removed lists the lines that are fewer than they were.
func removed(before, after []byte) []string {
	left := map[string]int{}
	for line := range bytes.Lines(after) {
		left[strings.TrimRight(string(line), "\r\n")]++
	}
	var gone []string
	for line := range bytes.Lines(before) {
		text := strings.TrimRight(string(line), "\r\n")
		if left[text]--; left[text] < 0 {
			gone = append(gone, text)
		}
	}
	return gone
}

// TestFolderIsDone: with every question answered as proposed, written and read again, no workload mounts a class that was ready.
func TestFolderIsDone(t *testing.T) {
	for _, source := range []string{estateDir, gitopsDir} {
		dir := fixture(t, source)
		answers := proposals(t, dir)
		_, report := planFolder(t, dir, answers)
		ready := map[model.Ref]bool{}
		for _, object := range report.Objects {
			left := slices.ContainsFunc(object.Findings, func(c model.Code) bool { return slices.Contains(leftAlone, c) })
			if object.Outcome == model.Translated && !left {
				ready[object.Ref] = true
			}
		}
		writeFolder(t, dir, answers)
		snapshot, _ := planFolder(t, dir, answers)
		for _, object := range snapshot.Objects {
			u := &unstructured.Unstructured{Object: object.Content}
			if left := volumeNames(u); ready[object.Ref] && slices.ContainsFunc(left, mounts) && !owned(u) {
				t.Errorf("%s: %s (%s) still mounts %v", source, object.Ref, object.Place, left)
			}
		}
	}
}
