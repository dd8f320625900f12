package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// medians gives the median of each figure over the runs of one phase of one kind.
func medians(runs []entry) entry {
	m := runs[0]
	m.WallS = median(runs, func(e entry) float64 { return e.WallS })
	m.FloorS = median(runs, func(e entry) float64 { return e.FloorS })
	m.VaultRequests = median(runs, func(e entry) int { return e.VaultRequests })
	m.VaultReads = median(runs, func(e entry) int { return e.VaultReads })
	m.VaultLists = median(runs, func(e entry) int { return e.VaultLists })
	m.TokenRequests = median(runs, func(e entry) int { return e.TokenRequests })
	m.APIServerWrites = median(runs, func(e entry) int { return e.APIServerWrites })
	m.CPUMsPerObject = median(runs, func(e entry) float64 { return e.CPUMsPerObject })
	m.PeakAnonMiB = median(runs, func(e entry) float64 { return e.PeakAnonMiB })
	m.floorCPU = median(runs, func(e entry) float64 { return e.floorCPU })
	m.events = median(runs, func(e entry) int { return e.events })
	m.entra = median(runs, func(e entry) int { return e.entra })
	return m
}

// median is the middle of the figures, of an even number the upper one of the two.
func median[T cmp.Ordered](runs []entry, figure func(entry) T) T {
	figures := make([]T, 0, len(runs))
	for _, run := range runs {
		figures = append(figures, figure(run))
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}

// table shows the figures, one line for each entry.
func table(entries []entry) string {
	lines := []string{
		"SHAPE\tPHASE\tSWEEP\tWALL s\tFLOOR s\tRATIO\tVAULT\tREADS\tLISTS\tTOKENS\tENTRA\tWRITES\tEVENTS\tCPU ms\tFLOOR ms\tANON MiB",
	}
	for _, e := range entries {
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.2f\t%.2f\t%.1f",
			e.Shape, e.Phase, yesNo(e.Sweep), e.WallS, e.FloorS, e.WallS/e.FloorS, e.VaultRequests, e.VaultReads, e.VaultLists,
			e.TokenRequests, e.entra, e.APIServerWrites, e.events, e.CPUMsPerObject, e.floorCPU, e.PeakAnonMiB))
	}
	return align(lines)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// verdicts shows every bound beside the figure that it bounds, and counts those that are missed.
func verdicts(entries []entry) (text string, missed int) {
	lines := []string{"SHAPE\tPHASE\tSWEEP\tBOUND\tFIGURE\tAT MOST\t"}
	for _, e := range entries {
		for _, b := range bounds(e) {
			verdict := "ok"
			if !b.kept() {
				verdict = "over"
				missed++
			}
			lines = append(lines, fmt.Sprintf("%s\t%s\t%s\t%s\t%.4g\t%.4g\t%s",
				e.Shape, e.Phase, yesNo(e.Sweep), b.what, b.figure, b.most, verdict))
		}
	}
	return align(lines), missed
}

// align sets lines of cells that tabs part in columns.
func align(lines []string) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, strings.Join(lines, "\n"))
	_ = w.Flush() // writes to memory
	return out.String()
}

// writeJSON writes the entries to a file.
func writeJSON(path string, entries []entry) error {
	text, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the figures: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}
