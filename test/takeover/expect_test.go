package takeover_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	csi "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
	"secretstore/test/rig"
)

// given is what a class gave on the old way.
type given struct {
	files   map[string][]byte
	secrets []*corev1.Secret
}

// oldWay reads what each class gives, before anything is changed.
func (w *world) oldWay(except ...string) map[client.ObjectKey]given {
	w.t.Helper()
	all := map[client.ObjectKey]given{}
	var classes csi.SecretProviderClassList
	w.list(&classes)
	for i := range classes.Items {
		class := &classes.Items[i]
		key := client.ObjectKeyFromObject(class)
		if class.Spec.Provider != "azure" || slices.Contains(except, key.String()) {
			continue
		}
		files, secrets, err := w.Driver.Gives(w.t.Context(), class, rig.Operator(tenant))
		if err != nil {
			w.t.Fatal(err)
		}
		all[key] = given{files, secrets}
	}
	return all
}

// list lists all objects of a kind.
func (w *world) list(into client.ObjectList, options ...client.ListOption) {
	w.t.Helper()
	if err := w.Client.List(w.t.Context(), into, options...); err != nil && !meta.IsNoMatchError(err) { // it has none of that kind
		w.t.Fatal(err)
	}
}

// expectAccounts: what was found at first is what was planned for, and every object of it has its fate; none is lost.
func (w *world) expectAccounts(planned, done ended) {
	w.t.Helper()
	sum := 0
	for _, n := range done.Fates {
		sum += n
	}
	if done.Found == 0 || done.Found != sum || done.Found != planned.Counts.Total || done.Fates["lost"] != 0 {
		w.t.Errorf("found %d, planned for %d, and became of them %v", done.Found, planned.Counts.Total, done.Fates)
	}
}

// expectContents: every Secret that a class made is there with the same type and bytes, and belongs to its SecretSync; and every
// SecretSync has what the class gave.
func (w *world) expectContents(gives map[client.ObjectKey]given) {
	w.t.Helper()
	for class, g := range gives {
		for _, want := range g.secrets {
			got := &corev1.Secret{}
			if err := w.Client.Get(w.t.Context(), client.ObjectKeyFromObject(want), got); err != nil {
				w.t.Errorf("of class %s: %v", class, err)
				continue
			}
			if got.Type != want.Type || !cmp.Equal(got.Data, want.Data) {
				w.t.Errorf("Secret %s/%s of class %s is not what the vault has", got.Namespace, got.Name, class)
			}
		}
	}
	var syncs v1alpha1.SecretSyncList
	w.list(&syncs)
	if len(syncs.Items) < len(gives) {
		w.t.Errorf("%d SecretSyncs for %d classes", len(syncs.Items), len(gives))
	}
	covered := map[client.ObjectKey]int{}
	for i := range syncs.Items {
		covered[w.expectSync(&syncs.Items[i], gives)]++
	}
	for class := range gives {
		if covered[class] == 0 {
			w.t.Errorf("nothing is made of class %s any more", class)
		}
	}
}

// expectSync: a sync's Secret is its own, and holds what the old class gave. It returns that class.
func (w *world) expectSync(sync *v1alpha1.SecretSync, gives map[client.ObjectKey]given) client.ObjectKey {
	w.t.Helper()
	class := client.ObjectKey{
		Namespace: sync.Namespace, Name: regexp.MustCompile("-sse(-2)?$").ReplaceAllString(sync.Spec.SecretProviderClassName, ""),
	}
	secret := &corev1.Secret{}
	if err := w.Client.Get(w.t.Context(), client.ObjectKeyFromObject(sync), secret); err != nil {
		w.t.Error(err)
		return class
	}
	for _, owner := range secret.OwnerReferences {
		if owner.UID != sync.UID {
			w.t.Errorf("Secret %s/%s belongs to %s %s", secret.Namespace, secret.Name, owner.Kind, owner.Name)
		}
	}
	if len(secret.OwnerReferences) == 0 || secret.Labels["secrets-store.csi.k8s.io/managed"] != "" {
		w.t.Errorf("Secret %s/%s is not handed over", secret.Namespace, secret.Name)
	}
	if secret.Type != corev1.SecretTypeOpaque {
		return class // its content was compared with the old one
	}
	for _, item := range sync.Spec.SecretObject.Data {
		if want, is := gives[class].files[item.SourcePath]; !is || !cmp.Equal(want, secret.Data[item.TargetKey]) {
			w.t.Errorf("key %s of Secret %s/%s is not what the vault has", item.TargetKey, secret.Namespace, secret.Name)
		}
	}
	return class
}

// kindsWithPods are all that may have a volume of the driver.
func kindsWithPods() []client.ObjectList {
	return []client.ObjectList{
		&appsv1.DeploymentList{}, &appsv1.StatefulSetList{}, &appsv1.DaemonSetList{}, &batchv1.CronJobList{}, &batchv1.JobList{},
		&corev1.PodList{},
	}
}

// expectNothingOld: no workload mounts the driver, unless it is over; the extension, the old principal's rights and credentials and
// the old classes are gone, except some.
func (w *world) expectNothingOld(except ...string) {
	w.t.Helper()
	for _, list := range kindsWithPods() {
		w.list(list)
		w.each(list, func(o client.Object) {
			if strings.Contains(w.text(o), `"driver":"secrets-store.csi.k8s.io"`) && !isOver(o) {
				w.t.Errorf("%T %s/%s still has a volume of the driver", o, o.GetNamespace(), o.GetName())
			}
		})
	}
	if there, err := w.HasExtension(w.t.Context()); err != nil || there {
		w.t.Errorf("the extension is there: %t, %v", there, err)
	}
	if rights := w.rightsOf(oldPrincipal); len(rights) > 0 {
		w.t.Errorf("the old principal still has %v", rights)
	}
	var classes csi.SecretProviderClassList
	w.list(&classes)
	for _, class := range classes.Items {
		if class.Spec.Parameters["clientID"] == "" && !slices.Contains(except, client.ObjectKeyFromObject(&class).String()) {
			w.t.Errorf("the old class %s/%s is there", class.Namespace, class.Name)
		}
	}
	var secrets corev1.SecretList
	w.list(&secrets)
	for _, secret := range secrets.Items {
		if _, is := secret.Data["clientsecret"]; is {
			w.t.Errorf("the credentials %s/%s are there", secret.Namespace, secret.Name)
		}
	}
}

// isOver tells a Job that has ended, and a pod that has.
func isOver(o client.Object) bool {
	switch o := o.(type) {
	case *batchv1.Job:
		return o.Status.CompletionTime != nil
	case *corev1.Pod:
		return o.Status.Phase == corev1.PodSucceeded
	}
	return false
}

// each calls act for every object of a list.
func (w *world) each(list client.ObjectList, act func(client.Object)) {
	w.t.Helper()
	err := meta.EachListItem(list, func(o runtime.Object) error {
		act(o.(client.Object))
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// text is an object as JSON.
func (w *world) text(o any) string {
	w.t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// values finds values of secrets, all of which say canary, also in base64, private keys, and tokens.
func values() *regexp.Regexp {
	coded := make([]string, 0, 3)
	for _, before := range []string{"", "x", "xx"} {
		text := base64.StdEncoding.EncodeToString([]byte(before + "canary-"))
		coded = append(coded, regexp.QuoteMeta(text[4*min(1, len(before)):len(text)-4]))
	}
	return regexp.MustCompile(`canary-|PRIVATE KEY|eyJ[-_A-Za-z0-9]+\.eyJ[-_A-Za-z0-9]+\.|` + strings.Join(coded, "|"))
}

// expectNoValueShown: neither what the program said and keeps, nor what the cluster shows of it, has a value.
func (w *world) expectNoValueShown() {
	w.t.Helper()
	shown := map[string]string{"the output": w.output.String()}
	err := filepath.WalkDir(w.state, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			w.t.Errorf("%s may be read by others: %v, %v", path, info.Mode(), err)
		}
		if entry.IsDir() {
			return nil
		}
		content, err := os.ReadFile(path) //nolint:gosec // the test's own folder
		shown[path] = string(content)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	lists := append(kindsWithPods(), &corev1.EventList{}, &csi.SecretProviderClassList{}, &v1alpha1.SecretSyncList{}, &corev1.SecretList{},
		&coordinationv1.LeaseList{}, &corev1.ConfigMapList{}, &corev1.ServiceAccountList{})
	for _, list := range lists {
		w.list(list)
		w.each(list, func(o client.Object) {
			if secret, is := o.(*corev1.Secret); is {
				secret.Data = nil
			}
			shown[o.GetNamespace()+"/"+o.GetName()] += w.text(o)
		})
	}
	value := values()
	for what, text := range shown {
		if at := value.FindStringIndex(text); at != nil {
			w.t.Errorf("%s shows a value: …%s…", what, text[max(0, at[0]-100):min(len(text), at[1]+20)])
		}
	}
}

// pruneWhatIsOver lets go what the driver's Secrets would have gone with: ReplicaSets of before, and Jobs that have ended. After that
// nothing says any more that something is mounted.
func (w *world) pruneWhatIsOver() {
	w.t.Helper()
	var sets appsv1.ReplicaSetList
	w.list(&sets)
	var jobs batchv1.JobList
	w.list(&jobs)
	var gone []client.Object
	for i := range sets.Items {
		if *sets.Items[i].Spec.Replicas == 0 {
			gone = append(gone, &sets.Items[i])
		}
	}
	for i := range jobs.Items {
		if isOver(&jobs.Items[i]) {
			gone = append(gone, &jobs.Items[i])
		}
	}
	for _, o := range gone {
		if err := w.Client.Delete(w.t.Context(), o, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
			w.t.Fatal(err)
		}
	}
	// Pods of the Jobs go by the same collector that Secrets would go by.
	cluster.Eventually(w.t, patience, func() error {
		var pods corev1.PodList
		if err := w.Client.List(w.t.Context(), &pods); err != nil {
			return err
		}
		for _, pod := range pods.Items {
			if isOver(&pod) {
				return stillError(pod.Name)
			}
		}
		var statuses csi.SecretProviderClassPodStatusList
		err := w.Client.List(w.t.Context(), &statuses)
		if len(statuses.Items) > 0 {
			return stillError(statuses.Items[0].Name)
		}
		return err
	})
}

type stillError string

func (e stillError) Error() string { return string(e) + " is still there" }

func TestValuesAreFound(t *testing.T) {
	for _, before := range []string{"", "a", "ab", "abc"} {
		text := base64.StdEncoding.EncodeToString([]byte(before + "canary-kv-thing"))
		if !values().MatchString(text) {
			t.Errorf("%s is not found in %s", before+"canary-kv-thing", text)
		}
	}
}
