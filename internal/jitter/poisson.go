package jitter

import "math"

// rateAt is the largest mean λ of a Poisson distribution whose values reach n with a probability of at most p. n need not be
// whole: the probability is then that of the gamma distribution, which continues the Poisson distribution between integers.
// p must be at most 1/2, for which λ is below n.
func rateAt(n, p float64) float64 {
	goal := math.Log(p)
	low, high := 0.0, n
	for {
		middle := low + (high-low)/2
		switch {
		case middle <= low || middle >= high:
			return low // no number lies between the two; the lower one keeps the risk
		case logTail(n, middle) <= goal:
			low = middle
		default:
			high = middle
		}
	}
}

// logTail is the logarithm of the probability that a Poisson distribution of the given mean, below n, reaches n:
//
//	Σ e^-λ λ^k / k!  for k = n, n+1, …  =  e^-λ λ^n / n! · (1 + λ/(n+1) + λ²/((n+1)(n+2)) + …)
//
// The factor before the bracket may be too small for a number, hence its logarithm; the bracket's terms only fall.
func logTail(n, mean float64) float64 {
	sum, term := 1.0, 1.0
	for k := n + 1; term > sum*epsilon; k++ {
		term *= mean / k
		sum += term
	}
	logFactorial, _ := math.Lgamma(n + 1)
	return n*math.Log(mean) - mean - logFactorial + math.Log(sum)
}

// epsilon is below what can be told apart of a sum.
const epsilon = 1e-17
