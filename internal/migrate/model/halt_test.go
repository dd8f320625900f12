package model_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"secretstore/internal/migrate/model"
)

// TestHalt: an answer that refuses what all of the rest stands on leaves only what comes before, and what waited for the rest
// is blocked by it.
func TestHalt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason  string
		codes   []model.Code
		orders  []int
		outcome model.Outcome
		says    []model.Code
	}{
		"nothing":     {reason: "the whole plan", orders: []int{200, 300, 400, 1000}, outcome: model.Translated, says: []model.Code{}},
		"M203":        {reason: "values must not lie in etcd", codes: []model.Code{"M203"}, outcome: model.Blocked, says: []model.Code{"M203"}},
		"M302":        {reason: "no outage", codes: []model.Code{"M302"}, orders: []int{200}, outcome: model.Blocked, says: []model.Code{"M302"}},
		"M307":        {reason: "no place", codes: []model.Code{"M307"}, orders: []int{200, 300}, outcome: model.Blocked, says: []model.Code{"M307"}},
		"M308":        {reason: "not so", codes: []model.Code{"M308"}, orders: []int{200, 300}, outcome: model.Blocked, says: []model.Code{"M308"}},
		"both":        {reason: "the first", codes: []model.Code{"M308", "M203"}, outcome: model.Blocked, says: []model.Code{"M203"}},
		"other codes": {reason: "go on", codes: []model.Code{"M306"}, orders: []int{200, 300, 400, 1000}, outcome: model.Translated, says: []model.Code{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			used := class("a", model.Ref{Kind: "Pod"})
			p := model.Plan{Changes: []model.Change{{ID: "a", Order: 200}, {ID: "b", Order: 300}, {ID: "c", Order: 400}, {ID: "d", Order: 1000}}}
			for _, code := range c.codes {
				p.Findings = append(p.Findings, model.Finding{Code: code})
			}
			r := model.NewReport(model.Survey{Classes: []model.Class{used}}, model.Options{}, p)
			var orders []int
			for _, change := range r.Changes {
				orders = append(orders, change.Order)
			}
			if diff := cmp.Diff(c.orders, orders); diff != "" {
				t.Errorf("%s; places -want +got:\n%s", c.reason, diff)
			}
			if got := r.Objects[0]; got.Outcome != c.outcome || cmp.Diff(c.says, got.Findings) != "" {
				t.Errorf("%s; got %+v", c.reason, got)
			}
		})
	}
	done := model.NewReport(model.Survey{Classes: []model.Class{class("a", model.Ref{Kind: "Pod"})}}, model.Options{},
		model.Plan{Findings: []model.Finding{{Code: "M203"}}})
	if done.Objects[0].Outcome != model.Translated {
		t.Error("what waits for no step is as it was")
	}
}
