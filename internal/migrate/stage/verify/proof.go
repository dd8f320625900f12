package verify

import (
	"cmp"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

const looking = "Nothing is changed by looking."

// digests compares values, class by class.
func (p *planner) digests(ts []model.Translation) {
	for _, t := range ts {
		if !t.Ready {
			continue
		}
		var holds []string
		for _, f := range t.Files {
			holds = append(holds, f.Secret)
		}
		for _, s := range t.Syncs {
			holds = append(holds, s.New)
		}
		slices.Sort(holds)
		holds = slices.Compact(holds)
		if len(holds) == 0 {
			continue
		}
		c := about(model.OrderVerify+verifyDigests, model.Check, t.Class)
		c.Command = []string{"kubectl", "secretstore", "status", "--namespace", t.Class.Namespace}
		c.Gate = &model.Gate{Kind: model.GateValues, Objects: syncRefs(t.Class.Namespace, holds), Same: p.pairs(t)}
		c.Summary = "By keyed digest, key for key: what the vault gives for the class, what the Secrets " + strings.Join(holds, ", ") +
			" hold, and what " + p.before(t) + " are the same. A status that says success is not enough."
		c.Risk = "A value that was rotated since is different and no mistake: compare the versions then."
		c.Undo = looking
		p.add(c)
	}
}

// secretRefs refers to Secrets by their names.
func secretRefs(namespace string, names []string) []model.Ref {
	refs := make([]model.Ref, 0, len(names))
	for _, name := range names {
		refs = append(refs, model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name})
	}
	return refs
}

// syncRefs refers to the SecretSyncs that make Secrets.
func syncRefs(namespace string, names []string) []model.Ref {
	refs := secretRefs(namespace, names)
	for i := range refs {
		refs[i].APIVersion, refs[i].Kind = syncVersion, "SecretSync"
	}
	return refs
}

// pairs are the Secrets of the old way that have a successor of another name, and those that prove the others. One that has the
// name and is not the driver's says nothing about them, and neither does one that several classes made and another has now.
func (p *planner) pairs(t model.Translation) []model.Pair {
	var pairs []model.Pair
	for _, s := range t.Syncs {
		others := slices.ContainsFunc(p.survey.Synced, func(have model.SyncedSecret) bool {
			return have.Ref.Namespace == t.Class.Namespace && have.Ref.Name == s.Old &&
				(have.Exists && !have.Managed || len(have.Classes) > 1 && s.New != s.Old)
		})
		if others {
			continue
		}
		for _, to := range []string{s.New, s.Proof} {
			if to != "" && to != s.Old {
				pairs = append(pairs, model.Pair{Namespace: t.Class.Namespace, Old: s.Old, New: to, Keys: s.Keys})
			}
		}
	}
	return pairs
}

// before names what there was of the class before.
func (p *planner) before(t model.Translation) string {
	var old []string
	for _, s := range p.survey.Synced {
		if s.Ref.Namespace == t.Class.Namespace && slices.Contains(s.Classes, t.Class.Name) && s.Managed && len(s.Digests) > 0 {
			old = append(old, s.Ref.Name)
		}
	}
	text := "the versions that were mounted (SecretProviderClassPodStatus) hold"
	if len(old) > 0 {
		text = "the driver's Secrets " + strings.Join(old, ", ") + " held, and " + text
	}
	return text
}

// readers makes sure that every Secret that something refers to is there.
func (p *planner) readers() {
	used := map[string][]string{}
	note := func(namespace string, uses []model.Use) {
		for _, u := range uses {
			in := cmp.Or(u.Namespace, namespace)
			used[in] = append(used[in], u.Secret)
		}
	}
	for _, r := range p.survey.Readers {
		note(r.Object.Namespace, r.Uses)
	}
	for _, w := range p.survey.Workloads {
		note(w.Object.Namespace, w.Uses)
	}
	for namespace, names := range used {
		slices.Sort(names)
		names = slices.Compact(names)
		c := step(model.OrderVerify+verifyReaders, model.Check, "secrets", namespace)
		c.Command = slices.Concat([]string{"kubectl", "get", "secrets", "--namespace", namespace}, names)
		c.Gate = &model.Gate{Kind: model.GateOwned, Objects: secretRefs(namespace, names)}
		c.Summary = "Every Secret of namespace " + namespace + " that a workload, an Ingress, a Gateway or a service account " +
			"names is there, " +
			"and belongs to a SecretSync."
		c.Undo = looking
		p.add(c)
	}
}

// ready makes sure that every workload that was changed is up.
func (p *planner) ready() {
	for _, w := range p.survey.Workloads {
		if len(w.Volumes) == 0 || !p.done(w) {
			continue
		}
		ref := w.Object.Ref
		c := about(model.OrderVerify+verifyReady, model.Check, ref)
		c.Command = []string{"kubectl", "get", strings.ToLower(ref.Kind) + "/" + ref.Name, "--namespace", ref.Namespace}
		if slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, ref.Kind) && ref.Group() == "apps" {
			c.Command = []string{
				"kubectl", "rollout", "status", strings.ToLower(ref.Kind) + "/" + ref.Name, "--namespace", ref.Namespace, "--timeout", "5m",
			}
		}
		c.Gate = &model.Gate{Kind: model.GateRollout, Objects: []model.Ref{ref}}
		c.Summary = ref.String() + " is ready with its new template."
		c.Undo = looking
		p.add(c)
	}
}

// references makes sure that nothing of the old way is left.
func (p *planner) references() {
	c := step(model.OrderVerify+verifyReferences, model.Check, "references")
	c.Command = []string{"kubectl", "secretstore", "migrate", "inventory", "--all-namespaces"}
	c.Gate = &model.Gate{Kind: model.GateUnreferenced, Objects: p.survey.ClassRefs()}
	c.Summary = "No pod template and no pod has a volume of " + model.Driver + " that names a class of Azure Key Vault, " +
		"scaled-down and " +
		"suspended ones included."
	c.Undo = looking
	p.add(c)
}

// access says who can read the values now, as far as a cluster shows it.
func (p *planner) access(ts []model.Translation) {
	var namespaces []string
	for _, t := range ts {
		if t.Class.Namespace != "" {
			namespaces = append(namespaces, t.Class.Namespace)
		}
	}
	slices.Sort(namespaces)
	for _, namespace := range slices.Compact(namespaces) {
		c := step(model.OrderVerify+verifyAccess, model.Check, "access", namespace)
		c.Command = []string{
			"kubectl", "get", "rolebindings,clusterrolebindings", "--namespace", namespace, "--output",
			"custom-columns=KIND:.kind,NAME:.metadata.name,ROLE:.roleRef.name,SUBJECTS:.subjects[*].name",
		}
		c.Gate = &model.Gate{Kind: model.GateAccess, Objects: []model.Ref{{APIVersion: "v1", Kind: "Namespace", Name: namespace}}}
		c.Summary = "Look who may read the Secrets of namespace " + namespace + ": subjects of roles with get, list or watch " +
			"on secrets, " +
			"or with wildcards. Of one of them: kubectl auth can-i get secrets --namespace " + namespace + " --as SUBJECT; of all, " +
			"with the plugin who-can: kubectl who-can get secrets --namespace " + namespace + "."
		c.Risk = "Whoever may start pods in the namespace may read its Secrets, too."
		c.Undo = looking
		p.add(c)
	}
	p.tell(codeReaders, model.Object{}, "The values can be read by whoever may read Secrets in %s.",
		model.Counted(len(slices.Compact(namespaces)), "namespace"))
	p.tell(codeEncryption, model.Object{}, "Whether etcd is encrypted at rest, and who reads its backups, cannot be seen "+
		"from a cluster.")
}
