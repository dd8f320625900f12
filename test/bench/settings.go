package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The shapes of a namespace.
const (
	// shapeA is one class of 10 objects that all SecretSyncs share.
	shapeA = "A"
	// shapeB is as many objects as SecretSyncs, in classes of 10.
	shapeB = "B"
)

const (
	objectsPerClass = 10
	// workers is how many checks the controller does at the same time, and how many writers the floor has.
	workers = 32
	// checksPerMinute is for how many SecretSyncs a minute leaves the rounds apart, with their events told in between.
	checksPerMinute = 750
)

// kind is what differs between the entries of a report, but for the phase.
type kind struct {
	shape string
	// sweep says that the identity may list the vault's secrets.
	sweep bool
}

// settings say what to measure. They come from the environment, where make puts what its command line says.
type settings struct {
	// n is how many SecretSyncs there are, and runs how often each kind is measured.
	n, runs int
	kinds   []kind
	// interval is the controller's rotationPollIntervalInSeconds.
	interval int
	// out is the file for the JSON; empty for none.
	out string
	// check makes a missed bound a failure.
	check bool
}

// readSettings reads N, RUNS, SHAPES, INTERVAL, OUT and CHECK.
func readSettings(getenv func(string) string) (settings, error) {
	e := environment{getenv: getenv}
	s := settings{n: e.number("N", 500), runs: e.number("RUNS", 3), out: getenv("OUT"), check: getenv("CHECK") == "1"}
	s.interval = e.number("INTERVAL", 60*max(1, (s.n+checksPerMinute-1)/checksPerMinute))
	if s.n%objectsPerClass != 0 {
		e.fail("N is %d: it must be a multiple of %d, the objects of a class", s.n, objectsPerClass)
	}
	shapes := []string{shapeA, shapeB}
	if text := getenv("SHAPES"); text != "" {
		shapes = strings.Split(text, ",")
	}
	for _, shape := range shapes {
		if !slices.Contains([]string{shapeA, shapeB}, shape) {
			e.fail("SHAPES has %q: it must be A, B or A,B", shape)
		}
		s.kinds = append(s.kinds, kind{shape, true}, kind{shape, false})
	}
	return s, errors.Join(e.errs...)
}

// scaleSettings say what steady state to measure.
type scaleSettings struct {
	n, namespaces, vaults int
	// interval is the controller's rotationPollIntervalInSeconds; window is for how many seconds is measured.
	interval, window int
}

// readScaleSettings reads N, NAMESPACES, VAULTS, INTERVAL and WINDOW.
func readScaleSettings(getenv func(string) string) (scaleSettings, error) {
	e := environment{getenv: getenv}
	s := scaleSettings{
		n: e.number("N", 10_000), namespaces: e.number("NAMESPACES", 100), vaults: e.number("VAULTS", 5),
		interval: e.number("INTERVAL", 600),
	}
	s.window = e.number("WINDOW", s.interval)
	if len(e.errs) == 0 && (s.n%(s.namespaces*objectsPerClass) != 0 || s.namespaces%s.vaults != 0) {
		e.fail("N must be a multiple of %d times NAMESPACES, and NAMESPACES of VAULTS: they are %d, %d and %d",
			objectsPerClass, s.n, s.namespaces, s.vaults)
	}
	return s, errors.Join(e.errs...)
}

// environment reads numbers and gathers what is wrong with them.
type environment struct {
	getenv func(string) string
	errs   []error
}

func (e *environment) fail(format string, args ...any) {
	e.errs = append(e.errs, fmt.Errorf(format, args...))
}

func (e *environment) number(name string, otherwise int) int {
	text := e.getenv(name)
	if text == "" {
		return otherwise
	}
	value, err := strconv.Atoi(text)
	if err != nil || value < 1 {
		e.fail("%s is %q: it must be a number from 1", name, text)
		return otherwise
	}
	return value
}
