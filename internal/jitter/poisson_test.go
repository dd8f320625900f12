package jitter

import (
	"math"
	"math/rand/v2"
	"testing"
)

// bruteTail is the probability that a Poisson distribution reaches n, as one would write it down: 1 less all that is below.
// It holds for small means only, and where the result is not too small a part of 1.
func bruteTail(n int, mean float64) float64 {
	below, term := 0.0, math.Exp(-mean)
	for k := range n {
		below += term
		term *= mean / float64(k+1)
	}
	return 1 - below
}

func TestTailAgainstBruteForce(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 60; n++ {
		for part := 1; part < 20; part++ {
			mean := float64(n) * float64(part) / 20
			want := bruteTail(n, mean)
			if want < 1e-9 {
				continue // 1 less nearly 1 has no digits left
			}
			if got := math.Exp(logTail(float64(n), mean)); math.Abs(got-want) > 1e-6*want {
				t.Errorf("P(N ≥ %d) at mean %g is %g, want %g", n, mean, got, want)
			}
		}
	}
}

// Where the distribution is simple enough to be solved by hand.
func TestRateClosedForm(t *testing.T) {
	t.Parallel()
	for _, p := range []float64{1e-12, 1e-4, 0.01, 0.5} {
		if got, want := rateAt(1, p), -math.Log1p(-p); math.Abs(got-want) > 1e-12*want {
			t.Errorf("1 or more with probability %g: mean %g, want -ln(1-p) = %g", p, got, want)
		}
	}
}

// TestRateIsTheLargest: the rate keeps the risk, and any greater one does not.
func TestRateIsTheLargest(t *testing.T) {
	t.Parallel()
	each(t, func(n, p float64) {
		rate := rateAt(n, p)
		if kept := logTail(n, rate); kept > math.Log(p) {
			t.Errorf("n=%g p=%g: the rate %g has the risk %g", n, p, rate, math.Exp(kept))
		}
		if more := logTail(n, rate*(1+1e-9)); more <= math.Log(p)-1e-12*math.Abs(math.Log(p)) {
			t.Errorf("n=%g p=%g: a rate above %g would do", n, p, rate)
		}
		if rate <= 0 || rate >= n {
			t.Errorf("n=%g p=%g: the rate %g is not between 0 and n", n, p, rate)
		}
	})
}

// TestRateIsMonotone: who accepts more risk, or can serve more at once, may go faster.
func TestRateIsMonotone(t *testing.T) {
	t.Parallel()
	each(t, func(n, p float64) {
		rate := rateAt(n, p)
		if more := rateAt(n, min(0.5, p*1.5)); more < rate {
			t.Errorf("n=%g p=%g: more risk gives %g, less than %g", n, p, more, rate)
		}
		if more := rateAt(n+0.5, p); more <= rate {
			t.Errorf("n=%g p=%g: a greater n gives %g, no more than %g", n, p, more, rate)
		}
	})
}

// TestSecondsAreMonotone: a larger fleet, larger clusters, a smaller vault or less risk never need less jitter.
func TestSecondsAreMonotone(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		limit := 1 + random.IntN(2000)
		f := Fleet{
			Clusters: 1 + random.IntN(5000), Secrets: 1 + random.IntN(limit), Limit: limit,
			Risk: math.Pow(10, -0.4-11*random.Float64()),
		}
		base := Recommend(f).Seconds
		for change, harder := range map[string]Fleet{
			"clusters": {f.Clusters + 1, f.Secrets, f.Limit, f.Risk},
			"secrets":  {f.Clusters, min(f.Secrets+1, f.Limit), f.Limit, f.Risk},
			"limit":    {f.Clusters, f.Secrets, max(f.Limit-1, f.Secrets), f.Risk},
			"risk":     {f.Clusters, f.Secrets, f.Limit, f.Risk / 2},
		} {
			if got := Recommend(harder).Seconds; got < base {
				t.Errorf("%+v needs %d s; harder by %s only %d s", f, base, change, got)
			}
		}
	}
}

// TestAgainstSimulation draws a fleet's start times and counts the seconds that are asked too much, for a risk that is large
// enough to be counted.
func TestAgainstSimulation(t *testing.T) {
	t.Parallel()
	f := Fleet{Clusters: 300, Secrets: 50, Limit: 400, Risk: 0.01}
	r := Recommend(f)
	random := rand.New(rand.NewPCG(3, 4))
	const rounds = 2000
	tooMuch := 0
	for range rounds {
		starts := make([]int, r.Seconds)
		for range f.Clusters {
			starts[random.IntN(len(starts))]++
		}
		for _, clusters := range starts {
			if clusters*f.Secrets > f.Limit {
				tooMuch++
			}
		}
	}
	got := float64(tooMuch) / float64(rounds*r.Seconds)
	if got > f.Risk || got < f.Risk/2 {
		t.Errorf("%d s: a second is asked too much with probability %g, want at most %g and not far below", r.Seconds, got, f.Risk)
	}
}

// each calls check with random n and p of all magnitudes.
func each(t *testing.T, check func(n, p float64)) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		check(math.Pow(10, 4*random.Float64()), math.Pow(10, -0.31-11*random.Float64()))
	}
}
