// Package pace keeps the requests to one host, a vault or Entra, within a budget, and leaves a host alone that throttles or
// does not answer. It is the one place where waiting and trying again are decided for a host as a whole; when each object is
// tried again is decided by its own schedule.
//
// Requests leave at equal distances, never more in a second than the budget; a caller that comes late can take a place that has
// passed within the last moment. An answer of 429 or 503, or none at all, stops all requests to the host: until the time that the
// answer names, or for a time that doubles with each failure in a row. Then a single request, the probe, finds out; the others
// wait for its outcome. After a throttle they go on at half the rate, which grows back within seconds. A host that was not asked
// for a minute is probed first as well, so that one that has died meanwhile costs one request in vain, not one for each that
// waits.
//
// [Host.Enter] bounds how many callers wait for a host at the same time, in the order of their coming, so that one host which is
// slow leaves workers to the others.
package pace
