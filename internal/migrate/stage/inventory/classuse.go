package inventory

import (
	"fmt"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// judgeClasses reports classes that nobody mounts, and asks about those that are mounted as different principals.
func (t *taking) judgeClasses() {
	static := map[model.Ref]bool{}
	for _, w := range t.survey.Workloads {
		static[w.Object.Ref] = w.Static
	}
	for i := range t.survey.Classes {
		class := &t.survey.Classes[i]
		switch {
		case len(class.UsedBy) == 0 && len(class.Syncs) == 0:
			t.judgeUnused(class)
		case len(class.UsedBy) > 0 && !slices.ContainsFunc(class.UsedBy, func(user model.Ref) bool { return !static[user] }):
			t.say(model.CodeStaticPod, class.Object, "%s is mounted by static pods only: %s.", class.Object.Ref, joinRefs(class.UsedBy))
		}
		if principals := t.principals(*class); len(principals) > 1 && !class.Object.Partial {
			t.askPrincipal(*class, principals)
		}
	}
}

// judgeUnused reports a class that nobody mounts, and asks about it if its Secrets are read all the same.
func (t *taking) judgeUnused(class *model.Class) {
	readers := t.readersOf(*class)
	if len(readers) == 0 {
		t.say(model.CodeClassUnused, class.Object, "No workload mounts %s.", class.Object.Ref)
		return
	}
	question := fmt.Sprintf("No workload mounts %s, but its Secrets are read by %s: is it to be taken over?",
		class.Object.Ref, joinRefs(readers))
	answer, decided := t.plan.Ask(t.options, model.Decision{
		ID: model.DecisionID(model.CodeClassRead, class.Object.Ref), Code: model.CodeClassRead, Object: class.Object.Ref,
		Question: question,
		Options: []model.Option{
			{Answer: model.AnswerTranslate, Means: "its Secrets are made and kept in step from now on"},
			{Answer: model.AnswerLeave, Means: "class and Secrets stay as they are; the Secrets go with what mounted the class"},
		},
		Proposal: model.AnswerTranslate, Required: true,
	}, model.Find(model.CodeClassRead, class.Object, "", "%s", question))
	if decided && answer == model.AnswerTranslate {
		class.UsedBy = readers
	}
}

// readersOf are the objects that use a Secret that this class makes and no other.
func (t *taking) readersOf(class model.Class) []model.Ref {
	var found []model.Ref
	reads := func(object model.Object, uses []model.Use) {
		for _, use := range uses {
			for _, at := range t.synced.find(namespaceOf(object, use), use.Secret) {
				synced := t.survey.Synced[at]
				same := class.Object.Namespace == "" || synced.Ref.Namespace == class.Object.Namespace
				if same && slices.Equal(synced.Classes, []string{class.Object.Name}) {
					found = append(found, object.Ref)
				}
			}
		}
	}
	for _, w := range t.survey.Workloads {
		reads(w.Object, w.Uses)
	}
	for _, r := range t.survey.Readers {
		reads(r.Object, r.Uses)
	}
	return sortedRefs(found)
}

// principals are those that a class is mounted as, and the workloads that do so.
func (t *taking) principals(class model.Class) map[string][]model.Ref {
	found := map[string][]model.Ref{}
	for _, w := range t.survey.Workloads {
		// A patch is of a namespace of its own, which only its kustomization knows.
		if w.Object.Partial || !slices.Contains(class.UsedBy, w.Object.Ref) {
			continue
		}
		for _, volume := range w.Volumes {
			if volume.Class == class.Object.Name {
				principal := t.principal(w.Object.Namespace, volume.Credential)
				found[principal] = appendOnce(found[principal], w.Object.Ref)
			}
		}
	}
	return found
}

// principal is who a volume signs in as: a client ID, where it is not known the Secret that holds it, or AnswerNoCredential.
func (t *taking) principal(namespace, credential string) string {
	if credential == "" {
		return model.AnswerNoCredential
	}
	for _, c := range t.survey.Credentials {
		if c.Ref.Namespace == namespace && c.Ref.Name == credential && c.ClientID != "" {
			return c.ClientID
		}
	}
	return credential
}

// askPrincipal asks whose place the new identity takes for a class. The one of most workloads is proposed.
func (t *taking) askPrincipal(class model.Class, principals map[string][]model.Ref) {
	d := model.Decision{
		ID: model.DecisionID(model.CodeCredentials, class.Object.Ref), Code: model.CodeCredentials, Object: class.Object.Ref,
		Question: fmt.Sprintf("%s is mounted as %s: whose place does the new identity take?", class.Object.Ref,
			strings.Join(sortedKeys(principals), ", ")),
		Required: true,
	}
	for _, principal := range sortedKeys(principals) {
		users := principals[principal]
		d.Options = append(d.Options, model.Option{
			Answer: principal, Means: "the new identity takes the place of this principal, as which it is mounted by " + joinRefs(users),
		})
		if len(users) > len(principals[d.Proposal]) {
			d.Proposal = principal
		}
	}
	t.plan.Ask(t.options, d, model.Find(model.CodeCredentials, class.Object, "", "%s", d.Question))
}

func joinRefs(refs []model.Ref) string {
	var names []string
	for _, ref := range refs {
		names = append(names, ref.String())
	}
	return strings.Join(names, ", ")
}
