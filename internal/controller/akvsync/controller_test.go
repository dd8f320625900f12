package akvsync

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/neighbour"
)

// harness is a reconciler with an API server that a test can make refuse.
type harness struct {
	*Reconciler
	client client.WithWatch
	events *events.FakeRecorder
	// writes are what was asked of the API server, as "create SecretSync a"; refuse, if set, answers them.
	writes []string
	refuse func(write string) error
}

func newHarness(t *testing.T, objects ...client.Object) *harness {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), spcv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	h := &harness{events: events.NewFakeRecorder(100)}
	ask := func(verb string, object client.Object) error {
		h.writes = append(h.writes, verb+" "+kindOf(object)+" "+object.GetName())
		if h.refuse != nil {
			return h.refuse(h.writes[len(h.writes)-1])
		}
		return nil
	}
	h.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.AKVSync{}, &v1alpha1.SecretSync{}).
		WithIndex(&v1alpha1.AKVSync{}, indexNames, names).WithIndex(&v1alpha1.SecretSync{}, neighbour.IndexName, neighbour.Rule{}.Index).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, object client.Object, o ...client.CreateOption) error {
				if err := ask("create", object); err != nil {
					return err
				}
				return c.Create(ctx, object, o...)
			},
			Patch: func(ctx context.Context, c client.WithWatch, object client.Object, p client.Patch, o ...client.PatchOption) error {
				if err := ask("patch", object); err != nil {
					return err
				}
				return c.Patch(ctx, object, p, o...)
			},
			Delete: func(ctx context.Context, c client.WithWatch, object client.Object, o ...client.DeleteOption) error {
				if err := ask("delete", object); err != nil {
					return err
				}
				return c.Delete(ctx, object, o...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, object client.Object, p client.Patch, o ...client.SubResourcePatchOption) error {
				if err := ask("patch "+sub+" of", object); err != nil {
					return err
				}
				return c.SubResource(sub).Patch(ctx, object, p, o...)
			},
		}).Build()
	clock := clocktesting.NewFakePassiveClock(at())
	h.Reconciler = &Reconciler{Client: h.client, Recorder: h.events, Clock: clock, Neighbours: &neighbour.Guard{
		Reader: h.client, Recorder: h.events, Clock: clock, Count: func(int) {},
	}}
	return h
}

func kindOf(object client.Object) string {
	switch object.(type) {
	case *v1alpha1.AKVSync:
		return "AKVSync"
	case *v1alpha1.SecretSync:
		return "SecretSync"
	default:
		return "SecretProviderClass"
	}
}

// reconcile runs once and returns what was asked of the API server.
func (h *harness) reconcile(t *testing.T) (ctrl.Result, []string, error) {
	t.Helper()
	h.writes = nil
	result, err := h.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: namespace, Name: "all"}})
	return result, h.writes, err
}

// settle runs until nothing is written any more.
func (h *harness) settle(t *testing.T) {
	t.Helper()
	for range 10 {
		_, writes, err := h.reconcile(t)
		if err != nil {
			t.Fatal(err)
		}
		if len(writes) == 0 {
			return
		}
	}
	t.Fatalf("never comes to rest: %v", h.writes)
}

func (h *harness) get(t *testing.T, name string, object client.Object) {
	t.Helper()
	if err := h.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		t.Fatal(err)
	}
}

func (h *harness) status(t *testing.T) v1alpha1.AKVSyncStatus {
	t.Helper()
	sync := &v1alpha1.AKVSync{}
	h.get(t, "all", sync)
	return sync.Status
}

func TestReconcileStepByStep(t *testing.T) {
	t.Parallel()
	h := newHarness(t, asking(entries("secret a", "secret b")...))
	for i, want := range [][]string{
		{"create SecretProviderClass all", "patch status of AKVSync all"},
		{"create SecretSync a", "create SecretSync b"}, // the status says the same: they are being made
		{"patch status of AKVSync all"},
		nil,
	} {
		result, writes, err := h.reconcile(t)
		if err != nil || result != (ctrl.Result{}) {
			t.Fatalf("step %d: %+v, %v", i, result, err)
		}
		if diff := cmp.Diff(want, writes); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
	for _, name := range []string{"a", "b"} {
		sync := &v1alpha1.SecretSync{}
		h.get(t, name, sync)
		sync.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: "True", Reason: "Synced", Message: "fine"}}
		sync.Status.LastCheckTime = &metav1.Time{Time: at()}
		if err := h.client.Status().Update(t.Context(), sync); err != nil {
			t.Fatal(err)
		}
	}
	if _, writes, err := h.reconcile(t); err != nil || len(writes) != 1 {
		t.Errorf("a roll-up of two SecretSyncs: %v, %v", writes, err)
	}
	if status := h.status(t); status.Synced != "2/2" || !meta.IsStatusConditionTrue(status.Conditions, "Ready") || len(h.events.Events) != 1 {
		t.Errorf("status %+v, %d events", status, len(h.events.Events))
	}
	edited := &v1alpha1.AKVSync{}
	h.get(t, "all", edited)
	edited.Spec.Objects = entries("secret b history=2")
	if err := h.client.Update(t.Context(), edited); err != nil {
		t.Fatal(err)
	}
	_, first, _ := h.reconcile(t)
	_, second, _ := h.reconcile(t)
	_, third, _ := h.reconcile(t)
	got := slices.DeleteFunc(slices.Concat(first, second, third), func(w string) bool { return strings.HasPrefix(w, "patch status") })
	want := []string{"patch SecretProviderClass all", "patch SecretSync b", "delete SecretSync a", "patch SecretProviderClass all"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("an edit (-want +got):\n%s", diff)
	}
	h.settle(t)
}

func TestNotOurs(t *testing.T) {
	t.Parallel()
	now := metav1.Now()
	for name, edit := range map[string]func(*v1alpha1.AKVSync){
		"AnothersName": func(s *v1alpha1.AKVSync) { s.Spec.SecretSyncControllerName = "another" },
		"Deleted":      func(s *v1alpha1.AKVSync) { s.DeletionTimestamp = &now; s.Finalizers = []string{"x/y"} },
		"Gone":         func(s *v1alpha1.AKVSync) { s.Name = "other" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sync := asking(entry("secret a"))
			edit(sync)
			h := newHarness(t, sync)
			if result, writes, err := h.reconcile(t); err != nil || len(writes) > 0 || result != (ctrl.Result{}) {
				t.Errorf("%v, %v, %v", result, writes, err)
			}
		})
	}
}

// TestAnswers has the API server answer one write in every way.
func TestAnswers(t *testing.T) {
	t.Parallel()
	resource := schema.GroupResource{Group: "secret-sync.x-k8s.io", Resource: "secretsyncs"}
	policy := apierrors.NewInvalid(schema.GroupKind{Kind: "SecretSync"}, "a", nil)
	policy.ErrStatus.Message = "ValidatingAdmissionPolicy 'no-syncs' with binding 'b' denied request: no"
	terminating := apierrors.NewForbidden(resource, "a", errors.New("namespace is being terminated"))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	for name, tc := range map[string]struct {
		reason string
		answer error
		again  bool
		fails  bool
		// want is the reason of the row, says what its message holds.
		want, says string
	}{
		"Exists":      {"somebody was faster, or the cache is behind: what it is, the next look tells", apierrors.NewAlreadyExists(resource, "a"), true, false, "Pending", ""},
		"Conflict":    {"it was changed meanwhile", apierrors.NewConflict(resource, "a", errors.New("x")), true, false, "Pending", ""},
		"Gone":        {"it was deleted meanwhile", apierrors.NewNotFound(resource, "a"), true, false, "Pending", ""},
		"Terminating": {"all goes anyway", terminating, false, false, "Pending", ""},
		"Away":        {"an API server that cannot is asked again, and says nothing of the Secret", apierrors.NewInternalError(errors.New("x")), false, true, "Pending", ""},
		"Forbidden":   {"one that does not want is quoted", apierrors.NewForbidden(resource, "a", errors.New("because")), false, true, "UnknownError", "because"},
		"Policy":      {"a policy has a reason of its own", policy, false, true, "ValidatingAdmissionPolicyCheckFailed", "no-syncs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, asking(entries("secret a", "secret b")...))
			h.refuse = func(write string) error {
				if write == "create SecretSync a" {
					return tc.answer
				}
				return nil
			}
			if _, _, err := h.reconcile(t); err != nil {
				t.Fatal(err)
			}
			result, writes, err := h.reconcile(t)
			if again := result.RequeueAfter == time.Second; again != tc.again || (err != nil) != tc.fails {
				t.Errorf("%s: %+v, %v", tc.reason, result, err)
			}
			if !slices.Contains(writes, "create SecretSync b") {
				t.Errorf("%s: the other was not made: %v", tc.reason, writes)
			}
			if row := h.status(t).Objects[0]; row.Reason != tc.want || !strings.Contains(row.Message, tc.says) {
				t.Errorf("%s: the row is %+v", tc.reason, row)
			}
		})
	}
}

func TestARefusedClassConcernsAll(t *testing.T) {
	t.Parallel()
	h := newHarness(t, asking(entries("secret a", "secret A_B")...))
	h.refuse = func(write string) error {
		if write == "create SecretProviderClass all" {
			return apierrors.NewForbidden(schema.GroupResource{}, "all", errors.New("because"))
		}
		return nil
	}
	_, writes, err := h.reconcile(t)
	if diff := cmp.Diff([]string{"create SecretProviderClass all", "patch status of AKVSync all"}, writes); err == nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	rows := h.status(t).Objects
	if rows[0].Reason != "UnknownError" || !strings.Contains(rows[0].Message, "because") || rows[1].Reason != "UserInputValidationFailed" {
		t.Errorf("rows %+v", rows)
	}
}

// TestNothingIsTakenOver puts a foreign object in place after the look at the cache: neither creating, changing nor deleting
// touches it.
func TestNothingIsTakenOver(t *testing.T) {
	t.Parallel()
	h := newHarness(t, asking(entries("secret a", "secret b")...))
	h.settle(t)
	sync := &v1alpha1.SecretSync{}
	h.get(t, "a", sync)
	stale := *sync.DeepCopy()
	sync.OwnerReferences, sync.Spec.ServiceAccountName = nil, "theirs"
	if err := h.client.Update(t.Context(), sync); err != nil {
		t.Fatal(err)
	}
	edited := stale.DeepCopy()
	edited.Spec.ServiceAccountName = "ours"
	for name, p := range map[string]plan{
		"create": {secrets: []secret{{}}, changes: []change{{to: &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "a"}}}}},
		"change": {secrets: []secret{{}}, changes: []change{{from: &stale, to: edited}}},
		"remove": {removals: []*v1alpha1.SecretSync{&stale}},
	} {
		if again, err := h.act(t.Context(), &p); err != nil || !again {
			t.Errorf("%s: again %v, %v", name, again, err)
		}
		h.get(t, "a", sync)
		if sync.Spec.ServiceAccountName != "theirs" {
			t.Errorf("%s: it was taken over", name)
		}
	}
}

func TestAStatusThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		answer error
		fails  bool
	}{
		"Away": {"is written later, and there is no event yet", apierrors.NewInternalError(errors.New("x")), true},
		"Gone": {"is not missed where the AKVSync is gone", apierrors.NewNotFound(schema.GroupResource{}, "all"), false},
		"Old":  {"is dropped where the AKVSync is not the newest any more", apierrors.NewConflict(schema.GroupResource{}, "all", errors.New("x")), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, asking(entry("secret A")))
			h.refuse = func(string) error { return tc.answer }
			if _, _, err := h.reconcile(t); (err != nil) != tc.fails || len(h.events.Events) > 0 {
				t.Errorf("%s: %v, %d events", tc.reason, err, len(h.events.Events))
			}
		})
	}
}

func TestACacheThatFails(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]interceptor.Funcs{
		"Class": {Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, o ...client.GetOption) error {
			if _, isClass := object.(*spcv1.SecretProviderClass); isClass {
				return errors.New("broken")
			}
			return c.Get(ctx, key, object, o...)
		}},
		"SecretSyncs": {List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
			return errors.New("broken")
		}},
		"AKVSync": {Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return errors.New("broken")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, asking(entry("secret a")))
			h.Client = interceptor.NewClient(h.client, broken)
			if _, writes, err := h.reconcile(t); err == nil || len(writes) > 0 {
				t.Errorf("%v, %v", writes, err)
			}
		})
	}
}

// TestAnOldStatusIsNotBuiltUpon has the cache show the AKVSync as it was before the latest status: nothing is written over that,
// and nothing is told twice.
func TestAnOldStatusIsNotBuiltUpon(t *testing.T) {
	t.Parallel()
	h := newHarness(t, asking(entry("secret A")))
	old := &v1alpha1.AKVSync{}
	h.get(t, "all", old)
	h.settle(t)
	if len(h.events.Events) != 1 {
		t.Fatalf("%d events", len(h.events.Events))
	}
	before := h.status(t)
	in, err := gather(t.Context(), h.client, old)
	if err != nil {
		t.Fatal(err)
	}
	p := decide(in)
	p.secrets[0].problem = nil
	if err := h.report(t.Context(), in, p); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, h.status(t)); diff != "" || len(h.events.Events) != 1 {
		t.Errorf("%d events, -before +after:\n%s", len(h.events.Events), diff)
	}
}
