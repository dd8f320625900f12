package cluster

import "time"

// Hurry shortens how long a holder is believed to live, and how often it says that it does.
func (c *Cluster) Hurry(silence, renew time.Duration) { c.silence, c.renew = silence, renew }
