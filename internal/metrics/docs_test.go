package metrics_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"secretstore/internal/metrics"
)

// lister is a registry that lists what is registered.
type lister struct {
	prometheus.Registerer

	rows []string
}

// describes reads what prometheus tells of a metric in one line only.
var describes = regexp.MustCompile(`^Desc\{fqName: "(.*)", help: "(.*?)", (?:unit: ".*", )?constLabels: \{\}, variableLabels: \{(.*)\}\}$`)

// Register implements prometheus.Registerer.
func (l *lister) Register(collector prometheus.Collector) error {
	described := make(chan *prometheus.Desc, 1)
	collector.Describe(described)
	parts := describes.FindStringSubmatch((<-described).String())
	if parts == nil {
		return fmt.Errorf("%T does not describe itself as it used to", collector)
	}
	name, help, labels := parts[1], strings.ReplaceAll(parts[2], `\"`, `"`), "–"
	if parts[3] != "" {
		labels = "`" + strings.Join(strings.Split(parts[3], ","), "`, `") + "`"
	}
	kind := strings.TrimPrefix(fmt.Sprint(reflect.TypeOf(collector)), "*prometheus.")
	kinds := map[string]string{"CounterVec": "counter", "histogram": "histogram", "valueFunc": "gauge", "gauge": "gauge", "GaugeVec": "gauge", "HistogramVec": "histogram"}
	if kinds[kind] == "" {
		return fmt.Errorf("%s is of type %s, for which this test has no word", name, kind)
	}
	l.rows = append(l.rows, fmt.Sprintf("| `%s` | %s | %s | %s |", name, kinds[kind], labels, help))
	return nil
}

// TestTheReferenceNamesEveryMetric compares the page with the code: each metric of ours has its row, and nothing else has.
func TestTheReferenceNamesEveryMetric(t *testing.T) {
	t.Parallel()
	code := &lister{}
	if _, err := metrics.New(code, clock.RealClock{}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(code.rows)
	page, err := os.ReadFile("../../docs/reference/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| `secretstore_") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	if diff := cmp.Diff(code.rows, rows); diff != "" {
		t.Errorf("docs/reference/metrics.md (-code +page); its rows are to be:\n%s\n\n%s", strings.Join(code.rows, "\n"), diff)
	}
}
