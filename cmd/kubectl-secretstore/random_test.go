package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/jitter"
)

func fleetOf(clusters, secrets int) jitter.Fleet {
	return jitter.Fleet{Clusters: clusters, Secrets: secrets, Limit: jitter.DefaultLimit, Risk: jitter.DefaultRisk}
}

// randomSyncs are SecretSyncs with any statuses, such as no controller writes too.
func randomSyncs(random *rand.Rand) []v1alpha1.SecretSync {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	var found []v1alpha1.SecretSync
	for _, sync := range many("shop", random.IntN(12)) {
		for _, kind := range []string{"Create", "Update", "Ready"} {
			if random.IntN(3) == 0 {
				continue
			}
			sync.Status.Conditions = append(sync.Status.Conditions, condition(
				kind, metav1.ConditionStatus(pick("True", "False", "Unknown")),
				pick("CreateSucceeded", "UpdateNoValueChangeSucceeded", "PartialSync", "ProviderError", "Whatever"),
				pick("", "words", "two\nlines", "\x1b[2Jgone\r", "[]", "[{}]", "{}", "null", `[{"sourcePath":"a\nb","state":"\u001b[0m"}]`, `[1]`),
				noon.Add(-time.Duration(random.Int64N(int64(1000*time.Hour)))),
			))
		}
		found = append(found, sync)
	}
	random.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	return found
}

// TestReportsOfAnything: whatever statuses say, each SecretSync has its row, the counts add up, nothing steers the terminal, and
// what programs read is the report.
func TestReportsOfAnything(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		found := randomSyncs(random)
		r := reportOf(found)
		if c := r.Counts; c.Total != len(found) || c.Healthy+c.Failing+c.Unchecked != c.Total {
			t.Fatalf("%d SecretSyncs are counted as %+v", len(found), c)
		}
		p, out, _ := streams()
		view := textView{now: noon, namespaces: random.IntN(2) == 0, wide: random.IntN(2) == 0}
		if err := p.print(view.report(r)); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\r") {
			t.Fatalf("the terminal is steered: %q", out)
		}
		table, _, _ := strings.Cut(out.String(), "\n\n")
		if rows := strings.Count(table, "\n"); rows != len(found) {
			t.Fatalf("%d SecretSyncs have %d rows:\n%s", len(found), rows, table)
		}
		checkJSON(t, r)
	}
}

// checkJSON: what is encoded is decoded again, and nothing of it is lost.
func checkJSON(t *testing.T, r report) {
	t.Helper()
	var out bytes.Buffer
	if err := encode(&out, formatJSON, r); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	var again report
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&again); err != nil {
		t.Fatal(err)
	}
	var once bytes.Buffer
	if err := encode(&once, formatJSON, again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, once.String()); diff != "" {
		t.Fatalf("JSON (-encoded +decoded and encoded):\n%s", diff)
	}
}

// TestJitterNotes: for any fleet the words fit the figures.
func TestJitterNotes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 10))
	for range 500 {
		f := fleetOf(1+random.IntN(5000), 1+random.IntN(400))
		j := jitterVerb{fleet: f}
		r, a := jitter.Recommend(f), jitter.Approximate(f)
		report := j.report(r, a)
		if (report.Approximation == nil) != strings.HasPrefix(report.Note, "none.") {
			t.Errorf("%+v: approximation %v with the note %q", f, report.Approximation, report.Note)
		}
		if negative := strings.Contains(report.Note, "The formula turns negative"); negative != (f.Secrets >= 229) {
			t.Errorf("%+v: %q", f, report.Note)
		}
		if report.Approximation != nil && *report.Approximation < float64(report.JitterSeconds)-1 {
			t.Errorf("%+v: the approximation %g is shorter than the exact %d", f, *report.Approximation, report.JitterSeconds)
		}
		if none := strings.Contains(j.explain(r), "even all at once"); none != (r.Seconds == 0) {
			t.Errorf("%+v: %d s explained by %q", f, r.Seconds, j.explain(r))
		}
	}
}
