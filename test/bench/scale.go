package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"secretstore/test/narrator"
)

// runScale makes many SecretSyncs, waits until all are synced, and measures what keeping them so costs. What it prints last is
// Markdown, for docs/guide/performance.md.
func runScale(ctx context.Context, show *narrator.Narrator, getenv func(string) string) (err error) {
	s, err := readScaleSettings(getenv)
	if err != nil {
		return err
	}
	show.Title(s.String())
	l, err := openLab(ctx, show, s.places())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	found, err := measureScale(ctx, l, s)
	if err != nil {
		return err
	}
	show.Line("\n%s", found.markdown())
	return nil
}

// String says it in words.
func (s scaleSettings) String() string {
	return fmt.Sprintf("%d SecretSyncs in %d namespaces, %d vaults, checked every %d s", s.n, s.namespaces, s.vaults, s.interval)
}

// firstOfScale is the number of the first place, which no place of a trial has.
const firstOfScale = 1000

// places spread the SecretSyncs evenly over namespaces, and these over vaults. Each SecretSync maps a secret of its own.
func (s scaleSettings) places() []place {
	places := make([]place, 0, s.namespaces)
	own := s.n / s.namespaces
	for i := range s.namespaces {
		shared := vault{name: fmt.Sprintf("scale-%02d", i%s.vaults), secrets: s.n / s.vaults, lists: true}
		places = append(places, place{number: firstOfScale + i, vault: shared, first: i / s.vaults * own, objects: own, syncs: own})
	}
	return places
}

// steady is what a steady state costs.
type steady struct {
	scaleSettings

	// synced is how long it took to make all Secrets.
	synced time.Duration
	// took is how long was measured, and asked, cpu and peak what was.
	took  time.Duration
	asked counts
	cpu   time.Duration
	peak  float64
}

// measureScale makes the SecretSyncs, runs the controller with its defaults but for the interval, and measures.
func measureScale(ctx context.Context, l *lab, s scaleSettings) (found steady, err error) {
	found = steady{scaleSettings: s}
	if err := l.show.During("the SecretSyncs are created", func() error { return l.furnishAll(ctx, s.places()) }); err != nil {
		return found, err
	}
	c, err := l.startController(ctx, "--rotationPollIntervalInSeconds="+strconv.Itoa(s.interval))
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	if err := l.show.During("all are synced", func() error { return found.awaitSynced(ctx, l, c) }); err != nil {
		return found, err
	}
	what := fmt.Sprintf("what they cost is measured for %d s", s.window)
	return found, l.show.During(what, func() error { return found.watch(ctx, l, c) })
}

// awaitSynced waits for the first check of all, and stops watching then.
func (s *steady) awaitSynced(ctx context.Context, l *lab, c *subject) error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience(s.n))
	defer cancel()
	f, err := l.follow(ctx, "")
	if err != nil {
		return err
	}
	_, last, err := f.await(ctx, s.n, c.process.Ended, created)
	s.synced = last.Sub(begun)
	return err
}

// watch measures for the window.
func (s *steady) watch(ctx context.Context, l *lab, c *subject) error {
	from, err := l.read(ctx, c)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := c.runFor(ctx, time.Duration(s.window)*time.Second); err != nil {
		return err
	}
	s.took = time.Since(begun)
	to, err := l.read(ctx, c)
	s.asked, s.cpu, s.peak = to.counts.minus(from.counts), to.cpu-from.cpu, to.peak
	return err
}

// aliveEvery is how often it is looked whether the controller still runs.
const aliveEvery = time.Second

// runFor lets the controller run for a while.
func (s *subject) runFor(ctx context.Context, window time.Duration) error {
	end := time.NewTimer(window)
	defer end.Stop()
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := s.process.Ended(); err != nil {
				return err
			}
		}
	}
}

// markdown is a table of it.
func (s *steady) markdown() string {
	second := func(count int) string { return fmt.Sprintf("%.2f/s", float64(count)/s.took.Seconds()) }
	const percent = 100
	rows := [][2]string{
		{s.String(), ""},
		{"from the controller's start until all were synced", fmt.Sprintf("%.0f s", s.synced.Seconds())},
		{"measured after that for", fmt.Sprintf("%.0f s", s.took.Seconds())},
		{"requests to all vaults", second(s.asked.vault)},
		{"of these, reads of a value", second(s.asked.reads)},
		{"of these, lists", second(s.asked.lists)},
		{"token exchanges", second(s.asked.tokens)},
		{"writes of Secrets and statuses", second(s.asked.writes)},
		{"writes of events", second(s.asked.events)},
		{"looks at Secrets, by dry runs", second(s.asked.looks)},
		{"CPU of the controller", fmt.Sprintf("%.1f %% of a core", percent*s.cpu.Seconds()/s.took.Seconds())},
		{"anonymous memory of the controller, at most", fmt.Sprintf("%.0f MiB", s.peak)},
	}
	var out strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&out, "| %s | %s |\n", row[0], row[1])
		if i == 0 {
			out.WriteString("|---|---|\n")
		}
	}
	return out.String()
}
