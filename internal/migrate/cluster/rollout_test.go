package cluster_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/internal/migrate/model"
)

// workload is a manifest of a kind with a template that mounts nothing.
func workload(kind, more string) string {
	version := map[string]string{"Job": "batch/v1", "CronJob": "batch/v1", "ReplicationController": "v1", "Pod": "v1"}[kind]
	if version == "" {
		version = "apps/v1"
	}
	const spec = "containers: [{name: c, image: c}]"
	template := "{metadata: {labels: {app: w}}, spec: {" + spec + "}}"
	head := "{apiVersion: " + version + ", kind: " + kind + ", metadata: {namespace: NAMESPACE, name: w}, spec: {"
	switch kind {
	case "Pod":
		return head + spec + "}}"
	case "Job":
		return head + more + "template: {spec: {restartPolicy: Never, " + spec + "}}}}"
	case "CronJob":
		return head + "schedule: '@daily', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, " + spec + "}}}}}}"
	case "ReplicationController":
		return head + more + "selector: {app: w}, template: " + template + "}}"
	case "StatefulSet":
		more += "serviceName: w, "
	}
	return head + more + "selector: {matchLabels: {app: w}}, template: " + template + "}}"
}

// TestGateRollout gives workloads the statuses that their controllers would.
func TestGateRollout(t *testing.T) {
	t.Parallel()
	const open, waits, stuck = "open", "waits", "stuck"
	tests := map[string]struct {
		kind, more, status string
		want, says         string
	}{
		"DeploymentUnseen": {"Deployment", "", `{}`, waits, "has not seen the change"},
		"DeploymentOld": {
			"Deployment", "replicas: 3, ", `{"observedGeneration":1,"replicas":4,"updatedReplicas":2,"availableReplicas":4,"readyReplicas":4}`,
			waits, "2 of 3 replicas are new, 2 old ones are left, 4 are available",
		},
		"DeploymentUnavailable": {
			"Deployment", "replicas: 3, ", `{"observedGeneration":1,"replicas":3,"updatedReplicas":3,"availableReplicas":2,"readyReplicas":2}`,
			waits, "2 are available",
		},
		"DeploymentDone": {
			"Deployment", "replicas: 3, ", `{"observedGeneration":1,"replicas":3,"updatedReplicas":3,"availableReplicas":3,"readyReplicas":3}`,
			open, "",
		},
		"DeploymentNone": {"Deployment", "replicas: 0, ", `{"observedGeneration":1}`, open, ""},
		"DeploymentLate": {
			"Deployment", "", `{"observedGeneration":1,"replicas":1,"conditions":[{"type":"Progressing","status":"False",` +
				`"reason":"ProgressDeadlineExceeded"}]}`, stuck, "progress deadline",
		},
		"DeploymentPaused": {
			"Deployment", "paused: true, ", `{"observedGeneration":1,"replicas":1,"readyReplicas":1,"availableReplicas":1}`, stuck,
			"rollout resume deployment/w",
		},
		"StatefulSetOld": {
			"StatefulSet", "replicas: 2, ", `{"observedGeneration":1,"replicas":2,"readyReplicas":2,"availableReplicas":2,` +
				`"updatedReplicas":1,"currentRevision":"a","updateRevision":"b"}`, waits, "1 of 2 replicas are new",
		},
		"StatefulSetDone": {
			"StatefulSet", "replicas: 2, ", `{"observedGeneration":1,"replicas":2,"readyReplicas":2,"availableReplicas":2,` +
				`"currentRevision":"b","updateRevision":"b"}`, open, "",
		},
		"StatefulSetPartition": {
			"StatefulSet", "replicas: 2, updateStrategy: {rollingUpdate: {partition: 1}}, ",
			`{"observedGeneration":1,"replicas":2,"readyReplicas":2,"availableReplicas":2,"updatedReplicas":1,` +
				`"currentRevision":"a","updateRevision":"b"}`, open, "",
		},
		"StatefulSetOnDelete": {
			"StatefulSet", "replicas: 2, updateStrategy: {type: OnDelete}, ",
			`{"observedGeneration":1,"replicas":2,"readyReplicas":2,"availableReplicas":2,"updatedReplicas":1,` +
				`"currentRevision":"a","updateRevision":"b"}`, stuck, "OnDelete",
		},
		"DaemonSetOld": {
			"DaemonSet", "", `{"observedGeneration":1,"desiredNumberScheduled":2,"currentNumberScheduled":2,"numberMisscheduled":0,` +
				`"numberReady":2,"numberAvailable":2,"updatedNumberScheduled":1}`, waits, "1 of 2 pods are new",
		},
		"DaemonSetOnDelete": {
			"DaemonSet", "updateStrategy: {type: OnDelete}, ", `{"observedGeneration":1,"desiredNumberScheduled":2,` +
				`"currentNumberScheduled":2,"numberMisscheduled":0,"numberReady":2,"numberAvailable":2}`, stuck, "OnDelete",
		},
		"DaemonSetDone": {
			"DaemonSet", "", `{"observedGeneration":1,"desiredNumberScheduled":2,"currentNumberScheduled":2,"numberMisscheduled":0,` +
				`"numberReady":2,"numberAvailable":2,"updatedNumberScheduled":2}`, open, "",
		},
		"ReplicaSetWaits": {"ReplicaSet", "replicas: 1, ", `{"observedGeneration":1,"replicas":1}`, waits, "0 of 1"},
		"ReplicationControllerDone": {
			"ReplicationController", "replicas: 1, ", `{"observedGeneration":1,"replicas":1,"readyReplicas":1,"availableReplicas":1}`, open, "",
		},
		"PodPending": {"Pod", "", `{"phase":"Pending"}`, waits, "Pending"},
		"PodFailed":  {"Pod", "", `{"phase":"Failed"}`, stuck, "failed"},
		"PodReady":   {"Pod", "", `{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}`, open, ""},
		"JobStarts":  {"Job", "", `{"active":1,"ready":0}`, waits, "0 of 1"},
		"JobRuns":    {"Job", "", `{"active":1,"ready":1}`, open, ""},
		"JobWaits":   {"Job", "suspend: true, ", `{}`, open, ""},
		"JobFailed": {
			"Job", "", `{"startTime":"2026-01-01T00:00:00Z","conditions":[{"type":"FailureTarget","status":"True",` +
				`"lastTransitionTime":"2026-01-01T00:00:00Z"},{"type":"Failed","status":"True",` +
				`"lastTransitionTime":"2026-01-01T00:00:00Z"}]}`, stuck, "failed",
		},
		"CronJob": {"CronJob", "", `{}`, open, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			g := model.Gate{Kind: model.GateRollout, Objects: []model.Ref{f.ref(tc.kind, "w")}}
			f.closed(t, g, false, "is not there")
			f.apply(t, workload(tc.kind, tc.more))
			f.status(t, f.ref(tc.kind, "w"), tc.status)
			if tc.want == open {
				f.opens(t, g)
				return
			}
			f.closed(t, g, tc.want == waits, tc.says)
		})
	}
}

// A ReplicaSet is available with pods of its old template: somebody has to delete them.
func TestGateRolloutOfKeeper(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.apply(t, workload("ReplicaSet", "replicas: 1, "))
	ref := f.ref("ReplicaSet", "w")
	f.status(t, ref, `{"observedGeneration":1,"replicas":1,"readyReplicas":1,"availableReplicas":1}`)
	g := model.Gate{Kind: model.GateRollout, Objects: []model.Ref{ref}}
	f.opens(t, g)
	set, err := f.typed.AppsV1().ReplicaSets(f.namespace).Get(t.Context(), "w", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "w-1", OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "c", Image: "c"}},
			Volumes: []corev1.Volume{{Name: "s", VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{
				Driver: model.Driver, VolumeAttributes: map[string]string{"secretProviderClass": "app"},
			}}}},
		},
	}
	if _, err := f.typed.CoreV1().Pods(f.namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.closed(t, g, false, "pod w-1", "delete it")
}
