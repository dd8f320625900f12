package act_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
)

// cluster is a cluster in memory, with the controllers that a migration counts on: Secrets are made of SecretSyncs, what loses its
// last owner goes, and pods of a changed template are replaced.
type cluster struct {
	objects map[model.Ref]map[string]any
	serial  int
	// dies counts the calls that are left until the program is killed: before or after what the call does. Negative is never.
	dies    int
	dead    bool
	journal *memory
	holder  string
	// gates are what looks at gates find, by the step's ID, one after the other; none is open.
	gates map[string][]error
	// looks and applied list the IDs of steps.
	looks, applied []string
	// meddle is called before an Apply.
	meddle func(c model.Change)
	// rolling has the pods of a changed workload replaced, with what the driver tells of them.
	rolling bool
	// minted and calls count.
	minted, calls, replaced int
}

var errKilled = errors.New("killed")

// tick is a moment at which the program may be killed.
func (w *cluster) tick() error {
	w.calls++
	if w.dies == 0 {
		w.dead = true
	}
	w.dies--
	if w.dead {
		return errKilled
	}
	return nil
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		fields := make(map[string]any, len(v))
		for k, field := range v {
			fields[k] = clone(field)
		}
		return fields
	case []any:
		list := make([]any, 0, len(v))
		for _, entry := range v {
			list = append(list, clone(entry))
		}
		return list
	}
	return v
}

func fields(v any) map[string]any {
	m, _ := clone(v).(map[string]any)
	return m
}

func text(v any, path ...any) string {
	found, _ := model.Path(path).Get(v)
	s, _ := found.(string)
	return s
}

// stamp gives an object a UID, if it has none, and a new resourceVersion.
func (w *cluster) stamp(content map[string]any) {
	w.serial++
	metadata, _ := content["metadata"].(map[string]any)
	if metadata["uid"] == nil {
		metadata["uid"] = fmt.Sprintf("uid-%d", w.serial)
	}
	metadata["resourceVersion"] = fmt.Sprint(w.serial)
}

// put stores an object, and does what controllers do then.
func (w *cluster) put(ref model.Ref, content map[string]any) {
	w.stamp(content)
	w.objects[ref] = content
	if ref.Kind != "SecretSync" {
		return
	}
	secret := model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: ref.Namespace, Name: ref.Name}
	if _, there := w.objects[secret]; there {
		return
	}
	made := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": map[string]any{"k": "digest"},
		"metadata": map[string]any{"name": ref.Name, "namespace": ref.Namespace, "ownerReferences": []any{map[string]any{
			"apiVersion": ref.APIVersion, "kind": ref.Kind, "name": ref.Name, "uid": text(content, "metadata", "uid"),
		}}},
	}
	w.stamp(made)
	w.objects[secret] = made
}

// remove takes an object out, and what it owned alone.
func (w *cluster) remove(ref model.Ref) {
	uid := text(w.objects[ref], "metadata", "uid")
	delete(w.objects, ref)
	for other, content := range w.objects {
		list := owners(content)
		alive := slices.ContainsFunc(list, func(o any) bool { return text(o, "uid") != uid })
		if len(list) > 0 && !alive && other.Namespace == ref.Namespace {
			w.remove(other)
		}
	}
}

// owners are the owner references of an object.
func owners(content map[string]any) []any {
	found, _ := model.Path{"metadata", "ownerReferences"}.Get(content)
	list, _ := found.([]any)
	return list
}

// isLasting tells an owner that stays when pods go: a SecretSync, or the class that keeps a Secret until then.
func isLasting(owner any) bool {
	return slices.Contains([]string{"SecretSync", "SecretProviderClass"}, text(owner, "kind"))
}

// keeps tells the step that has a class own a Secret, too: what it says comes to the owners that are there.
func keeps(c model.Change) bool {
	if c.Object.Kind != "Secret" || len(c.Edits) != 1 {
		return false
	}
	return text(c.Edits[0].Value, 0, "kind") == "SecretProviderClass"
}

// same compares what people write of an object.
func same(a, b map[string]any) bool { return reflect.DeepEqual(bare(a), bare(b)) }

// bare is an object without what the API server puts in.
func bare(content map[string]any) map[string]any {
	b := fields(content)
	metadata, _ := b["metadata"].(map[string]any)
	for _, name := range []string{"uid", "resourceVersion"} {
		delete(metadata, name)
	}
	delete(b, "status")
	return b
}

// before is an object as an entry may have it.
func before(content map[string]any) map[string]any {
	b := fields(content)
	if b["kind"] == "Secret" {
		delete(b, "data")
		delete(b, "stringData")
	}
	return b
}

func (w *cluster) Look(_ context.Context, c model.Change) (act.Sight, error) {
	if err := w.tick(); err != nil {
		return act.Sight{}, err
	}
	w.looks = append(w.looks, c.ID)
	return w.sight(c), nil
}

func (w *cluster) sight(c model.Change) act.Sight {
	now, there := w.objects[c.Object]
	s := act.Sight{UID: text(now, "metadata", "uid"), ResourceVersion: text(now, "metadata", "resourceVersion")}
	if there {
		s.Before = before(now)
	}
	switch c.Verb {
	case model.Create:
		switch {
		case !there:
			s.Standing = act.Open
		case same(now, c.Content):
			s.Standing = act.Done
		default:
			s.Standing, s.Why = act.Foreign, "it is another one"
		}
	case model.Edit:
		forth, back := fields(now), fields(now)
		switch {
		case !there:
			s.Standing = act.Gone
		case len(c.Edits) == 0, keeps(c) && slices.ContainsFunc(owners(now), isLasting):
			s.Standing = act.Done
		case patch(forth, c.Edits, c.Object.Kind == "Secret"):
			s.Standing = act.Open
		case patch(back, reversed(c.Edits), true):
			s.Standing = act.Done
		default:
			s.Standing, s.Why = act.Foreign, "a field differs"
		}
	default:
		if s.Standing = act.Open; !there {
			s.Standing = act.Done
		}
	}
	return s
}

func (w *cluster) Apply(_ context.Context, c model.Change, seen act.Sight, dry bool) (act.Sight, error) {
	if err := w.tick(); err != nil {
		return act.Sight{}, err
	}
	if w.meddle != nil {
		w.meddle(c)
	}
	now := w.objects[c.Object]
	if text(now, "metadata", "resourceVersion") != seen.ResourceVersion {
		return act.Sight{}, &act.ConflictError{Object: c.Object}
	}
	if dry {
		return w.sight(c), nil
	}
	if last := w.journal.entries[len(w.journal.entries)-1]; last.What != act.Begun || last.Change.ID != c.ID {
		return act.Sight{}, fmt.Errorf("the journal does not hold what %s begins with", c.ID)
	}
	w.applied = append(w.applied, c.ID)
	switch c.Verb {
	case model.Create:
		w.put(c.Object, fields(c.Content))
	case model.Edit:
		edited := fields(now)
		if keeps(c) {
			c.Edits = slices.Clone(c.Edits)
			added, _ := c.Edits[0].Value.([]any)
			c.Edits[0].Value = slices.Concat(owners(now), added)
		}
		if !patch(edited, c.Edits, c.Object.Kind == "Secret") {
			return act.Sight{}, fmt.Errorf("%s cannot be patched", c.Object)
		}
		w.put(c.Object, edited)
		if w.rolling && c.Stage == model.Workloads {
			w.replacePods(c.Object)
		}
	default:
		w.remove(c.Object)
	}
	return w.sight(c), w.tick()
}

// replacePods takes out the pods below a workload, and what the driver tells of them.
func (w *cluster) replacePods(of model.Ref) {
	for ref, content := range w.objects {
		owners, _ := model.Path{"metadata", "ownerReferences"}.Get(content)
		list, _ := owners.([]any)
		owned := slices.ContainsFunc(list, func(o any) bool { return text(o, "kind") == of.Kind && text(o, "name") == of.Name })
		if ref.Namespace != of.Namespace || !owned {
			continue
		}
		if w.replacePods(ref); ref.Kind == "Pod" || ref.Kind == "SecretProviderClassPodStatus" {
			delete(w.objects, ref)
			w.replaced++
		}
	}
}

func (w *cluster) Check(_ context.Context, c model.Change) error {
	if err := w.tick(); err != nil {
		return err
	}
	w.looks = append(w.looks, c.ID)
	if c.Gate.Kind == model.GateSynced || c.Gate.Kind == model.GateEqual || c.Gate.Kind == model.GateOwned {
		if err := w.holds(*c.Gate); err != nil {
			return err
		}
	}
	for _, ref := range c.Gate.Objects {
		if _, there := w.objects[ref]; ref.Kind == "DaemonSet" && !there {
			return &act.ClosedError{Lacking: []string{ref.String() + " is not there"}}
		}
	}
	list := w.gates[c.ID]
	if len(list) == 0 {
		return nil
	}
	if len(list) > 1 {
		w.gates[c.ID] = list[1:]
	}
	return list[0]
}

// holds tells whether the objects and Secrets of a gate are there.
func (w *cluster) holds(gate model.Gate) error {
	refs := slices.Clone(gate.Objects)
	for _, p := range gate.Same {
		for _, name := range []string{p.Old, p.New} {
			refs = append(refs, model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: p.Namespace, Name: name})
		}
	}
	for _, ref := range refs {
		if _, there := w.objects[ref]; !there && ref.Kind != "SecretProviderClass" {
			return &act.ClosedError{Lacking: []string{ref.String() + " is not there"}}
		}
	}
	return nil
}

func (w *cluster) Revert(_ context.Context, e act.Entry) error {
	if err := w.tick(); err != nil {
		return err
	}
	c := e.Change
	now, there := w.objects[c.Object]
	switch {
	case c.Verb == model.Create && there:
		if e.UID != "" && e.UID != text(now, "metadata", "uid") {
			return fmt.Errorf("%s is another one", c.Object)
		}
		w.remove(c.Object)
	case c.Verb == model.Edit && there && e.Before != nil:
		back := fields(e.Before)
		if c.Object.Kind == "Secret" {
			back["data"] = now["data"]
		}
		if !same(back, now) {
			w.put(c.Object, back)
		}
	case c.Verb == model.Delete && !there && e.Before != nil:
		w.put(c.Object, bare(e.Before))
	}
	return w.tick()
}

func (w *cluster) Mint(_ context.Context, t model.Token) (string, error) {
	if err := w.tick(); err != nil {
		return "", err
	}
	w.minted++
	return token(`{"alg":"RS256"}`, fmt.Sprintf(`{"iss":%q,"aud":[%q],"sub":"system:serviceaccount:%s:%s","iat":0,"exp":600}`,
		issuer, t.Audience, t.Namespace, t.Account)), nil
}

const issuer = "https://issuer.example/"

// token is a signed token of these parts.
func token(header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(payload)) + "." + encode([]byte("signature"))
}

func (w *cluster) Hold(ctx context.Context, who string) (context.Context, func(), error) {
	if w.holder != "" {
		return nil, nil, errors.New(w.holder + " has it")
	}
	w.holder = who
	return ctx, func() { w.holder = "" }, w.tick()
}

// snapshot is what a reading of the cluster gives.
func (w *cluster) snapshot(input model.Input, ids map[string]string) model.Snapshot {
	s := model.Snapshot{Input: input, ClientIDs: maps.Clone(ids)}
	for ref, content := range w.objects {
		s.Objects = append(s.Objects, model.Object{Ref: ref, Content: fields(content)})
	}
	slices.SortFunc(s.Objects, func(a, b model.Object) int { return a.Compare(b.Ref) })
	return s
}
