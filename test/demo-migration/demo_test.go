package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestFolded(t *testing.T) {
	cases := map[string]struct {
		reason     string
		said, want []string
	}{
		"a long row": {
			"the first ones stand for all",
			[]string{"  made     a", "  made     b", "  made     c", "  made     d", "           of d", "  made     e", ""},
			[]string{"  made     a", "  made     b", "  made     c", "           … 2 more made", ""},
		},
		"rows of two outcomes": {
			"each is counted by itself",
			[]string{"  made     a", "  passed   b", "           it is open", "  passed   c", "           c is read", "  made     d"},
			[]string{"  made     a", "  passed   b", "  passed   c", "           c is read", "  made     d"},
		},
		"what needs somebody": {
			"is never folded",
			[]string{"  left     a", "  left     b", "  left     c", "  left     d"},
			[]string{"  left     a", "  left     b", "  left     c", "  left     d"},
		},
		"the next stage": {
			"a row ends with it",
			[]string{"  made     a", "  made     b", "  made     c", "", "Stage verify", "  made     d", "end"},
			[]string{"  made     a", "  made     b", "  made     c", "", "Stage verify", "  made     d", "end"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			f := &folded{show: func(line string) { got = append(got, line) }}
			text := strings.Join(c.said, "\n") + "\n"
			for _, part := range []string{text[:5], text[5:]} { // as a pipe gives it
				if _, err := f.Write([]byte(part)); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestShortened(t *testing.T) {
	plan := `Read  the cluster

M202 needs-decision: Values
  -> ` + strings.Repeat("long ", 40) + `

M601 info: Who
  x

M602 info: What
  y

Decisions (answer them in plan.yaml)
  M202/etcd

Stage prepare
   1. One.
      $ a command
   2. Two.
   3. Three.

59 found = 59 translated`
	want := `Read  the cluster

M202 needs-decision: Values
  -> ` + strings.Repeat("long ", 40)[:134] + `…

… 2 findings that only inform

Stage prepare
   1. One.
   2. Two.
      … 1 more steps

59 found = 59 translated`
	if diff := cmp.Diff(want, shortened(plan)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnswersAreWrittenWhereTheQuestionsAre(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.yaml")
	const asked = `# Explained.
version: 1
decisions:
  # Is that acceptable?
  - id: M202/etcd
    answer: stop
    decided: false
  - id: M410/another
    answer: "3"
  - id: M517/shop-tools/console/Pod
    answer: manifest
`
	if err := os.WriteFile(path, []byte(asked), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeAnswers(path); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("  - ", "- ", "    ", "  ", "  #", "#").Replace(asked)
	want = strings.NewReplacer("stop", "accept", "false", "true", "manifest", "recreate").Replace(want)
	squeezed := strings.NewReplacer("    - ", "- ", "      ", "  ", "    #", "#").Replace(string(got))
	if diff := cmp.Diff(want, squeezed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.WriteFile(path, []byte("decisions: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeAnswers(path); err == nil || !strings.Contains(err.Error(), "M202/etcd") {
		t.Errorf("a plan that asks something else gives %v", err)
	}
}

func TestWhereWorkloadsTakeSecretsFrom(t *testing.T) {
	spec := corev1.PodSpec{
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
		Containers: []corev1.Container{{
			Env: []corev1.EnvVar{{ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "key"},
			}}}, {Name: "PLAIN"}},
			EnvFrom: []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "all"},
			}}},
		}},
		Volumes: []corev1.Volume{
			{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "files"}}},
			{VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "part"}}},
			}}}},
			{VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}
	pod := &corev1.Pod{Spec: spec}
	pod.Namespace, pod.Name = "shop-web", "p"
	want := workload{
		name: "Pod p", space: "shop-web", mounts: []string{"Secret files", "Secret part"}, reads: []string{"all", "key", "pull"},
	}
	if diff := cmp.Diff(want, workloadOf(pod), cmp.AllowUnexported(workload{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{
		VolumeAttributes: map[string]string{"secretProviderClass": "c"},
	}}})
	if w := workloadOf(pod); !w.old || w.mounts[2] != "class c" {
		t.Errorf("with a volume of the driver: %v", w)
	}
	pod.Status.Phase = corev1.PodSucceeded
	if w := workloadOf(pod); w.old || w.name != "Pod p (has ended)" {
		t.Errorf("when it has ended: %v", w)
	}
}
