package jitter_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/jitter"
)

func fleet(clusters, secrets int) jitter.Fleet {
	return jitter.Fleet{Clusters: clusters, Secrets: secrets, Limit: jitter.DefaultLimit, Risk: jitter.DefaultRisk}
}

// The figures up to a limit of 400 were checked with arithmetic of 60 digits and the definition of the Poisson distribution.
func TestRecommend(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		fleet  jitter.Fleet
		want   jitter.Recommendation
	}{
		"Published30":   {"13 clusters of 30 are 390 requests, and served", fleet(700, 30), jitter.Recommendation{Seconds: 171, AtOnce: 13, Rate: 4.106}},
		"Published50":   {"8 clusters of 50 fill a second, and are served", fleet(1000, 50), jitter.Recommendation{Seconds: 563, AtOnce: 8, Rate: 1.778}},
		"JustOver":      {"one secret more costs one cluster a second", fleet(1000, 51), jitter.Recommendation{Seconds: 721, AtOnce: 7, Rate: 1.387}},
		"ManySecrets":   {"beyond 230 secrets there still is an answer", fleet(1000, 300), jitter.Recommendation{Seconds: 70377, AtOnce: 1, Rate: 0.014}},
		"Full":          {"one cluster may fill a second", fleet(1000, 400), jitter.Recommendation{Seconds: 70377, AtOnce: 1, Rate: 0.014}},
		"AllAtOnce":     {"a fleet that may start at once needs no jitter", fleet(8, 50), jitter.Recommendation{AtOnce: 8}},
		"OneMore":       {"and one that just may not needs some", fleet(9, 50), jitter.Recommendation{Seconds: 6, AtOnce: 8, Rate: 1.778}},
		"OneCluster":    {"one cluster never meets another", fleet(1, 400), jitter.Recommendation{AtOnce: 1}},
		"OneSecret":     {"many small clusters are nearly a steady stream", fleet(10_000_000, 1), jitter.Recommendation{Seconds: 30233, AtOnce: 400, Rate: 330.766}},
		"HugeLimit":     {"terms too small for a number do no harm", jitter.Fleet{Clusters: 10_000_000, Secrets: 1, Limit: 1_000_000, Risk: 1e-4}, jitter.Recommendation{Seconds: 11, AtOnce: 1_000_000, Rate: 996286.258}},
		"SmallRisk":     {"the least risk", jitter.Fleet{Clusters: 1000, Secrets: 400, Limit: 400, Risk: 1e-12}, jitter.Recommendation{Seconds: 707106448, AtOnce: 1, Rate: 0}},
		"CoinToss":      {"the greatest", jitter.Fleet{Clusters: 1000, Secrets: 400, Limit: 400, Risk: 0.5}, jitter.Recommendation{Seconds: 596, AtOnce: 1, Rate: 1.678}},
		"AnotherLimit":  {"a limit of one's own", jitter.Fleet{Clusters: 700, Secrets: 30, Limit: 200, Risk: 1e-4}, jitter.Recommendation{Seconds: 680, AtOnce: 6, Rate: 1.03}},
		"LimitLessThan": {"a limit below two clusters", jitter.Fleet{Clusters: 2, Secrets: 3, Limit: 5, Risk: 1e-2}, jitter.Recommendation{Seconds: 14, AtOnce: 1, Rate: 0.149}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := tc.fleet.Validate(); err != nil {
				t.Fatal(err)
			}
			got := jitter.Recommend(tc.fleet)
			got.Rate = math.Round(got.Rate*1000) / 1000
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPublished compares with the two figures that Microsoft publishes: they are those of the approximate formula, rounded to
// tens. The exact quantile recommends less, for two reasons that the test tells apart: the formula counts a second that is just
// full as too much, and its approximation is somewhat too long.
func TestPublished(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason    string
		fleet     jitter.Fleet
		published float64
		formula   float64 // what the published formula gives
		deviation float64 // of which too much, against the quantile that it approximates
		exact     int64   // what is recommended
	}{
		"700x30":  {"published as 190 s", fleet(700, 30), 190, 189.27, 0.0185, 171},
		"1000x50": {"published as 760 s", fleet(1000, 50), 760, 760.32, 0.0545, 563},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := jitter.Approximate(tc.fleet)
			if rounded := math.Round(got.Seconds/10) * 10; rounded != tc.published {
				t.Errorf("%s: the formula gives %g", tc.reason, rounded)
			}
			if math.Abs(got.Seconds-tc.formula) > 0.01 || math.Abs(got.Deviation-tc.deviation) > 0.0001 || !got.Valid() {
				t.Errorf("%s: got %+v, want %g s with a deviation of %g, valid", tc.reason, got, tc.formula, tc.deviation)
			}
			if exact := jitter.Recommend(tc.fleet).Seconds; exact != tc.exact {
				t.Errorf("%s: %d s are recommended, want %d", tc.reason, exact, tc.exact)
			}
		})
	}
}

func TestApproximationBreaksDown(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason   string
		secrets  int
		valid    bool
		negative bool
	}{
		"Few":      {"for few secrets it is good", 1, true, false},
		"Near":     {"up to here it is within a tenth", 64, true, false},
		"Off":      {"and here no more", 65, false, false},
		"Far":      {"twenty times too long, though positive", 200, false, false},
		"Nonsense": {"thousands of years", 228, false, false},
		"Negative": {"less than nothing", 229, false, true},
		"Beyond":   {"and on", 400, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := jitter.Approximate(fleet(1000, tc.secrets))
			if got.Valid() != tc.valid || (got.Seconds < 0) != tc.negative || math.IsInf(got.Deviation, 1) != tc.negative {
				t.Errorf("%s: %+v, valid %t", tc.reason, got, got.Valid())
			}
			if got.NegativeFrom != 229 {
				t.Errorf("it is said to turn negative from %d secrets, want 229", got.NegativeFrom)
			}
		})
	}
}

// TestApproximationIsGoodForMany: the more clusters a second, the nearer the formula is to the quantile, which two
// computations that share no code agree on.
func TestApproximationIsGoodForMany(t *testing.T) {
	t.Parallel()
	for limit, tolerance := range map[int]float64{100: 1e-3, 10_000: 1e-5, 1_000_000: 1e-7} {
		f := jitter.Fleet{Clusters: 1000, Secrets: 1, Limit: limit, Risk: 1e-4}
		if got := jitter.Approximate(f).Deviation; math.Abs(got) > tolerance {
			t.Errorf("limit %d: deviation %g, want at most %g", limit, got, tolerance)
		}
	}
}

// TestNegativeFrom finds where the formula turns negative by trying.
func TestNegativeFrom(t *testing.T) {
	t.Parallel()
	for _, risk := range []float64{1e-12, 1e-6, 1e-4, 1e-2} {
		f := jitter.Fleet{Clusters: 10, Secrets: 1, Limit: 1000, Risk: risk}
		for f.Secrets < 2000 && jitter.Approximate(f).Seconds > 0 {
			f.Secrets++
		}
		if got := jitter.Approximate(f).NegativeFrom; got != f.Secrets {
			t.Errorf("risk %g: said %d, found %d", risk, got, f.Secrets)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := fleet(700, 30)
	with := func(change func(*jitter.Fleet)) jitter.Fleet {
		f := good
		change(&f)
		return f
	}
	for name, tc := range map[string]struct {
		reason string
		fleet  jitter.Fleet
		says   []string
	}{
		"Good":     {"what can be computed is not refused", good, nil},
		"Zero":     {"all that is wrong is said at once", jitter.Fleet{}, []string{"clusters is 0", "secrets is 0", "limit is 0", "risk is 0"}},
		"Negative": {"no fleet is negative", with(func(f *jitter.Fleet) { f.Clusters = -1 }), []string{"clusters is -1", "from 1"}},
		"Huge":     {"nor that large", with(func(f *jitter.Fleet) { f.Clusters = math.MaxInt }), []string{"10000000"}},
		"Certain":  {"a risk of 1 accepts everything", with(func(f *jitter.Fleet) { f.Risk = 1 }), []string{"risk is 1", "0.5"}},
		"NaN":      {"no number is no probability", with(func(f *jitter.Fleet) { f.Risk = math.NaN() }), []string{"risk is NaN"}},
		"TooMany":  {"one cluster alone is too much", fleet(2, 401), []string{"401", "400", "several vaults"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.fleet.Validate()
			if (err == nil) != (len(tc.says) == 0) {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			for _, text := range tc.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%s: %q does not say %q", tc.reason, err, text)
				}
			}
		})
	}
}
