package workloads

import (
	"cmp"
	"slices"

	"secretstore/internal/migrate/model"
)

// translation finds what becomes of a class that an object of a namespace names. Where a folder leaves a namespace to its
// kustomization, the name alone has to do.
func (p *planner) translation(namespace, class string) (model.Translation, bool) {
	fits := func(exact bool) func(model.Translation) bool {
		return func(t model.Translation) bool {
			return t.Class.Name == class &&
				(t.Class.Namespace == namespace || !exact && (namespace == "" || t.Class.Namespace == ""))
		}
	}
	i := slices.IndexFunc(p.translations, fits(true))
	if i < 0 {
		i = slices.IndexFunc(p.translations, fits(false))
	}
	if i < 0 {
		return model.Translation{}, false
	}
	return p.translations[i], true
}

// found tells whether the survey has a class, by the same rule.
func (p *planner) found(namespace, class string) bool {
	return slices.ContainsFunc(p.survey.Classes, func(c model.Class) bool {
		at := c.Object.Namespace
		return c.Object.Name == class && (at == namespace || at == "" || namespace == "")
	})
}

// foreign tells whether a class is another provider's.
func (p *planner) foreign(namespace, class string) bool {
	return slices.ContainsFunc(p.survey.Others, func(ref model.Ref) bool {
		return ref.Kind == "SecretProviderClass" && ref.Name == class &&
			(ref.Namespace == namespace || ref.Namespace == "" || namespace == "")
	})
}

// isReady tells whether all that a class needs is decided.
func (p *planner) isReady(namespace, class string) bool {
	t, known := p.translation(namespace, class)
	return known && t.Ready
}

// ready tells whether everything that a workload needs is decided, and that its JSON patches can be changed with it; and says of
// the workload what is not.
func (p *planner) ready(w model.Workload) bool {
	ready := p.decided(w)
	for _, patch := range p.patches(w) {
		ready = ready && p.carried(w, patch)
	}
	return ready
}

// decided is ready without a look at JSON patches.
func (p *planner) decided(w model.Workload) bool {
	ready := p.unheld(w)
	for _, class := range p.classes(w) {
		if !p.isReady(w.Object.Namespace, class) {
			p.waits(w.Object, w.Object.Namespace, class)
			ready = false
		}
	}
	for _, v := range w.Volumes {
		t, known := p.translation(w.Object.Namespace, v.Class)
		if known && t.Ready && len(t.Files) == 0 && !p.removes(w, v) {
			p.say(codeBlocked, w.Object, "", "SecretProviderClass %s gives no files for the volume %s.", v.Class, v.Name)
			ready = false
		}
	}
	return p.readable(w.Object, w.Uses) && ready
}

// unheld tells whether no patch of a workload's volumes is held, and says which one is.
func (p *planner) unheld(w model.Workload) bool {
	free := true
	for _, patch := range p.patches(w) {
		if patch.Held && touches(patch, w.Volumes) {
			p.say(codeUndecided, w.Object, "Settle what is said of the patch.",
				"The patch in %s changes the same volumes and has to wait, so the base waits for it.", patch.Object.Place)
			free = false
		}
	}
	return free
}

// touches tells whether a patch says something of one of the volumes.
func touches(patch model.Workload, volumes []model.Volume) bool {
	return slices.ContainsFunc(patched(patch), func(e entry) bool {
		return slices.ContainsFunc(volumes, func(v model.Volume) bool { return v.Name == e.name })
	})
}

// readable tells whether it is decided what becomes of each Secret that an object reads, and says what is not.
func (p *planner) readable(object model.Object, uses []model.Use) bool {
	said := map[string]bool{}
	for _, use := range uses {
		namespace := cmp.Or(use.Namespace, object.Namespace)
		if _, _, known := p.sync(namespace, use.Secret); known {
			continue
		}
		for _, class := range p.makers(namespace, use.Secret) {
			if !said[class] {
				p.waits(object, namespace, class)
			}
			said[class] = true
		}
	}
	return len(said) == 0
}

// classes are the classes that a workload's volumes name, and those that patches name for the same volumes; sorted.
func (p *planner) classes(w model.Workload) []string {
	var classes []string
	for _, v := range w.Volumes {
		classes = append(classes, v.Class)
		for _, patch := range p.patches(w) {
			for _, entry := range patched(patch) {
				if entry.name == v.Name && entry.class != "" {
					classes = append(classes, entry.class)
				}
			}
		}
	}
	slices.Sort(classes)
	return slices.Compact(classes)
}

// waits says of an object that a class keeps it from being changed.
func (p *planner) waits(object model.Object, namespace, class string) {
	t, known := p.translation(namespace, class)
	switch {
	case !known && !p.found(namespace, class):
		p.say(codeBlocked, object, "Make or correct the class, or name the one that is meant.",
			"It uses SecretProviderClass %s, which is not there: pods that start now fail already.", class)
	case !known || t.Blocked:
		p.say(codeBlocked, object, "", "SecretProviderClass %s, which it uses, cannot be taken over as it stands.", class)
	default:
		// Only Plan.Ask makes findings of this gravity, but the question here is the class's own.
		p.say(codeUndecided, object, "", "It uses SecretProviderClass %s, about which something has to be decided first.", class)
	}
}

// sync finds what takes the place of a Secret that a class makes.
func (p *planner) sync(namespace, secret string) (model.Translation, model.Sync, bool) {
	for _, t := range p.translations {
		if !t.Ready || t.Class.Namespace != namespace && t.Class.Namespace != "" && namespace != "" {
			continue
		}
		i := slices.IndexFunc(t.Syncs, func(s model.Sync) bool { return s.Old == secret })
		if i >= 0 {
			return t, t.Syncs[i], true
		}
	}
	return model.Translation{}, model.Sync{}, false
}

// makers are the classes whose driver makes a Secret, sorted.
func (p *planner) makers(namespace, secret string) []string {
	var makers []string
	for _, c := range p.survey.Classes {
		at := c.Object.Namespace
		if (at == namespace || at == "" || namespace == "") && slices.ContainsFunc(c.SecretObjects, func(o model.SecretObject) bool {
			return o.Name == secret
		}) {
			makers = append(makers, c.Object.Name)
		}
	}
	slices.Sort(makers)
	return slices.Compact(makers)
}

// keys are the keys that a class gives a Secret, sorted.
func (p *planner) keys(class model.Ref, secret string) []string {
	var keys []string
	for _, c := range p.survey.Classes {
		if c.Object.Namespace != class.Namespace || c.Object.Name != class.Name {
			continue
		}
		for _, o := range c.SecretObjects {
			for _, d := range o.Data {
				if o.Name == secret {
					keys = append(keys, d.Key)
				}
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
