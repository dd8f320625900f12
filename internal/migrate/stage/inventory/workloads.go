package inventory

import (
	"slices"
	"strings"

	"secretstore/internal/migrate/model"
)

// family is an object on top, and what stands below it.
type family struct {
	top int
	// above is the owner of the top that could not be used, if there is one.
	above model.Ref
	// pods are those that have not ended.
	pods []int
}

// isLive tells a pod that has not ended: one that has mounts nothing any more.
func isLive(pod model.Object) bool {
	phase := text(pod.Content, "status", "phase")
	return phase != "Succeeded" && phase != "Failed"
}

// readWorkloads lists the objects on top that mount a class or use a Secret that one makes, themselves or by their pods.
func (t *taking) readWorkloads() {
	families := map[int]*family{}
	for i, object := range t.objects.all {
		if len(t.objects.specs[i]) == 0 {
			continue
		}
		top, above := t.objects.top(i)
		if families[top] == nil {
			families[top] = &family{top: top}
		}
		if i == top {
			families[top].above = above
		}
		if isPod(object.Ref) && isLive(object) {
			families[top].pods = append(families[top].pods, i)
		}
	}
	for i := range t.objects.all {
		if family := families[i]; family != nil {
			t.readFamily(*family)
		}
	}
	t.survey.Others = sortedRefs(t.survey.Others)
}

// readFamily lists the object on top of a family if it is of concern.
func (t *taking) readFamily(f family) {
	object := t.objects.all[f.top]
	w := model.Workload{Object: object, Manager: object.Manager(), Pods: len(f.pods)}
	t.lookInto(&w, t.objects.specs[f.top])
	stray := t.strayClasses(w, f.pods)
	differ := append(slices.Clone(stray), t.straySecrets(w, f.pods)...)
	if len(w.Volumes)+len(w.Uses)+len(differ) == 0 {
		if t.mountsForeign(f.top) {
			t.survey.Others = append(t.survey.Others, object.Ref)
		}
		return
	}
	if w.PodSpec == nil {
		w.PodSpec = t.objects.specs[f.top][0]
	}
	if len(differ) > 0 {
		t.say(model.CodePodsDiffer, object, "Pods of %s mount or read %s, which its template does not.", object.Ref,
			strings.Join(differ, ", "))
	}
	t.judge(&w, f)
	t.states(&w)
	t.note(w, stray)
	t.survey.Workloads = append(t.survey.Workloads, w)
}

// lookInto lists the volumes and references of a workload's pod specs.
func (t *taking) lookInto(w *model.Workload, specs []model.Path) {
	for _, at := range specs {
		volumes := t.volumes(w.Object, at)
		uses := t.syncedUses(w.Object, podUses(w.Object.Content, at))
		if w.PodSpec == nil && len(volumes)+len(uses) > 0 {
			w.PodSpec = at
		}
		w.Volumes, w.Uses = append(w.Volumes, volumes...), append(w.Uses, uses...)
	}
}

// states are a JSON patch's object before it and behind each of its operations.
func (t *taking) states(w *model.Workload) {
	if !w.Object.IsJSONPatch() {
		return
	}
	contents := []map[string]any{w.Object.Patch.Base.Content}
	for _, step := range w.Object.Patch.Steps {
		contents = append(contents, step.After)
	}
	for _, content := range contents {
		state := model.Workload{Object: w.Object, Manager: w.Manager}
		state.Object.Content = content
		t.lookInto(&state, podSpecs(state.Object))
		if state.PodSpec == nil {
			state.PodSpec = w.PodSpec
		}
		w.States = append(w.States, state)
	}
}

// volumes are the CSI volumes of one pod spec, but for those of other providers.
func (t *taking) volumes(object model.Object, at model.Path) []model.Volume {
	var found []model.Volume
	for _, volume := range csiVolumes(object, at) {
		if volume.Class == "" && object.Partial {
			if volume.Class = t.classOfBase(object, volume.Name); volume.Class == "" {
				continue // a volume of a driver that the piece does not name
			}
		}
		if t.classes.has(object.Namespace, volume.Class) || !t.foreign.has(object.Namespace, volume.Class) {
			found = append(found, volume)
		}
	}
	return found
}

// mountsForeign tells whether pods of the object at a place mount a class of another provider.
func (t *taking) mountsForeign(i int) bool {
	object := t.objects.all[i]
	return slices.ContainsFunc(t.objects.specs[i], func(at model.Path) bool {
		return slices.ContainsFunc(csiVolumes(object, at), func(v model.Volume) bool {
			return t.foreign.has(object.Namespace, v.Class)
		})
	})
}

// classOfBase is the class of a volume in the object that a piece is of.
func (t *taking) classOfBase(piece model.Object, volume string) string {
	for i, object := range t.objects.all {
		if object.Partial || !sameButVersion(object.Ref, piece.Ref) {
			continue
		}
		for _, at := range t.objects.specs[i] {
			for _, of := range csiVolumes(object, at) {
				if of.Name == volume {
					return of.Class
				}
			}
		}
	}
	return ""
}

// sameButVersion tells whether references may mean one object. One whose namespace is unknown may be of any.
func sameButVersion(a, b model.Ref) bool {
	return a.Kind == b.Kind && a.Group() == b.Group() && a.Name == b.Name &&
		(a.Namespace == b.Namespace || a.Namespace == "" || b.Namespace == "")
}

// strayClasses are the classes that pods of a workload mount, but not its template. A class may be gone since they started.
func (t *taking) strayClasses(w model.Workload, pods []int) []string {
	var stray []string
	for _, i := range pods {
		pod := t.objects.all[i]
		for _, volume := range t.volumes(pod, t.objects.specs[i][0]) {
			if !slices.ContainsFunc(w.Volumes, func(v model.Volume) bool { return v.Class == volume.Class }) {
				stray = appendOnce(stray, volume.Class)
			}
		}
	}
	slices.Sort(stray)
	return stray
}

// straySecrets are the Secrets of classes that pods of a workload use, but not its template.
func (t *taking) straySecrets(w model.Workload, pods []int) []string {
	var stray []string
	for _, i := range pods {
		pod := t.objects.all[i]
		for _, use := range t.syncedUses(pod, podUses(pod.Content, t.objects.specs[i][0])) {
			if !slices.ContainsFunc(w.Uses, func(u model.Use) bool { return u.Secret == use.Secret }) {
				stray = appendOnce(stray, "Secret "+use.Secret)
			}
		}
	}
	slices.Sort(stray)
	return stray
}

// note tells the classes who uses them.
func (t *taking) note(w model.Workload, stray []string) {
	mounted := stray
	for _, volume := range w.Volumes {
		mounted = appendOnce(mounted, volume.Class)
	}
	for _, name := range mounted {
		for _, i := range t.classesOf(w.Object.Namespace, name) {
			class := &t.survey.Classes[i]
			class.UsedBy = sortedRefs(append(class.UsedBy, w.Object.Ref))
		}
	}
}

// classesOf are the places of the class that a workload means, and of the patches of a kustomization that may change it.
func (t *taking) classesOf(namespace, name string) []int {
	found := slices.Clone(t.classes.find(namespace, name))
	for _, i := range t.classes.any[name] {
		if class := t.survey.Classes[i].Object; class.Partial && (class.Namespace == "" || namespace == "") {
			found = appendOnce(found, i)
		}
	}
	return found
}
