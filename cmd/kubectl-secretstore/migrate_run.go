package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"secretstore/internal/migrate"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/azscript"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
	migrationreport "secretstore/internal/migrate/report"
	"secretstore/internal/migrate/state"
	"secretstore/internal/migrate/write"
)

// migrationRun is one run of a verb: what was read, and what follows from it.
type migrationRun struct {
	migration
	program  program
	state    *state.Folder
	snapshot model.Snapshot
	report   model.Report
	// entries are the journal's: what this migration did until now.
	entries []act.Entry
}

// begin opens the state folder, reads the input and plans. What this migration did is put back in what was read, so that the plan
// is the whole of it.
func (m migration) begin(ctx context.Context, p program) (*migrationRun, error) {
	in, err := m.input(ctx, p)
	if err != nil {
		return nil, err
	}
	folder, err := state.Open(m.state, in.owner, thisVersion(), p.chance)
	if err != nil {
		return nil, err
	}
	if m.options.Decisions, err = folder.Decisions(); err != nil {
		return nil, err
	}
	snapshot, err := in.read(ctx, folder.Digester())
	if err != nil {
		return nil, err
	}
	entries, err := folder.Entries()
	if err != nil {
		return nil, err
	}
	snapshot = act.Undone(snapshot, entries)
	m.askAzure(ctx, p, &snapshot)
	r := &migrationRun{
		migration: m, program: p, state: folder, snapshot: snapshot, report: migrate.Plan(snapshot, m.options), entries: entries,
	}
	if err := folder.CheckDecisions(r.report.Decisions); err != nil {
		return nil, err
	}
	r.report.Changes = r.withImage(r.report.Changes)
	return r, r.tryEdits()
}

// input is a folder or a cluster that can be read.
type input struct {
	owner state.Owner
	read  func(context.Context, model.Digester) (model.Snapshot, error)
}

// input finds the folder or the cluster.
func (m migration) input(ctx context.Context, p program) (input, error) {
	if m.from != "" {
		return m.folder(p)
	}
	config, err := restConfig(m.cluster, p.ErrOut)
	if err != nil {
		return input{}, err
	}
	uid, err := read.Identify(ctx, config)
	if apierrors.IsForbidden(err) { // reading all the same tells everything that is missing at once
		_, err = read.Cluster(ctx, config, read.ClusterOptions{Digest: func([]byte) string { return "" }, Namespaces: m.namespaces})
	}
	if err != nil {
		return input{}, err
	}
	return input{state.Owner{Cluster: uid}, func(ctx context.Context, digest model.Digester) (model.Snapshot, error) {
		defer p.endProgress()
		return read.Cluster(ctx, config, read.ClusterOptions{
			Digest: digest, Namespaces: m.namespaces, Selector: m.selector, Progress: p.progressFrom(p.clock.Now()),
		})
	}}, nil
}

// folder is a folder of manifests as input.
func (m migration) folder(p program) (input, error) {
	path, err := filepath.Abs(m.from)
	if err != nil {
		return input{}, fmt.Errorf("looking for the folder %s: %w", m.from, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return input{}, fmt.Errorf("--from: %w: name a folder of manifests", err)
	}
	if !info.IsDir() {
		return input{}, fmt.Errorf("--from %s is a file: name the folder that holds it", m.from)
	}
	return input{state.Owner{Folder: path}, func(ctx context.Context, digest model.Digester) (model.Snapshot, error) {
		defer p.endProgress()
		return read.Folder(ctx, os.DirFS(m.from), m.from, read.FolderOptions{
			Digest: digest, Namespaces: m.namespaces, Selector: m.selector, Progress: p.progressFrom(p.clock.Now()),
		})
	}}, nil
}

// tryEdits works the edits of a folder out, so that what cannot be edited is told before anything is written.
func (r *migrationRun) tryEdits() error {
	if r.from == "" {
		return nil
	}
	files, err := r.files(r.report.Changes)
	if err != nil {
		return err
	}
	r.report = model.Tell(r.report, files.Findings)
	return nil
}

// files works out what files become by the changes.
func (r *migrationRun) files(changes []model.Change) (write.Result, error) {
	if r.from != "" {
		return write.Folder(os.DirFS(r.from), changes)
	}
	return write.Manifests(changes)
}

// backUp keeps what was found.
func (r *migrationRun) backUp() error {
	if err := r.state.Backup(r.snapshot); err != nil {
		return err
	}
	return r.state.SaveDecisions(r.report.Decisions)
}

// finish shows a report, writes the script of az commands if it was asked for, and says by its error if something is left open.
func (r *migrationRun) finish(shown model.Report) error {
	if err := r.emit(); err != nil {
		return err
	}
	if err := r.show(shown); err != nil {
		return err
	}
	return open(r.report)
}

// show writes a report in the format that was asked for.
func (r *migrationRun) show(shown model.Report) error {
	switch r.format {
	case formatJSON, formatYAML:
		return encode(r.program.Out, r.format, statedReport{shown, r.states(shown.Changes)})
	case formatHTML:
		page, err := migrationreport.HTML(shown)
		if err != nil {
			return err
		}
		_, err = r.program.Out.Write(page)
		return err
	default:
		return r.program.print(migrationreport.Text(shown, r.format == formatWide, r.states(shown.Changes)))
	}
}

// emit writes the script of az commands.
func (r *migrationRun) emit() error {
	const forReview = 0o644
	switch r.emitAz {
	case "":
		return nil
	case "-":
		_, err := io.WriteString(r.program.Out, azscript.Script(r.report))
		return err
	}
	if err := os.WriteFile(r.emitAz, []byte(azscript.Script(r.report)), forReview); err != nil {
		return fmt.Errorf("writing the script of az commands: %w", err)
	}
	r.program.note("wrote " + r.emitAz + ": review it before you run it")
	return nil
}

// patience is how long something may take before people are told what goes on.
const patience = 2 * time.Second

// progressFrom tells people what takes long, on a line that is written over on a terminal and is not there elsewhere.
func (p program) progressFrom(start time.Time) func(string, int) {
	return func(text string, done int) {
		if p.terminal && p.clock.Since(start) > patience {
			_, _ = io.WriteString(p.ErrOut, fmt.Sprintf("\r\x1b[K%s: %d", text, done)) // if that fails there is nobody to tell
		}
	}
}

// endProgress clears the line.
func (p program) endProgress() {
	if p.terminal {
		_, _ = io.WriteString(p.ErrOut, "\r\x1b[K")
	}
}
