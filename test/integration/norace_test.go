//go:build !race

package integration

// raceEnabled says that the tests run with the race detector.
const raceEnabled = false
