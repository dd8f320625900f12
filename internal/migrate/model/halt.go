package model

import "slices"

// A halt is a finding about the whole after which nothing is done any more.
type halt struct {
	code Code
	// order is the place from which on there are no steps.
	order int
}

// halts are the answers that refuse what all of the rest stands on, and what the target refuses.
func halts() []halt {
	return []halt{
		{"M203", OrderPrepare},        // values must not lie in etcd
		{"M302", OrderUninstallFirst}, // no outage, but the order is the guide's
		{"M307", OrderInstall},        // another controller is in the target's place
		{"M308", OrderInstall},        // the target does not run beside the driver
	}
}

// Halt tells whether a finding stops the plan, by which code, and from which place in the order on. The first place counts.
func (p *Plan) Halt() (code Code, order int, halted bool) {
	for _, h := range halts() {
		if slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Code == h.code }) {
			return h.code, h.order, true
		}
	}
	return "", 0, false
}

// halted is a report without the steps that a halt forbids. What waited for them is blocked.
func (r Report) halted() Report {
	code, order, halted := r.Halt()
	after := func(c Change) bool { return c.Order >= order }
	if !halted || !slices.ContainsFunc(r.Changes, after) {
		return r
	}
	r.Changes = slices.DeleteFunc(r.Changes, after)
	for i, a := range r.Objects {
		if a.Outcome == Translated {
			codes := append(slices.Clone(a.Findings), code)
			slices.Sort(codes)
			r.Objects[i].Outcome, r.Objects[i].Findings = Blocked, codes
		}
	}
	return r
}
