package akvsync

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/spcparams"
)

// world is a cluster in memory: what an AKVSync is reconciled with.
type world struct{ input }

func newWorld(texts ...string) *world {
	return &world{input{sync: asking(entries(texts...)...), syncs: map[string]*v1alpha1.SecretSync{}}}
}

// step does the next part of a plan, as the controller does, and says whether there was any.
func (w *world) step() bool {
	p := decide(w.input)
	if p.class != nil {
		w.class = p.class.to.(*spcv1.SecretProviderClass)
		return true
	}
	for _, c := range p.changes {
		w.syncs[c.to.GetName()] = c.to.(*v1alpha1.SecretSync)
	}
	for _, sync := range p.removals {
		delete(w.syncs, sync.Name)
	}
	return len(p.changes)+len(p.removals) > 0
}

// settle takes steps until there are none.
func (w *world) settle(t *testing.T) {
	t.Helper()
	for range 10 {
		if !w.step() {
			return
		}
	}
	t.Fatalf("the AKVSync never comes to rest: %+v", decide(w.input))
}

// ask replaces the entries.
func (w *world) ask(texts ...string) { w.sync.Spec.Objects = entries(texts...) }

// objects lists those of the class as "NAME/HISTORY".
func (w *world) objects() []string {
	params, _ := spcparams.Parse(w.class.Spec.Parameters)
	list := make([]string, 0, len(params.Objects))
	for _, o := range params.Objects {
		list = append(list, fmt.Sprintf("%s/%d", o.Name, o.History))
	}
	return list
}

// paths lists the SecretSyncs as "NAME KEY=PATH …".
func (w *world) paths() []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(w.syncs)) {
		line := name
		for _, d := range w.syncs[name].Spec.SecretObject.Data {
			line += " " + d.TargetKey + "=" + d.SourcePath
		}
		list = append(list, line)
	}
	return list
}

func TestDecideOnAnEmptyCluster(t *testing.T) {
	t.Parallel()
	w := newWorld("secret token history=2", "cert web type=kubernetes.io/tls")
	w.sync.Spec.ForceSynchronization, w.sync.Spec.SecretSyncControllerName = "now", "mine"
	w.sync.Spec.Objects[0].Labels, w.sync.Spec.Objects[0].Annotations = map[string]string{"l": "1"}, map[string]string{"a": "2"}
	w.settle(t)
	controller := true
	owners := []metav1.OwnerReference{{APIVersion: "secret-sync.x-k8s.io/v1alpha1", Kind: "AKVSync", Name: "all", UID: "uid-1", Controller: &controller}}
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{
			Namespace: namespace, Name: name, OwnerReferences: owners, Labels: map[string]string{"secret-sync.x-k8s.io/akvsync": "all"},
		}
	}
	class := &spcv1.SecretProviderClass{ObjectMeta: meta("all"), Spec: spcv1.SecretProviderClassSpec{
		Provider: "azure", Parameters: map[string]string{
			"clientID": clientID, "tenantID": tenantID, "keyvaultName": vault,
			"objects": "array:\n  - |\n    objectName: token\n    objectType: secret\n    objectVersionHistory: 2\n" +
				"  - |\n    objectName: web\n    objectType: secret\n",
		},
	}}
	if diff := cmp.Diff(class, w.class); diff != "" {
		t.Errorf("SecretProviderClass (-want +got):\n%s", diff)
	}
	spec := func(object v1alpha1.SecretObject) v1alpha1.SecretSyncSpec {
		return v1alpha1.SecretSyncSpec{
			SecretProviderClassName: "all", ServiceAccountName: "web", ForceSynchronization: "now", SecretSyncControllerName: "mine", SecretObject: object,
		}
	}
	syncs := map[string]*v1alpha1.SecretSync{
		"token": {ObjectMeta: meta("token"), Spec: spec(v1alpha1.SecretObject{
			Type: "Opaque", Labels: map[string]string{"l": "1"}, Annotations: map[string]string{"a": "2"},
			Data: []v1alpha1.SecretObjectData{{SourcePath: "token/0", TargetKey: "v0"}, {SourcePath: "token/1", TargetKey: "v1"}},
		})},
		"web": {ObjectMeta: meta("web"), Spec: spec(v1alpha1.SecretObject{
			Type: "kubernetes.io/tls", Data: []v1alpha1.SecretObjectData{{SourcePath: "web", TargetKey: "tls.crt"}, {SourcePath: "web", TargetKey: "tls.key"}},
		})},
	}
	if diff := cmp.Diff(syncs, w.syncs); diff != "" {
		t.Errorf("SecretSyncs (-want +got):\n%s", diff)
	}
}

// TestDecide edits what is settled, and says what it has become after each step.
func TestDecide(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		before []string
		edit   func(*world)
		// steps are the objects of the class, then the SecretSyncs, after each step.
		steps [][]string
	}{
		"Nothing": {"what is as it should be is not written", []string{"secret a", "cert b"}, func(*world) {}, nil},
		"Added": {
			"the class first, or the SecretSync would find nothing",
			[]string{"secret a"},
			func(w *world) { w.ask("secret a", "secret b") },
			[][]string{{"a/0 b/0", "a v0=a"}, {"a/0 b/0", "a v0=a", "b v0=b"}},
		},
		"Removed": {
			"the SecretSync first, or it would refer to nothing",
			[]string{"secret a", "secret b"},
			func(w *world) { w.ask("secret a") },
			[][]string{{"a/0 b/0", "a v0=a"}, {"a/0", "a v0=a"}},
		},
		"HistoryAdded": {
			"another entry's history changes the paths of all who use the object, never their keys; both forms stand beside each other meanwhile",
			[]string{"secret a"},
			func(w *world) { w.ask("secret a", "secret a as=b history=2") },
			[][]string{{"a/2 a/0", "a v0=a"}, {"a/2 a/0", "a v0=a/0", "b v0=a/0 v1=a/1"}, {"a/2", "a v0=a/0", "b v0=a/0 v1=a/1"}},
		},
		"HistoryRemoved": {
			"and back",
			[]string{"secret a", "secret a as=b history=2"},
			func(w *world) { w.ask("secret a") },
			[][]string{
				{"a/0 a/2", "a v0=a/0", "b v0=a/0 v1=a/1"}, {"a/0 a/2", "a v0=a"}, {"a/0", "a v0=a"},
			},
		},
		"HistoryShortened": {
			"a history is as long as anyone still refers to it",
			[]string{"secret a history=3"},
			func(w *world) { w.ask("secret a history=2") },
			[][]string{{"a/3", "a v0=a/0 v1=a/1"}, {"a/2", "a v0=a/0 v1=a/1"}},
		},
		"TLSVersions": {
			"versions of a TLS Secret come and go with their numbers",
			[]string{"cert a type=kubernetes.io/tls history=3"},
			func(w *world) { w.ask("cert a type=kubernetes.io/tls history=2") },
			[][]string{
				{"a/3", "a-v0 tls.crt=a/0 tls.key=a/0", "a-v1 tls.crt=a/1 tls.key=a/1"},
				{"a/2", "a-v0 tls.crt=a/0 tls.key=a/0", "a-v1 tls.crt=a/1 tls.key=a/1"},
			},
		},
		"SyncEdited": {
			"a SecretSync that was edited is put back",
			[]string{"secret a"},
			func(w *world) {
				spec := &w.syncs["a"].Spec
				spec.SecretObject.Data = append(spec.SecretObject.Data, v1alpha1.SecretObjectData{SourcePath: "a", TargetKey: "mine"})
				spec.SecretSyncControllerName = "other"
			},
			[][]string{{"a/0", "a v0=a"}},
		},
		"ClassEdited": {
			"so is a class, with what was added to it",
			[]string{"secret a"},
			func(w *world) {
				w.class.Spec.Parameters["objects"] = "array: [\"objectName: evil\\nobjectType: secret\"]"
				w.class.Spec.Parameters["cloudName"] = "AzureChinaCloud"
				w.class.Spec.SecretObjects = []*spcv1.SecretObject{{SecretName: "s"}}
			},
			[][]string{{"a/0", "a v0=a"}},
		},
		"ClassBroken": {
			"a class that cannot be read any more too",
			[]string{"secret a"},
			func(w *world) { w.class.Spec.Parameters = nil },
			[][]string{{"a/0", "a v0=a"}},
		},
		"ClassAndSyncEdited": {
			"what a SecretSync refers to stays until it is put back, by whomever it was added",
			[]string{"secret a"},
			func(w *world) {
				w.class.Spec.Parameters["objects"] += "  - |\n    objectName: evil\n    objectType: key\n"
				w.syncs["a"].Spec.SecretObject.Data[0].SourcePath = "evil"
			},
			[][]string{{"a/0 evil/0", "a v0=a"}, {"a/0", "a v0=a"}},
		},
		"ClassThatCannotBeKept": {
			"but not if that would spoil the class",
			[]string{"secret a history=2"},
			func(w *world) {
				w.class.Spec.Parameters["objects"] = "array: [\"objectName: evil\\nobjectAlias: a/1\\nobjectType: secret\", \"objectName: b\\nobjectAlias: a/1/2\\nobjectType: secret\"]"
				w.syncs["a"].Spec.SecretObject.Data = []v1alpha1.SecretObjectData{{SourcePath: "a/1", TargetKey: "v0"}}
			},
			[][]string{{"a/2", "a v0=a/1"}, {"a/2", "a v0=a/0 v1=a/1"}},
		},
		"Deleted": {
			"what was deleted is made again",
			[]string{"secret a", "secret b"},
			func(w *world) { w.class = nil; delete(w.syncs, "b") },
			[][]string{{"a/0 b/0", "a v0=a"}, {"a/0 b/0", "a v0=a", "b v0=b"}},
		},
		"Label": {
			"the label is put back too",
			[]string{"secret a"},
			func(w *world) { w.class.Labels = nil; w.syncs["a"].Labels = map[string]string{"theirs": "1"} },
			[][]string{{"a/0", "a v0=a"}, {"a/0", "a v0=a"}},
		},
		"Mistake": {
			"while an entry has a mistake nothing is deleted, and what it may mean keeps its source paths",
			[]string{"secret a history=3", "secret b", "secret c"},
			func(w *world) { w.ask("secret a as=A history=2", "secret b", "secret d") },
			[][]string{
				{"b/0 d/0 a/3 c/0", "a v0=a/0 v1=a/1 v2=a/2", "b v0=b", "c v0=c"},
				{"b/0 d/0 a/3 c/0", "a v0=a/0 v1=a/1 v2=a/2", "b v0=b", "c v0=c", "d v0=d"},
			},
		},
		"OnlyMistakes": {
			"and if there are only mistakes nothing changes",
			[]string{"secret a"},
			func(w *world) { w.ask("secret A_B") }, nil,
		},
		"Twins": {
			"two entries that want one name leave it to whoever has it",
			[]string{"secret a"},
			func(w *world) { w.ask("secret a", "secret b as=a") }, nil,
		},
		"Type": {
			"the type of a Secret cannot change: its SecretSync stays as it is, and keeps its paths",
			[]string{"cert a history=2", "secret b"},
			func(w *world) { w.ask("cert a as=a type=kubernetes.io/tls", "secret b") },
			[][]string{{"a/0 b/0 a/2", "a v0=a/0 v1=a/1", "b v0=b"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(tc.before...)
			w.settle(t)
			tc.edit(w)
			var steps [][]string
			for len(steps) < 10 && w.step() {
				steps = append(steps, append([]string{strings.Join(w.objects(), " ")}, w.paths()...))
			}
			if diff := cmp.Diff(tc.steps, steps); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

//covers:field AKVSync.spec.forceSynchronization
func TestForceSynchronization(t *testing.T) {
	t.Parallel()
	w := newWorld("secret a", "secret b")
	w.settle(t)
	force := func() []string {
		w.settle(t)
		return []string{w.syncs["a"].Spec.ForceSynchronization, w.syncs["b"].Spec.ForceSynchronization}
	}
	w.syncs["a"].Spec.ForceSynchronization = "by hand"
	if diff := cmp.Diff([]string{"by hand", ""}, force()); diff != "" {
		t.Errorf("forcing one SecretSync by hand is overruled:\n%s", diff)
	}
	w.sync.Spec.ForceSynchronization = "1"
	if diff := cmp.Diff([]string{"1", "1"}, force()); diff != "" {
		t.Errorf("forcing the AKVSync does not force all:\n%s", diff)
	}
	w.sync.Spec.ForceSynchronization = ""
	if diff := cmp.Diff([]string{"1", "1"}, force()); diff != "" {
		t.Errorf("taking it away does something:\n%s", diff)
	}
}

func TestTheTypeCannotChange(t *testing.T) {
	t.Parallel()
	w := newWorld("cert a")
	w.settle(t)
	w.ask("cert a type=kubernetes.io/tls")
	p := decide(w.input)
	const cure = "kubectl delete secretsync -n shop a"
	if got := p.secrets[0].problem; got == nil || got.reason != v1alpha1.ReasonUserInputValidationFailed || !strings.Contains(got.message, cure) {
		t.Fatalf("%+v does not say %q", got, cure)
	}
	delete(w.syncs, "a")
	w.settle(t)
	if got := w.syncs["a"].Spec.SecretObject.Type; got != string(corev1.SecretTypeTLS) {
		t.Errorf("after what the message says the type is %s", got)
	}
}

func TestABadVaultBlocksAll(t *testing.T) {
	t.Parallel()
	w := newWorld("secret a", "secret b")
	w.sync.Spec.KeyvaultName, w.sync.Spec.ClientID = "no", "no"
	p := decide(w.input)
	for _, s := range p.secrets {
		if s.problem == nil || !strings.Contains(s.problem.message, "spec: clientID is not a GUID") || !strings.Contains(s.problem.message, "keyvaultName") ||
			strings.Contains(s.problem.message, "\n") {
			t.Errorf("%+v", s.problem)
		}
	}
	if p.class != nil || len(p.changes) > 0 {
		t.Error("something is written")
	}
}
