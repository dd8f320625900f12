package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"secretstore/internal/migrate/act"
)

// JournalFile holds what a migration did, an entry a line.
const JournalFile = "journal.jsonl"

// Entries reads the journal. A line that was not written to its end, by a run that was killed or had a full disk, is left out:
// nothing was done after it. A broken line before others is an error, since what they tell could not be trusted.
func (f *Folder) Entries() ([]act.Entry, error) {
	entries, _, err := f.readJournal()
	return entries, err
}

// readJournal reads the journal, and says how long it is without a torn end.
func (f *Folder) readJournal() ([]act.Entry, int64, error) {
	content, err := os.ReadFile(f.Path(JournalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading the journal: %w", err)
	}
	var entries []act.Entry
	whole := int64(0)
	for number := 1; ; number++ {
		line, rest, ended := bytes.Cut(content[whole:], []byte{'\n'})
		if !ended {
			return entries, whole, nil
		}
		var e act.Entry
		if err := unmarshal(line, &e); err != nil {
			return nil, 0, fmt.Errorf("line %d of %s is broken: %w; what the migration did cannot be told any more: look at the file "+
				"and mend the line, or move the folder away and begin anew", number, f.Path(JournalFile), err)
		}
		entries = append(entries, e)
		whole = int64(len(content) - len(rest))
	}
}

// unmarshal reads a line. Whole numbers stay whole, as those of objects are that were read from a cluster.
func unmarshal(line []byte, e *act.Entry) error {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(e); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one entry")
	}
	if e.What == "" {
		return errors.New("no entry")
	}
	wholeEntry(e)
	return nil
}

// A Journal is open for writing. One at a time: the migration's Lease sees to that.
type Journal struct {
	file journalFile
	path string
	end  int64
	// broken is the first error; nothing is written after it, since it would stand behind half a line.
	broken error
}

// journalFile is what a Journal needs of its file.
type journalFile interface {
	io.Writer
	io.Closer
	Sync() error
	Truncate(size int64) error
}

// OpenJournal opens the journal for writing, makes it if there is none, and cuts a torn line off its end.
func (f *Folder) OpenJournal() (*Journal, []act.Entry, error) {
	entries, whole, err := f.readJournal()
	if err != nil {
		return nil, nil, err
	}
	if err := f.makeDir(); err != nil {
		return nil, nil, err
	}
	path := f.Path(JournalFile)
	file, err := f.openOwn(JournalFile, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the journal: %w", err)
	}
	err = errors.Join(file.Truncate(whole), file.Sync(), syncDir(f.dir))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("opening the journal %s: %w", path, err), file.Close())
	}
	return &Journal{file: file, path: path, end: whole}, entries, nil
}

// syncDir brings a folder's list of files to the disk.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Append writes an entry and brings it to the disk. An entry with a value of a Secret is refused. After an error nothing more is
// written: what was written of the entry is cut off, now or when the journal is opened again.
func (j *Journal) Append(e act.Entry) error {
	if j.broken != nil {
		return fmt.Errorf("writing %s: an earlier entry could not be written: %w", j.path, j.broken)
	}
	if err := e.Check(); err != nil {
		return err
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing %s: %w", j.path, err)
	}
	line = append(line, '\n')
	_, err = j.file.Write(line)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = err
		_ = j.file.Truncate(j.end) // if that fails as well, the torn end is cut when the journal is opened again
		return fmt.Errorf("writing %s: %w", j.path, err)
	}
	j.end += int64(len(line))
	return nil
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }
