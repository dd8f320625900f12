package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// statuses removes what pods left behind: of pods that are gone, and of all once there is no driver any more to do it.
func (p *planner) statuses() {
	left := slices.Clone(p.survey.Stale)
	if p.survey.Installed.Flavour == model.FlavourNone {
		left = slices.Clone(p.survey.Mounted)
	}
	for _, ref := range left {
		c := about(model.OrderCleanup+cleanStatuses, model.Delete, ref)
		c.Summary = "Delete " + ref.String() + ": no pod has what it tells of mounted any more."
		c.Undo = "It need not come back: the driver makes one with each mount."
		p.add(c)
	}
}

// proofs removes the SecretSyncs that only served the comparison before the hand-over.
func (p *planner) proofs(ts []model.Translation) {
	seen := map[string]bool{}
	for _, t := range ts {
		for _, s := range t.Syncs {
			ref := model.Ref{
				APIVersion: syncVersion, Kind: "SecretSync", Namespace: t.Class.Namespace, Name: s.Proof,
			}
			existing, exists := p.existing(ref)
			if s.Proof == "" || seen[ref.String()] || !t.Ready && !exists || !exists && p.handedOver(t.Class.Namespace, s.New) {
				continue
			}
			seen[ref.String()] = true
			c := about(model.OrderCleanup+cleanProofs, model.Delete, ref)
			c.Place = existing.Place
			c.Summary = "Delete the SecretSync " + s.Proof + " and with it its Secret: they proved that " + s.New + " would hold " +
				"the same as " +
				s.Old + "."
			c.Needs = []string{"the Secret " + s.New + " belongs to its SecretSync, not to pods any more"}
			c.Undo = "Make it again as stage translate plans it."
			p.add(c)
		}
	}
}

// existing finds an object of our kinds.
func (p *planner) existing(ref model.Ref) (model.Object, bool) {
	at := slices.IndexFunc(p.survey.Existing, func(o model.Object) bool {
		return o.Kind == ref.Kind && o.Namespace == ref.Namespace && o.Name == ref.Name
	})
	if at < 0 {
		return model.Object{}, false
	}
	return p.survey.Existing[at], true
}

// handedOver tells whether a Secret belongs to the SecretSync of its name.
func (p *planner) handedOver(namespace, name string) bool {
	return slices.ContainsFunc(p.survey.Synced, func(s model.SyncedSecret) bool {
		return s.Ref.Namespace == namespace && s.Ref.Name == name && slices.ContainsFunc(s.Owners, func(o model.Ref) bool {
			return o.Kind == "SecretSync" && o.Name == name
		})
	})
}

// classes removes the old classes that have a successor of another name.
func (p *planner) classes(ts []model.Translation) {
	for _, class := range p.survey.Classes {
		at := slices.IndexFunc(ts, func(t model.Translation) bool { return t.Class == class.Object.Ref })
		if at < 0 || !ts[at].Ready || ts[at].NewClass == class.Object.Name || class.Object.Partial {
			continue
		}
		var keepers []string
		for _, user := range class.UsedBy {
			if w, found := p.workload(user); found && !p.done(w) {
				keepers = append(keepers, user.String())
			}
		}
		if len(keepers) > 0 {
			p.tell(codeClassKept, class.Object, "%s stays: %s would not start without it.", class.Object.Ref, strings.Join(keepers, ", "))
			continue
		}
		c := about(model.OrderCleanup+cleanClasses, model.Delete, class.Object.Ref)
		c.Place = class.Object.Place
		c.Summary = "Delete the old class " + class.Object.Name + ", in whose place " + ts[at].NewClass + " is read."
		c.Needs = []string{"no workload mounts it any more", "no old ReplicaSet has to be rolled back to"}
		c.Risk = "A workload that is rolled back to its old template does not start without it."
		c.Undo = "kubectl apply the class out of akv-spe-spc-backup-clean.yaml."
		c.ByHand = p.byHand(class.Object)
		p.add(c)
	}
}

// byHand says who would undo a change made in the cluster, empty if nobody.
func (p *planner) byHand(o model.Object) string {
	who := o.Manager()
	if who == "" || p.survey.Input.IsFolder() || p.options.ForceLive {
		return ""
	}
	return who + " deploys this object and would bring it back: remove it where " + who + " reads, or ask for it with --force-live."
}

// credentials removes the Secrets of service principals that nothing refers to any more.
func (p *planner) credentials() {
	for _, credential := range p.survey.Credentials {
		if !credential.Exists {
			continue
		}
		var users []string
		for _, ref := range credential.UsedBy {
			if w, found := p.workload(ref); !found || !p.done(w) {
				users = append(users, ref.String())
			}
		}
		object := model.Object{Ref: credential.Ref}
		switch {
		case len(credential.ReadBy) > 0:
			if p.askUsed(credential) == answerDelete && len(users) == 0 {
				p.deleteCredential(credential)
			}
		case len(users) > 0:
			p.tell(codeCredKept, object, "%s stays: volumes of %s sign in with it.", credential.Ref, strings.Join(users, ", "))
		default:
			p.deleteCredential(credential)
		}
	}
}

// askUsed asks about credentials that something other than volumes of the driver refers to.
func (p *planner) askUsed(credential model.Credential) string {
	readers := refs(credential.ReadBy)
	answer, _ := p.plan.Ask(p.options, model.Decision{
		ID: model.DecisionID(codeCredUsed, credential.Ref), Code: codeCredUsed, Object: credential.Ref,
		Question: "The credentials in " + credential.Ref.String() + " are also used by " + readers + ". Keep them?",
		Options: []model.Option{
			{Answer: answerKeep, Means: "The Secret stays, and so does its principal."},
			{Answer: answerDelete, Means: "The Secret is deleted at clean-up; " + readers + " has to do without."},
		},
		Proposal: answerKeep, Required: true,
	}, model.Find(codeCredUsed, model.Object{Ref: credential.Ref}, "", "%s is also used by %s.", credential.Ref, readers))
	return answer
}

func refs(list []model.Ref) string {
	names := make([]string, 0, len(list))
	for _, ref := range list {
		names = append(names, ref.String())
	}
	return strings.Join(names, ", ")
}

// deleteCredential deletes the Secret that holds a principal's credentials.
func (p *planner) deleteCredential(credential model.Credential) {
	c := about(model.OrderCleanup+cleanCredentials, model.Delete, credential.Ref)
	c.Command = []string{
		"kubectl", "delete", "secret", credential.Ref.Name, "--namespace", credential.Ref.Namespace, "--ignore-not-found",
	}
	c.Summary = "Delete " + credential.Ref.String() + ", the credentials of the service principal " +
		cmp.Or(credential.ClientID, "(client ID not known)") + ", which no volume signs in with any more."
	c.Needs = []string{"the driver is gone, or no pod has a volume that names them"}
	c.Risk = "The way back to the driver ends here, unless the credentials are kept elsewhere."
	c.Undo = fmt.Sprintf("kubectl create secret generic %s --namespace %s --from-literal clientid=%s --from-literal "+
		"clientsecret=… (from "+
		"where it was taken; or a new one: az ad app credential reset)", credential.Ref.Name, credential.Ref.Namespace,
		cmp.Or(credential.ClientID, "…"))
	c.Irreversible = true
	p.add(c)
}
