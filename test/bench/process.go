package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"secretstore/test/stack"
)

const (
	// readyEvery is how often the controller is asked whether it is ready.
	readyEvery = 2 * time.Millisecond
	// sampleEvery is how often its memory is looked at.
	sampleEvery = 50 * time.Millisecond
	// readyTimeout is how long it may take to read all that it watches.
	readyTimeout = 2 * time.Minute
)

// subject is the controller that is measured, a process.
type subject struct {
	process *stack.Process
	// peak is the most anonymous memory that was seen, in KiB.
	peak atomic.Int64
	// sampled is closed when nobody samples the memory any more; stop ends that.
	sampled chan struct{}
	stop    context.CancelFunc
}

// startController starts the controller with flags besides those that all measurements share, and returns when it is ready.
func (l *lab) startController(ctx context.Context, flags ...string) (*subject, error) {
	health, err := stack.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	process, err := l.stack.StartReplica(ctx, append(flags, "--healthProbeBindAddress="+health)...)
	if err != nil {
		return nil, err
	}
	sampling, stop := context.WithCancel(ctx)
	s := &subject{process: process, sampled: make(chan struct{}), stop: stop}
	go s.sample(sampling)
	if err := s.awaitReady(ctx, "http://"+health+"/readyz"); err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

// end stops the controller.
func (s *subject) end() error {
	s.stop()
	<-s.sampled
	return s.process.Stop()
}

// awaitReady returns when the controller has read all that it watches: it begins to work at that moment.
func (s *subject) awaitReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	for {
		if ready(ctx, url) {
			return nil
		}
		if err := s.process.Ended(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the controller to be ready: %w; it printed:\n%s", ctx.Err(), s.process.Log())
		case <-tick.C:
		}
	}
}

func ready(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// sample looks at the memory until ctx ends.
func (s *subject) sample(ctx context.Context) {
	defer close(s.sampled)
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		if now, err := anonymous(s.process.PID()); err == nil {
			s.peak.Store(max(now, s.peak.Load()))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// takePeak is the most anonymous memory since the last call, or since the start, in MiB.
func (s *subject) takePeak() (float64, error) {
	now, err := anonymous(s.process.PID())
	if err != nil {
		return 0, err
	}
	const kibPerMib = 1024
	return float64(max(now, s.peak.Swap(now))) / kibPerMib, nil
}

// anonymous is the anonymous memory of a process that is resident, in KiB.
func anonymous(pid int) (int64, error) {
	path := fmt.Sprintf("/proc/%d/status", pid)
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("reading the controller's memory, which needs Linux: %w", err)
	}
	_, after, _ := bytes.Cut(text, []byte("RssAnon:"))
	line, _, _ := strings.Cut(string(after), "kB")
	kib, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading RssAnon in %s: %w", path, err)
	}
	return kib, nil
}

// cpu is the time that the controller has spent on processors so far.
func (s *subject) cpu() (time.Duration, error) {
	path := fmt.Sprintf("/proc/%d/stat", s.process.PID())
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("reading the controller's CPU time, which needs Linux: %w", err)
	}
	return cpuTime(string(text))
}

// cpuTime is user time and system time out of a line of /proc/PID/stat. They are its fields 14 and 15 (proc(5)), counted behind
// the program's name, which stands in parentheses and may hold anything.
func cpuTime(stat string) (time.Duration, error) {
	const (
		userTime, systemTime = 14 - 3, 15 - 3
		// tick is the unit that Linux gives to user space on all its platforms.
		tick = 10 * time.Millisecond
	)
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= systemTime {
		return 0, fmt.Errorf("reading CPU time: %d fields behind the name in %q", len(fields), stat)
	}
	user, err := strconv.ParseInt(fields[userTime], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading user time: %w", err)
	}
	system, err := strconv.ParseInt(fields[systemTime], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading system time: %w", err)
	}
	return time.Duration(user+system) * tick, nil
}
