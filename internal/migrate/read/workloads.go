package read

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"secretstore/internal/migrate/model"
)

// workload is a kind of Kubernetes' own that is read whole.
type workload struct {
	group, resource string
	client          rest.Interface
	list            func() runtime.Object
	// selector limits it by labels.
	selector string
	// clusterScoped says that it has no namespace.
	clusterScoped bool
}

// workloads are the kinds of Kubernetes' own that are read, pods first.
func (c *cluster) workloads() []workload {
	selector := c.options.Selector
	core, apps, batch := c.typed.CoreV1().RESTClient(), c.typed.AppsV1().RESTClient(), c.typed.BatchV1().RESTClient()
	networking, policy := c.typed.NetworkingV1().RESTClient(), c.typed.PolicyV1().RESTClient()
	return []workload{
		{"", "pods", core, func() runtime.Object { return &corev1.PodList{} }, "", false},
		{"", "replicationcontrollers", core, func() runtime.Object { return &corev1.ReplicationControllerList{} }, selector, false},
		{"", "serviceaccounts", core, func() runtime.Object { return &corev1.ServiceAccountList{} }, "", false},
		{"apps", "deployments", apps, func() runtime.Object { return &appsv1.DeploymentList{} }, selector, false},
		{"apps", "statefulsets", apps, func() runtime.Object { return &appsv1.StatefulSetList{} }, selector, false},
		{"apps", "daemonsets", apps, func() runtime.Object { return &appsv1.DaemonSetList{} }, selector, false},
		{"apps", "replicasets", apps, func() runtime.Object { return &appsv1.ReplicaSetList{} }, "", false},
		{"batch", "cronjobs", batch, func() runtime.Object { return &batchv1.CronJobList{} }, selector, false},
		{"batch", "jobs", batch, func() runtime.Object { return &batchv1.JobList{} }, "", false},
		{"networking.k8s.io", "ingresses", networking, func() runtime.Object { return &networkingv1.IngressList{} }, "", false},
		{"policy", "poddisruptionbudgets", policy, func() runtime.Object { return &policyv1.PodDisruptionBudgetList{} }, "", false},
		{
			"storage.k8s.io", "csidrivers", c.typed.StorageV1().RESTClient(),
			func() runtime.Object { return &storagev1.CSIDriverList{} }, "", true,
		},
	}
}

// readPods reads the pods, and keeps of each page those that matter.
func (c *cluster) readPods(ctx context.Context) error {
	return c.readTyped(ctx, c.workloads()[0], func(o runtime.Object) error {
		p, ok := o.(*corev1.Pod)
		if !ok || !c.matters(p) {
			return nil
		}
		return c.addPod(p)
	})
}

// readWorkloads reads everything else of Kubernetes' own.
func (c *cluster) readWorkloads(ctx context.Context) error {
	for _, w := range c.workloads()[1:] {
		if err := c.readTyped(ctx, w, c.addWorkload); err != nil {
			return err
		}
	}
	return nil
}

// readTyped reads the pages of a kind of Kubernetes' own.
func (c *cluster) readTyped(ctx context.Context, w workload, each func(runtime.Object) error) error {
	fetch := func(ctx context.Context, namespace string, o metav1.ListOptions) (metav1.ListInterface, int, error) {
		list := w.list()
		err := w.client.Get().NamespaceIfScoped(namespace, namespace != "").Resource(w.resource).
			VersionedParams(&o, scheme.ParameterCodec).Do(ctx).Into(list)
		if err != nil {
			return nil, 0, err
		}
		if err := meta.EachListItem(list, each); err != nil {
			return nil, 0, err
		}
		next, err := meta.ListAccessor(list)
		return next, meta.LenList(list), err
	}
	o := metav1.ListOptions{LabelSelector: w.selector}
	return c.pages(ctx, rule{group: w.group, resource: w.resource}, !w.clusterScoped, o, fetch)
}

// addWorkload keeps an object whole, but for the template of one whose pods have nothing to do with the driver: of that what
// runs in it and the Secrets that it uses. Of a ReplicaSet or a Job that something else owns it keeps only who owns
// it, and that only if it owns a pod that
// is kept.
func (c *cluster) addWorkload(o runtime.Object) error {
	object, err := meta.Accessor(o)
	if err != nil {
		return err
	}
	between := false
	switch o.(type) {
	case *appsv1.ReplicaSet, *batchv1.Job:
		between = metav1.GetControllerOf(object) != nil
	}
	if between && !c.owners[object.GetUID()] {
		return nil
	}
	if spec := podSpec(o); spec != nil && !c.usesAny(object.GetNamespace(), spec) {
		leaveEssence(spec)
	}
	content, err := contentOf(o)
	if err != nil {
		return err
	}
	c.known[object.GetUID()] = object.GetOwnerReferences()
	if between {
		content = map[string]any{"apiVersion": content["apiVersion"], "kind": content["kind"], "metadata": content["metadata"]}
	}
	c.noteCredentials(c.add(content))
	return nil
}

// podSpec is the spec in an object's pod template; nil if it has none, or if it may be part of the driver or its provider,
// whose DaemonSets say by their volumes and arguments how they are set up.
func podSpec(o runtime.Object) *corev1.PodSpec {
	switch w := o.(type) {
	case *appsv1.Deployment:
		return &w.Spec.Template.Spec
	case *appsv1.StatefulSet:
		return &w.Spec.Template.Spec
	case *appsv1.ReplicaSet:
		return &w.Spec.Template.Spec
	case *batchv1.Job:
		return &w.Spec.Template.Spec
	case *batchv1.CronJob:
		return &w.Spec.JobTemplate.Spec.Template.Spec
	}
	return nil
}

// contentOf turns an object of Kubernetes' own into what the API server would write as JSON, without what no stage needs.
func contentOf(o runtime.Object) (map[string]any, error) {
	gvks, _, err := scheme.Scheme.ObjectKinds(o)
	if err != nil {
		return nil, err
	}
	o.GetObjectKind().SetGroupVersionKind(gvks[0])
	object, err := meta.Accessor(o)
	if err != nil {
		return nil, err
	}
	object.SetManagedFields(deployers(object.GetManagedFields()))
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, err
	}
	trim(content, gvks[0].GroupKind())
	return content, nil
}

// trim takes off what no stage needs: nulls, and status but for that of Jobs (whether they run), of mounted classes and of pods.
func trim(content map[string]any, kind schema.GroupKind) {
	dropNulls(content)
	switch kind.Kind {
	case "Job", "SecretProviderClassPodStatus", "Pod", "SecretSync", "AKVSync":
	default:
		delete(content, "status")
	}
}

// dropNulls removes the fields that are null, which mean nothing to the API server.
func dropNulls(value any) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			dropNulls(item)
		}
	case map[string]any:
		for key, field := range v {
			if field == nil {
				delete(v, key)
			}
			dropNulls(field)
		}
	}
}

// noteCredentials remembers the Secrets that an object's volumes name as nodePublishSecretRef.
func (c *cluster) noteCredentials(o model.Object) {
	walkVolumes(o.Content, func(csi map[string]any) {
		if name := text(csi, "nodePublishSecretRef", "name"); name != "" {
			c.credentials[o.Namespace+"/"+name] = true
		}
	})
}

// walkVolumes calls each for the CSI source of every volume of the driver, wherever in value it is.
func walkVolumes(value any, each func(csi map[string]any)) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			walkVolumes(item, each)
		}
	case map[string]any:
		if v["driver"] == model.Driver {
			each(v)
		}
		for _, field := range v {
			walkVolumes(field, each)
		}
	}
}
