//go:build !long

package act_test

// stride leaves most of the places out at which the program could be killed; the long tests have them all. It is prime, so that it
// meets every kind of call.
const stride = 13
