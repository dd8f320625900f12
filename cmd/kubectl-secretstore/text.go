package main

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"secretstore/internal/controller/outcome"
)

// textView writes reports for people.
type textView struct {
	now        time.Time
	namespaces bool
	wide       bool
}

// report is a table, what is wrong, and a line that sums up.
func (v textView) report(r report) string {
	var b strings.Builder
	b.WriteString(v.table(r.Items))
	for _, e := range r.Items {
		if e.Health != healthy {
			b.WriteString("\n" + v.trouble(e))
		}
	}
	fmt.Fprintf(&b, "\n%s: %d healthy, %d failing, %d not checked yet\n",
		plural(r.Counts.Total, "SecretSync"), r.Counts.Healthy, r.Counts.Failing, r.Counts.Unchecked)
	return b.String()
}

func (v textView) table(items []entry) string {
	lines := make([]string, 0, len(items)+1)
	lines = append(lines, v.row("NAMESPACE", "NAME", "READY", "STATUS", "FAILING SINCE", "LAST SYNC",
		"LAST CHECK", "CLASS", "SERVICE ACCOUNT"))
	for _, e := range items {
		failingSince := "-"
		if e.Health == failing {
			failingSince = v.age(e.Since)
		}
		lines = append(lines, v.row(e.Namespace, e.Name, string(e.Ready), e.Status, failingSince, v.age(e.LastSuccessfulSyncTime),
			v.age(e.LastCheckTime), e.SecretProviderClassName, e.ServiceAccountName))
	}
	return columns(lines)
}

// row leaves out the columns that were not asked for: the first, and all from the seventh on.
func (v textView) row(cells ...string) string {
	const narrow = 6
	if !v.wide {
		cells = cells[:narrow]
	}
	if !v.namespaces {
		cells = cells[1:]
	}
	return strings.Join(cells, "\t")
}

func (v textView) age(at *metav1.Time) string {
	if at.IsZero() {
		return "never"
	}
	return duration.HumanDuration(v.now.Sub(at.Time))
}

// name is how an entry is called outside the table.
func (v textView) name(e entry) string {
	if v.namespaces {
		return e.Namespace + "/" + e.Name
	}
	return e.Name
}

// trouble says in full what is wrong with an entry.
func (v textView) trouble(e entry) string {
	switch {
	case e.Health == unchecked:
		return fmt.Sprintf("%s: not checked yet\n  %s\n", v.name(e), uncheckedCure(e))
	case len(e.Items) > 0:
		return fmt.Sprintf("%s: %s for %s\n%s", v.name(e), e.Reason, v.age(e.Since), itemList(e.Items))
	default:
		return fmt.Sprintf("%s: %s for %s\n  %s\n", v.name(e), e.Reason, v.age(e.Since), indent(e.Message))
	}
}

// uncheckedCure says what may be the reason that no check has ended.
func uncheckedCure(e entry) string {
	if e.ControllerName != "" {
		return fmt.Sprintf("spec.secretSyncControllerName leaves it to the controller that runs as %q: see that one does",
			e.ControllerName)
	}
	return "if that lasts, see that the controller runs"
}

// itemList tells of every item, a line each.
func itemList(items []outcome.Item) string {
	lines := make([]string, 0, len(items))
	for _, item := range items {
		line := "  " + oneLine(item.State)
		if item.SourcePath != "" || item.TargetKey != "" { // else it is "7 more items", where not all fitted
			line += "\t" + oneLine(item.SourcePath) + " -> " + oneLine(item.TargetKey)
		}
		if item.Error != "" {
			line += "\t" + oneLine(item.Error)
		}
		lines = append(lines, line)
	}
	return columns(lines)
}
