package state

import (
	"errors"
	"testing"

	"secretstore/internal/migrate/act"
)

// fullDisk is a file on a disk that has room for some bytes more.
type fullDisk struct {
	content    []byte
	room       int
	noSync     bool
	noTruncate bool
}

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.content, d.room = append(d.content, p[:n]...), d.room-n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (d *fullDisk) Sync() error {
	if d.noSync {
		return errFull
	}
	return nil
}

func (d *fullDisk) Truncate(size int64) error {
	if d.noTruncate {
		return errFull
	}
	d.content = d.content[:size]
	return nil
}

func (d *fullDisk) Close() error { return nil }

// TestJournalOnAFullDisk: what could not be written is cut off, or stays torn at the end; nothing is written behind it.
func TestJournalOnAFullDisk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		disk fullDisk
		left int
	}{
		"full":               {fullDisk{room: 10}, 0},
		"full, and it stays": {fullDisk{room: 10, noTruncate: true}, 10},
		"not on the disk":    {fullDisk{room: 1 << 20, noSync: true}, 0},
	} {
		j := &Journal{file: &c.disk, path: "journal.jsonl"}
		if err := j.Append(act.Entry{What: act.Begun}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
		c.disk.room, c.disk.noSync = 1<<20, false
		if err := j.Append(act.Entry{What: act.Made}); !errors.Is(err, errFull) {
			t.Errorf("%s: after that %v", name, err)
		}
		if len(c.disk.content) != c.left {
			t.Errorf("%s: %q is left", name, c.disk.content)
		}
	}
}
