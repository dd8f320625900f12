// Package jitter computes how long the checks of a fleet of clusters must be spread for one vault to keep up with them.
//
// The model: each of C clusters reads its S secrets within one second, which falls anywhere in the J seconds of jitter. The
// number of clusters that read in a given second then follows the Poisson distribution of mean λ = C/J, and the vault is asked
// too much when more than limit/S of them do. [Recommend] finds the largest λ for which that happens with no more than the
// accepted probability, exactly, and from it J. It errs towards a longer jitter: a finite fleet clashes less often than the
// Poisson distribution says, and so does one whose clusters spread their own reads.
//
// [Approximate] is the formula that Microsoft publishes for the same question. It counts a second that is just full as too
// much, and replaces the quantile by the approximation of Wilson and Hilferty, which fails for few clusters a second.
package jitter

import (
	"errors"
	"fmt"
	"math"
)

// DefaultLimit is how many requests a second a vault takes: 4,000 in 10 seconds.
const DefaultLimit = 400

// DefaultRisk is the accepted probability that Microsoft's published figures are for.
const DefaultRisk = 1e-4

// Bounds of what is computed. Beyond them lies a typing error rather than a fleet.
const (
	most      = 10_000_000
	leastRisk = 1e-12
	mostRisk  = 0.5
)

// Fleet is what the jitter depends on.
type Fleet struct {
	// Clusters is how many clusters read from the vault.
	Clusters int
	// Secrets is how many requests one cluster makes at one check.
	Secrets int
	// Limit is how many requests a second the vault takes.
	Limit int
	// Risk is the accepted probability that any one second brings more than Limit requests.
	Risk float64
}

// Recommendation is an answer and how it came about.
type Recommendation struct {
	// Seconds is the jitterSeconds to set.
	Seconds int64
	// AtOnce is how many clusters the vault serves in the same second.
	AtOnce int
	// Rate is how many clusters may start a second, on average; 0 where the whole fleet may start at once.
	Rate float64
}

// Validate says all that is wrong with the figures.
func (f Fleet) Validate() error {
	errs := []error{within("clusters", f.Clusters), within("secrets", f.Secrets), within("limit", f.Limit)}
	if !(f.Risk >= leastRisk && f.Risk <= mostRisk) { // so written, the comparison refuses NaN too
		errs = append(errs, fmt.Errorf("risk is %g: it is a probability, and must be from %g to %g", f.Risk, leastRisk, mostRisk))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if f.Secrets > f.Limit {
		return fmt.Errorf("one cluster alone asks for %d secrets, more than the %d requests a second that the vault takes: no "+
			"jitter helps; spread the secrets over several vaults", f.Secrets, f.Limit)
	}
	return nil
}

func within(name string, value int) error {
	if value >= 1 && value <= most {
		return nil
	}
	return fmt.Errorf("%s is %d: it must be from 1 to %d", name, value, most)
}

// Recommend computes the least jitter that keeps the risk. The figures must be valid.
func Recommend(f Fleet) Recommendation {
	r := Recommendation{AtOnce: f.Limit / f.Secrets}
	if f.Clusters <= r.AtOnce {
		return r // even all of them at once are served
	}
	r.Rate = rateAt(float64(r.AtOnce+1), f.Risk)
	r.Seconds = int64(math.Ceil(float64(f.Clusters) / r.Rate))
	return r
}
