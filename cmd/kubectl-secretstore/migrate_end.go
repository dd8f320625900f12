package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// runSummary is what a run says at its end: with -o json and -o yaml in this form.
type runSummary struct {
	Made     int `json:"made"`
	Passed   int `json:"passed"`
	Reverted int `json:"reverted"`
	// Left are the steps that are somebody else's, and LeftIn the folder with their files.
	Left   []leftStep `json:"left"`
	LeftIn string     `json:"leftIn,omitempty"`
	// Stopped is the ID of the step that the run stopped at, and Error why.
	Stopped string `json:"stopped,omitempty"`
	Error   string `json:"error,omitempty"`
	// Found counts the objects of the first inventory, and Fates what became of them; the sums match.
	Found int              `json:"found"`
	Fates map[act.Fate]int `json:"fates"`
	// Gone says of Jobs that are not there any more how they went.
	Gone []string `json:"gone,omitempty"`
	// ended says that something was done that cannot be taken back.
	ended bool
	// NeedsDecision and Blocked count those that stay on the old way until somebody decides, or mends something.
	NeedsDecision int `json:"needsDecision"`
	Blocked       int `json:"blocked"`
	// Next says what to do now, in sentences.
	Next []string `json:"next"`
}

// leftStep is a step that is somebody else's.
type leftStep struct {
	ID      string `json:"id"`
	Summary string `json:"summary"`
	Why     string `json:"why"`
}

// tellEnd ends the narration, sums up, and says by its error how it ended.
func (r *migrationRun) tellEnd(ctx context.Context, n *narrator, done act.Summary, failed error) error {
	n.close()
	s := runSummary{
		Made: done.Made, Passed: done.Passed, Reverted: done.Reverted, Stopped: done.Stopped, Fates: map[act.Fate]int{},
		NeedsDecision: r.report.Counts.NeedsDecision, Blocked: r.report.Counts.Blocked, Next: []string{},
	}
	s.Left = leftOf(r.report.Changes, done.Left)
	if failed != nil {
		s.Error = failed.Error()
	}
	errs := []error{failed}
	if r.dryRun != dryRunServer {
		in, err := r.saveLeft(r.report.Changes, done.Left)
		s.LeftIn = in
		errs = append(errs, err)
		if ctx.Err() == nil { // whoever interrupts does not wait
			errs = append(errs, r.account(ctx, &s))
		}
	}
	s.Next = r.next(s)
	if irreversible := (*act.IrreversibleError)(nil); errors.As(failed, &irreversible) {
		s.Next = append([]string{"--yes-irreversible lets the steps be made that cannot be taken back."}, s.Next...)
	}
	errs = append(errs, r.sayAtEnd(s))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if len(s.Left) > 0 && r.dryRun != dryRunServer {
		return stoppedError{fmt.Errorf("%s left to others or to you: run again when they are done", plural(len(s.Left), "step"))}
	}
	return open(r.report)
}

// leftOf are the steps that were left.
func leftOf(changes []model.Change, ids []string) []leftStep {
	left := []leftStep{}
	for _, c := range changes {
		if slices.Contains(ids, c.ID) {
			left = append(left, leftStep{c.ID, c.Summary, cmp.Or(c.ByHand, "Only a person can look at this.")})
		}
	}
	return left
}

// sayAtEnd writes a summary in the format that was asked for.
func (r *migrationRun) sayAtEnd(s runSummary) error {
	if r.format == formatJSON || r.format == formatYAML {
		return encode(r.program.Out, r.format, s)
	}
	return r.program.print(s.text())
}

// account says what became of each object that was found at first, as far as anything was begun.
func (r *migrationRun) account(ctx context.Context, s *runSummary) error {
	entries, err := r.state.Entries()
	if err != nil {
		return err
	}
	runner, err := r.ports(func(string) {}, "")
	if err != nil {
		return err
	}
	there, err := runner.There(ctx, entries, model.Snapshot{})
	if err != nil {
		return fmt.Errorf("counting what became of everything: %w", err)
	}
	s.ended = !act.Read(entries).CanGoBack()
	accounts, err := act.AccountFor(entries, there)
	s.Found, s.Fates = len(accounts.Objects), accounts.Sums
	for _, o := range accounts.Objects {
		if o.Kind == "Job" && o.Fate == act.Removed {
			s.Gone = append(s.Gone, o.String()+": "+o.Why)
		}
	}
	return err
}

// next says what to do after a run.
func (r *migrationRun) next(s runSummary) []string {
	var next []string
	if s.LeftIn != "" {
		next = append(next, "Hand "+s.LeftIn+" to those whose objects these are (apply.sh and azure.sh there have the commands).")
	}
	if slices.ContainsFunc(s.Left, func(l leftStep) bool { return l.Why == model.LeftToOthers }) {
		next = append(next, "When those of Azure are done, say so once by --done azure; what they read goes into the environment.")
	}
	if r.dryRun == dryRunServer {
		return append(next, "Nothing was changed. With --apply instead of --dry-run=server it is done.")
	}
	if s.NeedsDecision+s.Blocked > 0 {
		next = append(next, "What needs a decision or is blocked stays on the old way: kubectl secretstore migrate plan says why.")
	}
	switch {
	case s.Error != "" || len(s.Left) > 0:
		next = append(next, "Run the same again when what is said above is done: it goes on from there.")
		if !s.ended {
			next = append(next, "Or take back what was done: kubectl secretstore migrate rollback.")
		}
	case s.ended:
		next = append(next, "kubectl secretstore migrate status says what is left. What cannot be taken back is done, so the "+
			"way back by kubectl secretstore migrate rollback has ended.")
	default:
		next = append(next, "kubectl secretstore migrate status says what is left; kubectl secretstore migrate rollback is the way "+
			"back.")
	}
	return next
}

// text is the summary for people.
func (s runSummary) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s made, %d passed over, %d taken back, %d left to others\n", plural(s.Made, "step"), s.Passed, s.Reverted,
		len(s.Left))
	b.WriteString(leftText(s.Left))
	if s.Found > 0 {
		fmt.Fprintf(&b, "%d found = %d taken over + %d as it was + %d gone on purpose + %d lost\n", s.Found, s.Fates[act.TakenOver],
			s.Fates[act.AsItWas], s.Fates[act.Removed], s.Fates[act.Lost])
		for _, gone := range s.Gone {
			b.WriteString("  " + gone + "\n")
		}
	}
	if len(s.Next) > 0 {
		b.WriteString("\nNext\n  " + strings.Join(s.Next, "\n  ") + "\n")
	}
	return b.String()
}

// leftText lists what is left, once for each reason.
func leftText(left []leftStep) string {
	var b strings.Builder
	var told []string
	for _, l := range left {
		if slices.Contains(told, l.Why) {
			continue
		}
		told = append(told, l.Why)
		b.WriteString("\n" + strings.TrimSpace(l.Why) + "\n")
		for _, same := range left {
			if same.Why == l.Why {
				fmt.Fprintf(&b, "  %s\n      (%s)\n", oneLine(same.Summary), same.ID)
			}
		}
	}
	if len(left) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// consentWord is what has to be typed before what cannot be taken back.
const consentWord = "irreversible"

// asks asks, at a terminal, whether steps that cannot be taken back may be made. Elsewhere the answer is no.
func (p program) asks(n *narrator, changes []model.Change) bool {
	if !p.terminal || !p.typing {
		return false
	}
	n.note("These steps cannot be taken back by a program:")
	for _, c := range changes {
		if c.Irreversible {
			n.note("  " + c.Summary + "\n    by hand: " + c.Undo)
		}
	}
	n.note("Type " + consentWord + " to let them be made, anything else to stop here:")
	answer, err := bufio.NewReader(p.In).ReadString('\n')
	return err == nil && strings.TrimSpace(answer) == consentWord
}
