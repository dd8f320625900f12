// Package endurance tests what takes long: the controller killed at many random moments, and an hour of random faults. Its tests
// carry the build tag long; "make test-long" runs them.
//
// What they do at random they do by a seed, which they print; ENDURANCE_SEED repeats it. ENDURANCE_DURATION (such as 2m) shortens
// the hour, ENDURANCE_KILLS (50) the killing. Memory is level after a quarter of an hour only: client-go keeps each event for 6
// to 12 minutes, and there are many in this test.
package endurance
