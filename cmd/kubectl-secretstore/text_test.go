package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
)

func ago(d time.Duration) *metav1.Time { return new(metav1.NewTime(noon.Add(-d))) }

func TestTable(t *testing.T) {
	t.Parallel()
	items := []entry{
		{
			Namespace: "shop", Name: "app", Health: healthy, Ready: "True", Status: "Synced", Since: ago(time.Hour),
			LastSuccessfulSyncTime: ago(5 * time.Minute), LastCheckTime: ago(5 * time.Minute), SecretProviderClassName: "vault", ServiceAccountName: "web",
		},
		{
			Namespace: "shop-test", Name: "a-long-name", Health: failing, Ready: "False", Status: "ProviderError", Since: ago(50 * time.Hour),
			LastCheckTime: ago(time.Second), SecretProviderClassName: "v", ServiceAccountName: "w",
		},
	}
	for name, tc := range map[string]struct {
		reason string
		view   textView
		want   string
	}{
		"Plain": {"the columns that one looks at every day", textView{}, `
NAME          READY   STATUS          FAILING SINCE   LAST SYNC
app           True    Synced          -               5m
a-long-name   False   ProviderError   2d2h            never
`},
		"Namespaces": {"with -A each says where it is", textView{namespaces: true}, `
NAMESPACE   NAME          READY   STATUS          FAILING SINCE   LAST SYNC
shop        app           True    Synced          -               5m
shop-test   a-long-name   False   ProviderError   2d2h            never
`},
		"Wide": {"with -o wide what it is made of", textView{namespaces: true, wide: true}, `
NAMESPACE   NAME          READY   STATUS          FAILING SINCE   LAST SYNC   LAST CHECK   CLASS   SERVICE ACCOUNT
shop        app           True    Synced          -               5m          5m           vault   web
shop-test   a-long-name   False   ProviderError   2d2h            never       1s           v       w
`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.view.now = noon
			if diff := cmp.Diff(tc.want[1:], tc.view.table(items)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		entry  entry
		want   string
	}{
		"Message": {
			"the message stands in full, however long",
			entry{Health: failing, Reason: "ProviderError", Since: ago(time.Hour), Message: strings.Repeat("long ", 300) + "end\nsecond line"},
			"shop/app: ProviderError for 60m\n  " + strings.Repeat("long ", 300) + "end\n  second line\n",
		},
		"Items": {
			"items stand in columns, each on its line",
			entry{Health: failing, Reason: "PartialSync", Since: ago(time.Hour), Items: []outcome.Item{
				{SourcePath: "a", TargetKey: "user", State: "updated"},
				{SourcePath: "password", TargetKey: "p", State: "kept", Error: "no such\nsecret"},
				{State: "3 more items"},
			}},
			"shop/app: PartialSync for 60m\n  updated   a -> user\n  kept      password -> p   no such secret\n  3 more items\n",
		},
		"Unchecked": {
			"what is not checked has no reason; what to look at is said",
			entry{Health: unchecked},
			"shop/app: not checked yet\n  if that lasts, see that the controller runs\n",
		},
		"OtherController": {
			"unless it is another controller's",
			entry{Health: unchecked, ControllerName: "blue"},
			"shop/app: not checked yet\n  spec.secretSyncControllerName leaves it to the controller that runs as \"blue\": see that one does\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.entry.Namespace, tc.entry.Name = "shop", "app"
			if diff := cmp.Diff(tc.want, textView{now: noon, namespaces: true}.trouble(tc.entry)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestSummaryAddsUp: the line at the end accounts for each row above it, and each that is not healthy is explained once.
func TestSummaryAddsUp(t *testing.T) {
	t.Parallel()
	var found []v1alpha1.SecretSync
	for i, sync := range many("shop", 30) {
		switch i % 3 {
		case 0:
			sync.Status.Conditions = []metav1.Condition{condition("Create", "True", "CreateSucceeded", "m", noon)}
		case 1:
			sync.Status.Conditions = []metav1.Condition{condition("Create", "False", "ProviderError", "m", noon)}
		}
		found = append(found, sync)
	}
	text := textView{now: noon}.report(reportOf(found))
	if !strings.HasSuffix(text, "\n30 SecretSyncs: 10 healthy, 10 failing, 10 not checked yet\n") {
		t.Errorf("the end is %q", text[len(text)-80:])
	}
	if got := strings.Count(text, "ProviderError for 0s"); got != 10 {
		t.Errorf("%d failures are explained, want 10", got)
	}
	if got := strings.Count(text, ": not checked yet\n"); got != 10 {
		t.Errorf("%d are said not to be checked, want 10", got)
	}
}
