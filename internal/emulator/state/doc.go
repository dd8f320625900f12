// Package state is what Azure would remember: tenants, applications and their credentials, vaults, who may do what in them,
// and the objects that they hold. It lives in memory, begins with a Seed, and knows nothing of HTTP.
//
// It promises what Azure's documentation says of the things themselves: names without regard to letter case, versions that
// are never changed, deletion that can be undone, a certificate whose key and secret are one with it, times in whole seconds.
// A seed that Azure would not accept is refused with the path of what is wrong.
//
// Everything may be read and changed concurrently; what it gives out are copies.
package state
