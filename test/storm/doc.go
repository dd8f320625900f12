// Package storm tests that the controller never makes a storm of requests, nor keeps one going: processes of the real
// controller, the real API server, and the emulator as a vault that throttles. What counts is what arrived at the vault, and
// when. Its tests carry the build tag long; "make test-long" runs them. test/economy has the same in simulated time, with
// ten times as many objects.
package storm
