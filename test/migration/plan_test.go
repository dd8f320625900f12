package migration_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"secretstore/internal/migrate"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
	"secretstore/test/migration/estate"
)

// digest stands in for a keyed digest: the same for all values, so that a value that is not digested differs.
func digest([]byte) string { return "digest" }

// TestFolderAndClusterGiveTheSamePlan reads the estate as a folder, and from the API server that it was applied to. What has
// to differ is made alike beforehand: a cluster has an issuer, and fills in defaults; a class that a folder lacks may be elsewhere,
// one that a cluster lacks is missing; and Secrets of the driver can be handed over in a cluster only.
func TestFolderAndClusterGiveTheSamePlan(t *testing.T) {
	if _, err := estate.Apply(t.Context(), shared.Config(), loadEstate(t)); err != nil {
		t.Fatal(err)
	}
	folder, err := read.Folder(t.Context(), os.DirFS(estateDir), estateDir, read.FolderOptions{Digest: digest})
	if err != nil {
		t.Fatal(err)
	}
	live, err := read.Cluster(t.Context(), shared.Config(), read.ClusterOptions{Digest: digest, Namespaces: namespacesOf(t)})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]model.Snapshot{"folder": folder, "cluster": live} {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for value := range secretValues(t) {
			if strings.Contains(string(text), value) {
				t.Errorf("%s, a value of a Secret, is in the snapshot of the %s", value, name)
			}
		}
	}
	live.Input.Issuer = ""
	options := model.Options{
		Strategy: model.ZeroDowntime, Target: model.TargetSecretStore, Style: model.StyleDirect, Roles: model.RolesLeast, ForceLive: true,
	}
	fromFolder, fromCluster := alike(migrate.Plan(folder, options)), alike(migrate.Plan(live, options))
	if fromFolder.Counts.Total < 150 {
		t.Errorf("only %d objects were found", fromFolder.Counts.Total)
	}
	if diff := cmp.Diff(fromFolder, fromCluster, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the plans differ (-folder +cluster):\n%s", shortened(diff))
	}
}

// secretValues are the values of all Secrets of the estate, plain and in base64, but for client IDs, which are none.
func secretValues(t *testing.T) map[string]bool {
	t.Helper()
	values := map[string]bool{}
	for _, object := range loadEstate(t) {
		for _, field := range []string{"data", "stringData"} {
			held, _, _ := unstructured.NestedStringMap(object.Object, field)
			for key, value := range held {
				if object.GetKind() != "Secret" || key == "clientid" {
					continue
				}
				plain, err := base64.StdEncoding.DecodeString(value)
				if field == "data" && err == nil {
					value = string(plain)
				}
				values[value], values[base64.StdEncoding.EncodeToString([]byte(value))] = true, true
			}
		}
	}
	if len(values) < 20 {
		t.Fatalf("only %d values were found: the test would show nothing", len(values))
	}
	return values
}

// namespacesOf are the namespaces of the estate: other tests have their own on the same API server.
func namespacesOf(t *testing.T) (names []string) {
	t.Helper()
	for _, object := range loadEstate(t) {
		if object.GetKind() == "Namespace" {
			names = append(names, object.GetName())
		}
	}
	return append(names, "kube-system")
}

// alike leaves of a report what a folder and a cluster have alike.
func alike(r model.Report) model.Report {
	lacking := model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "support", Name: "support-chat"}
	r.Input = model.Input{}
	r.Objects = slices.DeleteFunc(r.Objects, func(o model.Accounted) bool { return o.Ref == lacking })
	for i := range r.Objects {
		r.Objects[i].Place = model.Place{}
		r.Objects[i].Findings = slices.DeleteFunc(r.Objects[i].Findings, func(c model.Code) bool { return c == "M431" })
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f model.Finding) bool { return f.Code == "M431" || f.Object == lacking })
	for i := range r.Findings {
		r.Findings[i].Place = model.Place{}
	}
	r.Decisions = slices.DeleteFunc(r.Decisions, func(d model.Decision) bool { return d.Object == lacking })
	for i := range r.Changes {
		c := &r.Changes[i]
		c.Place, c.UID = model.Place{}, ""
		if c.Verb == model.Edit || c.Verb == model.Delete || c.Object.Kind == "Pod" || c.Object.Kind == "Job" {
			c.Content, c.Edits = nil, nil // they hold what the API server filled in
		}
		if c.Object.Kind == "Pod" {
			c.ByHand = "" // a manifest can be changed, a pod cannot
		}
	}
	total := model.Counts{Kinds: map[string]model.Counts{}}
	for _, o := range r.Objects {
		kind := total.Kinds[o.Kind]
		kind.Add(o.Outcome)
		total.Add(o.Outcome)
		total.Kinds[o.Kind] = kind
	}
	r.Counts = total
	return r
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
