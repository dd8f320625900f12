package jitter

import "math"

// Approximation is what Microsoft's published formula says.
type Approximation struct {
	// Seconds is its answer, not rounded; without meaning where it is negative.
	Seconds float64
	// Deviation is by how much the answer is longer than with the quantile that the formula approximates: 0.05 is 5 % more.
	// It is infinite where the formula turns negative.
	Deviation float64
	// NegativeFrom is the number of secrets from which on the formula turns negative, for this risk and limit.
	NegativeFrom int
}

// tolerance is the deviation up to which an approximation is one.
const tolerance = 0.1

// Valid says whether the answer is near enough to what it approximates.
func (a Approximation) Valid() bool { return math.Abs(a.Deviation) <= tolerance }

// Approximate evaluates the published formula: with z = |Φ⁻¹(p)| and a = limit/S, λ = a·(1 − 1/(9a) − z/(3√a))³ and J = C/λ.
// The figures must be valid.
func Approximate(f Fleet) Approximation {
	z := math.Sqrt2 * math.Erfcinv(2*f.Risk)
	clusters, secrets, limit := float64(f.Clusters), float64(f.Secrets), float64(f.Limit)
	a := limit / secrets
	rate := a * math.Pow(1-1/(9*a)-z/(3*math.Sqrt(a)), 3)
	deviation := math.Inf(1)
	if rate > 0 {
		deviation = rateAt(a, f.Risk)/rate - 1
	}
	return Approximation{Seconds: clusters / rate, Deviation: deviation, NegativeFrom: negativeFrom(z, limit)}
}

// negativeFrom solves 1 − x²/9 − z·x/3 = 0 for x = √(S/limit), where the bracket of the formula changes its sign.
func negativeFrom(z, limit float64) int {
	x := (math.Sqrt(z*z+4) - z) * 3 / 2
	return int(math.Ceil(limit * x * x))
}
