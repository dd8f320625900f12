package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"secretstore/internal/jitter"
)

// jitterVerb recommends jitterSeconds for a fleet.
type jitterVerb struct {
	fleet  jitter.Fleet
	format format
}

func newJitter(p program) *cobra.Command {
	var j jitterVerb
	var output string
	cmd := &cobra.Command{
		Use:   "jitter --clusters C --secrets S",
		Short: "Compute the jitterSeconds that a fleet of clusters needs for a vault to keep up",
		Long: `Compute the jitterSeconds that a fleet of clusters needs for a vault to keep up.

Each cluster is taken to read all its secrets within one second. The figure is the least with which any one second brings
the vault more requests than it takes with no more than the accepted probability, by the exact Poisson distribution. With
-o wide or -o json the approximation that Microsoft publishes stands beside it, where it is one. It asks no cluster.`,
		Example: `  # 700 clusters that read 30 secrets each from one vault
  kubectl secretstore jitter --clusters 700 --secrets 30

  # With how it compares to the published figures
  kubectl secretstore jitter --clusters 1000 --secrets 50 -o wide`,
		Args: noArguments,
	}
	cmd.Flags().IntVar(&j.fleet.Clusters, "clusters", 0, "how many clusters read from the vault (required)")
	cmd.Flags().IntVar(&j.fleet.Secrets, "secrets", 0, "how many secrets each of them reads (required)")
	cmd.Flags().Float64Var(&j.fleet.Risk, "risk", jitter.DefaultRisk,
		"accepted probability that any one second brings too many requests")
	cmd.Flags().IntVar(&j.fleet.Limit, "limit", jitter.DefaultLimit, "how many requests a second the vault takes")
	addFormatFlag(cmd, &output, formatJSON, formatYAML, formatWide)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("clusters") || !cmd.Flags().Changed("secrets") {
			return usage(cmd, errors.New("say how large the fleet is by --clusters and --secrets"))
		}
		parsed, err := j.parse(output)
		if err != nil {
			return usage(cmd, err)
		}
		return parsed.Run(p)
	}
	return cmd
}

// parse checks the figures.
func (j jitterVerb) parse(output string) (jitterVerb, error) {
	var err error
	if j.format, err = parseFormat(output, formatJSON, formatYAML, formatWide); err != nil {
		return jitterVerb{}, err
	}
	if err := j.fleet.Validate(); err != nil {
		return jitterVerb{}, err
	}
	return j, nil
}

// jitterReport is what jitter tells with -o json and -o yaml.
type jitterReport struct {
	JitterSeconds     int64   `json:"jitterSeconds"`
	Clusters          int     `json:"clusters"`
	Secrets           int     `json:"secrets"`
	Limit             int     `json:"limit"`
	Risk              float64 `json:"risk"`
	ClustersAtOnce    int     `json:"clustersAtOnce"`
	ClustersPerSecond float64 `json:"clustersPerSecond,omitempty"`
	// Approximation is the published formula's figure; absent where it is none.
	Approximation *float64 `json:"approximationSeconds,omitempty"`
	// Note says how good the approximation is, or why there is none.
	Note string `json:"approximationNote"`
}

// Run computes and shows it.
func (j jitterVerb) Run(p program) error {
	r, a := jitter.Recommend(j.fleet), jitter.Approximate(j.fleet)
	if j.format == formatJSON || j.format == formatYAML {
		return encode(p.Out, j.format, j.report(r, a))
	}
	text := fmt.Sprintf("jitterSeconds: %d\n\n%s", r.Seconds, j.explain(r))
	if j.format == formatWide {
		text += fmt.Sprintf("\nThe published approximation: %s\n", approximationNote(a))
	}
	return p.print(text)
}

func (j jitterVerb) report(r jitter.Recommendation, a jitter.Approximation) jitterReport {
	report := jitterReport{
		JitterSeconds: r.Seconds, Clusters: j.fleet.Clusters, Secrets: j.fleet.Secrets, Limit: j.fleet.Limit, Risk: j.fleet.Risk,
		ClustersAtOnce: r.AtOnce, ClustersPerSecond: shortened(r.Rate), Note: approximationNote(a),
	}
	if a.Valid() {
		rounded := shortened(a.Seconds)
		report.Approximation = &rounded
	}
	return report
}

// explain says how the figure came about.
func (j jitterVerb) explain(r jitter.Recommendation) string {
	f := j.fleet
	text := fmt.Sprintf("The vault takes %s a second: %s of %s each in the same second, not %d.\n",
		plural(f.Limit, "request"), plural(r.AtOnce, "cluster"), plural(f.Secrets, "secret"), r.AtOnce+1)
	if r.Seconds == 0 {
		return text + fmt.Sprintf("There are %d: even all at once they are served.\n", f.Clusters)
	}
	return text + fmt.Sprintf("If %.4g clusters start a second on average, %d or more do in any one second with a probability of "+
		"%g.\n"+
		"%d clusters / %.4g a second = %d seconds.\n"+
		"A change in the vault then arrives after rotationPollIntervalInSeconds + %d s at worst.\n",
		r.Rate, r.AtOnce+1, f.Risk, f.Clusters, r.Rate, r.Seconds, r.Seconds)
}

// approximationNote says how good the published formula is for the fleet.
func approximationNote(a jitter.Approximation) string {
	const percent = 100
	switch {
	case a.Valid():
		return fmt.Sprintf("%.1f s. It counts a second that is just full as too much, and is %.1f %% longer than the quantile that it "+
			"approximates.",
			a.Seconds, a.Deviation*percent)
	case math.IsInf(a.Deviation, 1):
		return fmt.Sprintf("none. The formula turns negative from %d secrets.", a.NegativeFrom)
	default:
		return fmt.Sprintf("none. The formula breaks down: it is %.3g %% longer than the quantile that it approximates, and turns "+
			"negative from %d secrets.", a.Deviation*percent, a.NegativeFrom)
	}
}

// shortened is a figure with as many digits as mean anything, which are the same on every processor.
func shortened(x float64) float64 {
	const digits, bits = 4, 64
	short, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', digits, bits), bits) // what was formatted can be parsed
	return short
}
