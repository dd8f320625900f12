package translate

import (
	"path"
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// suffix is what a class's twin and a Secret's proof are called by.
const suffix = "-sse"

// begin looks at who uses a class and as whom it is read. It is nil for one that is left alone.
func (p *planner) begin(c model.Class) *work {
	if p.isProduct(c) || p.isFollowed(c.Object) {
		return nil
	}
	w := &work{class: c, params: c.Params, newClass: p.newName(c.Object)}
	w.params.Objects = slices.Clone(c.Params.Objects)
	if p.waits(w) {
		w.stopped = true
		return w
	}
	if !p.wanted(w) {
		return nil
	}
	switch {
	case c.Broken:
		w.stopped = true
		p.tell(w, codeBroken, "The parameters of the class hold mistakes, so that nothing can be made of it.")
	case c.Object.Partial:
		w.stopped = true
		p.tell(w, codePatched, "The class is changed by a patch of a kustomization, which is a piece of it only.")
	default:
		p.lookAtMounts(w)
		p.identify(w)
	}
	return w
}

// waits tells whether an earlier stage asks something about the class that has to be decided first.
func (p *planner) waits(w *work) bool {
	return slices.Contains(p.ids.Waiting, w.ref()) || slices.ContainsFunc(p.survey.Decisions, func(d model.Decision) bool {
		_, decided := d.Effective()
		return d.Object == w.ref() && !decided
	})
}

// isProduct knows the twin that an earlier run made: it is nobody's volume, and stands beside the class that it was made of.
func (p *planner) isProduct(c model.Class) bool {
	return len(c.UsedBy) == 0 && slices.ContainsFunc(p.survey.Classes, func(other model.Class) bool {
		return other.Object.Namespace == c.Object.Namespace && other.Object.Name != c.Object.Name &&
			p.newName(other.Object) == c.Object.Name && sameVault(other, c)
	})
}

func sameVault(a, b model.Class) bool {
	return strings.EqualFold(a.Parameters[paramVault], b.Parameters[paramVault])
}

// wanted tells whether a class is to be translated: if a workload mounts it, if an earlier run began to (workloads that were
// changed mount it no more, and its Secrets still have to be handed over), or if the operator says so.
func (p *planner) wanted(w *work) bool {
	if len(w.class.UsedBy) > 0 || p.begun(w) {
		return true
	}
	if p.isRead(w.class.Object) {
		return false // it is of the new way already
	}
	ref := w.ref()
	p.tell(w, codeUnused, "No workload mounts the class; it is left as it is.")
	for _, o := range w.class.SecretObjects {
		if user, used := p.userOf(ref.Namespace, o.Name); used {
			p.tell(w, codeUnusedRead, "%s uses the Secret %s, which only a pod that mounts the class would bring up to date.",
				user, o.Name)
		}
	}
	answer, _ := p.ask(w, codeUnused, "", model.Decision{
		Question: "Nobody mounts the class " + ref.Name + ". Translate it all the same?",
		Options: []model.Option{
			{Answer: no, Means: "The class is left as it is."},
			{Answer: yes, Means: "It is translated as if a workload mounted it."},
		},
		Proposal: no,
	}, "")
	w.mounted = answer == yes
	w.wholly = w.mounted
	return answer == yes
}

const (
	yes = "yes"
	no  = "no"
)

// begun tells whether an earlier run made the class's successor.
func (p *planner) begun(w *work) bool {
	if w.newClass == w.ref().Name {
		return false
	}
	for _, kind := range []string{kindClass, kindAKVSync} {
		if o, found := p.find(w, kind, w.newClass); found && strings.EqualFold(vaultOf(o), w.class.Parameters[paramVault]) {
			return true
		}
	}
	return false
}

// vaultOf is the vault that a class or an AKVSync names.
func vaultOf(o model.Object) string {
	for _, at := range []model.Path{{"spec", "parameters", paramVault}, {"spec", paramVault}} {
		if vault, ok := at.Get(o.Content); ok {
			text, _ := vault.(string)
			return text
		}
	}
	return ""
}

// isRead tells whether a SecretSync names the class.
func (p *planner) isRead(class model.Object) bool {
	return slices.ContainsFunc(p.survey.Existing, func(o model.Object) bool {
		return o.Kind == kindSync && o.Namespace == class.Namespace && classOf(o) == class.Name
	})
}

// classOf is the class that a SecretSync names.
func classOf(o model.Object) string {
	name, _ := model.Path{"spec", "secretProviderClassName"}.Get(o.Content)
	text, _ := name.(string)
	return text
}

// userOf is an object that uses a Secret.
func (p *planner) userOf(namespace, name string) (model.Ref, bool) {
	uses := func(o model.Object, uses []model.Use) bool {
		return o.Namespace == namespace && slices.ContainsFunc(uses, func(u model.Use) bool { return u.Secret == name })
	}
	for _, w := range p.survey.Workloads {
		if uses(w.Object, w.Uses) {
			return w.Object.Ref, true
		}
	}
	for _, r := range p.survey.Readers {
		if uses(r.Object, r.Uses) {
			return r.Object.Ref, true
		}
	}
	return model.Ref{}, false
}

// lookAtMounts finds out what containers see of the class.
func (p *planner) lookAtMounts(w *work) {
	for _, load := range p.survey.Workloads {
		if load.Object.Namespace != w.ref().Namespace {
			continue
		}
		for _, volume := range load.Volumes {
			if volume.Class != w.ref().Name {
				continue
			}
			w.credentials = w.credentials || volume.Credential != ""
			for _, mount := range volume.Mounts {
				w.mounted = true
				w.wholly = w.wholly || mount.SubPath == ""
				w.paths = append(w.paths, path.Clean(mount.SubPath))
			}
		}
	}
	if _, made := p.find(w, kindSync, w.ref().Name+filesSuffix); made && !w.mounted && p.begun(w) {
		w.mounted, w.wholly = true, true // workloads were changed already
	}
}

// identify finds out as whom the class is read: as planned, or as an earlier run arranged it.
func (p *planner) identify(w *work) {
	ref := w.ref()
	if account, identity, ok := p.ids.For(ref.Namespace, ref.Name); ok {
		w.account, w.clientID, w.tenant = account.Name, identity.ClientID, identity.Tenant
		return
	}
	class, madeClass := p.find(w, kindClass, w.newClass)
	client, hasClient := model.Path{"spec", "parameters", paramClient}.Get(class.Content)
	for _, o := range p.survey.Existing {
		account, named := model.Path{"spec", "serviceAccountName"}.Get(o.Content)
		if o.Kind == kindSync && o.Namespace == ref.Namespace && classOf(o) == w.newClass && madeClass && hasClient && named {
			w.account, _ = account.(string)
			w.clientID, _ = client.(string)
			return
		}
	}
	w.stopped = true
	p.tell(w, codeNoAccount, "No service account is planned that the class could be read with.")
}
