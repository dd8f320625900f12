package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"secretstore/test/narrator"
)

// run is the benchmark. It leaves no process behind.
func run(ctx context.Context, show *narrator.Narrator, getenv func(string) string) (err error) {
	s, err := readSettings(getenv)
	if err != nil {
		return err
	}
	show.Title(fmt.Sprintf("%d SecretSyncs, %d kinds, %d runs of each; vault and Entra answer after %d ms",
		s.n, len(s.kinds), s.runs, latency))
	l, err := openLab(ctx, show, s.places())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	entries, err := measure(ctx, l, s)
	if err != nil {
		return err
	}
	return conclude(show, s, entries)
}

// places are one for each trial: kind after kind, as often as there are runs.
func (s settings) places() []place {
	var places []place
	for number := range s.runs * len(s.kinds) {
		places = append(places, newPlace(number, s.n, s.kinds[number%len(s.kinds)]))
	}
	return places
}

// measure measures every kind as often as asked, kind after kind, so that a slow minute does not meet one of them alone, and
// gives the medians.
func measure(ctx context.Context, l *lab, s settings) ([]entry, error) {
	runs := make([][]entry, 2*len(s.kinds)) // for each kind and phase, what each run gave
	for number, p := range s.places() {
		which := number % len(s.kinds)
		both, err := runTrial(ctx, l, s, p, s.kinds[which], number/len(s.kinds)+1)
		if err != nil {
			return nil, err
		}
		for phase, e := range both {
			runs[2*which+phase] = append(runs[2*which+phase], e)
		}
	}
	var entries []entry
	for _, of := range runs {
		entries = append(entries, medians(of))
	}
	return entries, nil
}

// runTrial measures one kind once, and tells about it.
func runTrial(ctx context.Context, l *lab, s settings, p place, k kind, run int) ([]entry, error) {
	interval := time.Duration(s.interval) * time.Second
	t := &trial{lab: l, place: p, kind: k, interval: interval, patience: patience(s.n) + interval}
	var entries []entry
	what := fmt.Sprintf("run %d of %d, shape %s, sweep: %s", run, s.runs, k.shape, yesNo(k.sweep))
	err := l.show.During(what, func() (err error) {
		entries, err = t.run(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		l.show.Line("      %s: %.2f s (floor %.2f s), %d requests to the vault, %d writes, %.2f ms CPU an object, %.1f MiB",
			e.Phase, e.WallS, e.FloorS, e.VaultRequests, e.APIServerWrites, e.CPUMsPerObject, e.PeakAnonMiB)
	}
	return entries, nil
}

// patience is how long it may take until n SecretSyncs are done: long enough for a controller that is not economical at all.
func patience(n int) time.Duration {
	const least, each = 10 * time.Minute, 200 * time.Millisecond
	return least + time.Duration(n)*each
}

// conclude shows the figures and the bounds, and writes the JSON.
func conclude(show *narrator.Narrator, s settings, entries []entry) error {
	show.Title(fmt.Sprintf("Figures: medians of %d", s.runs))
	show.Block(table(entries))
	text, missed := verdicts(entries)
	show.Title("Bounds")
	show.Block(text)
	if s.out != "" {
		if err := writeJSON(s.out, entries); err != nil {
			return err
		}
		show.Line("bench: wrote %s", s.out)
	}
	if missed > 0 && s.check {
		return fmt.Errorf("%d bounds are missed", missed)
	}
	show.Line("bench: %d bounds are missed", missed)
	return nil
}
