// Package migrate plans a whole migration from the Azure Key Vault Secrets Provider extension: it puts the stages in their order,
// each of which decides its own part and knows nothing of the others.
//
// It is as pure as they are: the same Snapshot and Options give the same Report, byte for byte.
package migrate

import (
	"slices"

	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/stage/inventory"
	"secretstore/internal/migrate/stage/prepare"
	"secretstore/internal/migrate/stage/switchover"
	"secretstore/internal/migrate/stage/translate"
	"secretstore/internal/migrate/stage/verify"
	"secretstore/internal/migrate/stage/workloads"
)

// Plan says everything that a migration of what was read would do, and what becomes of each object.
func Plan(s model.Snapshot, o model.Options) model.Report {
	survey := inventory.Survey(s, o)
	plan, identities := prepare.Plan(survey, o)
	plan.Join(switchover.Plan(survey, o))
	translated, translations := translate.Plan(survey, identities, o)
	plan.Join(translated)
	plan.Join(workloads.Plan(survey, translations, o))
	plan.Join(verify.Plan(survey, identities, translations, o))
	return identified(model.NewReport(survey, o, plan), s)
}

// identified says which Secrets and classes are to be deleted by their UIDs, too. What is done last may come hours after the
// reading; other kinds are made anew under their names by whoever made them.
func identified(r model.Report, s model.Snapshot) model.Report {
	uids := map[model.Ref]string{}
	for _, o := range s.Objects {
		if o.Kind == "Secret" || o.Kind == "SecretProviderClass" {
			found, _ := model.Path{"metadata", "uid"}.Get(o.Content)
			uids[o.Ref], _ = found.(string)
		}
	}
	for i, c := range r.Changes {
		if c.Verb == model.Delete {
			r.Changes[i].UID = uids[c.Object]
		}
	}
	return r
}

// Only leaves of a report's steps those of some stages. Objects, findings and decisions stay: they are about the whole.
func Only(r model.Report, stages ...model.StageName) model.Report {
	r.Changes = slices.DeleteFunc(slices.Clone(r.Changes), func(c model.Change) bool { return !slices.Contains(stages, c.Stage) })
	return r
}
