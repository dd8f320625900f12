package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/state"
)

// entries are what a small run writes down.
func someEntries() []act.Entry {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	web := model.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web"}
	change := model.Change{ID: "workloads/edit/deployment/shop/web", Verb: model.Edit, Object: web, Order: 610, Edits: []model.FieldEdit{
		{Op: model.OpReplace, Path: model.Path{"spec", "containers", 0, "x"}, Value: int64(3), Was: 1.5},
	}}
	return []act.Entry{
		{At: at, What: act.Found, Found: []act.FoundObject{{Ref: web, Outcome: model.Translated}}, Kept: &act.Kept{
			Driver:    []model.Object{{Ref: web, Content: map[string]any{"spec": map[string]any{"n": int64(7)}}}},
			ClientIDs: map[string]string{"shop/creds": "id"},
		}},
		{At: at, What: act.Begun, Change: change, Before: map[string]any{"spec": map[string]any{"replicas": int64(2)}}},
		{At: at, What: act.Made, Change: change, UID: "uid"},
	}
}

func journal(t *testing.T, dir string) (*state.Folder, string) {
	t.Helper()
	f, err := state.Open(dir, state.Owner{Cluster: "uid"}, "v1", strings.NewReader(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return f, filepath.Join(dir, state.JournalFile)
}

// write appends entries and closes the journal.
func write(t *testing.T, f *state.Folder, entries ...act.Entry) {
	t.Helper()
	j, _, err := f.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestJournalGivesBackWhatWasWritten: with whole numbers whole, in a file of the owner's alone.
func TestJournalGivesBackWhatWasWritten(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	f, path := journal(t, dir)
	if entries, err := f.Entries(); err != nil || entries != nil {
		t.Errorf("before anything: %v, %v", entries, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading made the folder: %v", err)
	}
	want := someEntries()
	write(t, f, want[:1]...)
	write(t, f, want[1:]...)
	got, err := f.Entries()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v; -want +got:\n%s", err, diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestJournalsEnds: what a crash leaves at the end is cut, wherever it came; what is broken before it is not accepted.
func TestJournalsEnds(t *testing.T) {
	t.Parallel()
	f, path := journal(t, filepath.Join(t.TempDir(), "state"))
	want := someEntries()
	write(t, f, want...)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := len(whole) - 1 - strings.LastIndex(strings.TrimSuffix(string(whole), "\n"), "\n") // the last line, with its end
	for torn := 1; torn < last; torn++ {
		if err := os.WriteFile(path, whole[:len(whole)-torn], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Entries(); err != nil || len(got) != len(want)-1 {
			t.Fatalf("%d bytes are lacking: %d entries, %v", torn, len(got), err)
		}
		write(t, f, want[len(want)-1])
		if content, err := os.ReadFile(path); err != nil || string(content) != string(whole) {
			t.Fatalf("%d bytes were lacking: %v, written anew:\n%s", torn, err, content)
		}
	}
	lines := strings.SplitAfter(string(whole), "\n")
	for name, content := range map[string]string{
		"half a line before others": lines[0] + lines[1][:20] + lines[2],
		"an empty line":             lines[0] + "\n" + lines[2],
		"two on a line":             strings.TrimSuffix(lines[0], "\n") + lines[1],
		"something else":            lines[0] + "{}\n",
		"zeros":                     lines[0] + strings.Repeat("\x00", 20) + "\n" + lines[1],
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := f.Entries()
		_, _, opened := f.OpenJournal()
		if err == nil || opened == nil || !strings.Contains(err.Error(), "line ") || !strings.Contains(err.Error(), "is broken") {
			t.Errorf("%s: %v, %v", name, err, opened)
		}
	}
}

// TestJournalHoldsNoValues: an entry with a Secret's values is refused, whatever field they are in.
func TestJournalHoldsNoValues(t *testing.T) {
	t.Parallel()
	f, path := journal(t, filepath.Join(t.TempDir(), "state"))
	j, _, err := f.OpenJournal()
	if err != nil {
		t.Fatal(err)
	}
	secret := model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: "shop", Name: "db"}
	values := map[string]any{"kind": "Secret", "stringData": map[string]any{"a": "canary"}}
	edited := []model.FieldEdit{{Op: model.OpReplace, Path: model.Path{"data", "a"}, Value: "eA==", Was: "canary"}}
	whole := []model.FieldEdit{{Op: model.OpReplace, Path: model.Path{"metadata"}, Value: map[string]any{}, Was: "canary"}}
	kept := map[string]any{"metadata": map[string]any{"annotations": map[string]any{"kapp.k14s.io/original": `{"data":"canary"}`}}}
	for name, e := range map[string]act.Entry{
		"an edit":            {What: act.Begun, Change: model.Change{Object: secret, Edits: edited}},
		"an edit of much":    {What: act.Begun, Change: model.Change{Object: secret, Edits: whole}},
		"a tool's copy":      {What: act.Begun, Change: model.Change{Object: secret}, Before: kept},
		"before":             {What: act.Begun, Change: model.Change{Object: secret}, Before: map[string]any{"data": map[string]any{"a": "canary"}}},
		"content":            {What: act.Begun, Change: model.Change{Object: secret, Content: values}},
		"of no named object": {What: act.Begun, Change: model.Change{Content: values}},
		"before, unnamed":    {What: act.Begun, Before: values},
	} {
		value := (*act.ValueError)(nil)
		if err := j.Append(e); !errors.As(err, &value) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ok := act.Entry{What: act.Begun, Change: model.Change{Object: secret}, Before: map[string]any{"kind": "Secret", "type": "Opaque"}}
	if err := errors.Join(j.Append(ok), j.Close()); err != nil {
		t.Error(err)
	}
	if content, err := os.ReadFile(path); err != nil || strings.Contains(string(content), "canary") || len(content) == 0 {
		t.Errorf("%v: %s", err, content)
	}
}
