//go:build long

package act_test

// stride has the program killed at every call.
const stride = 1
