package integration

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"secretstore/api/secretsync/v1alpha1"
)

// TestNothingCrossesANamespace has a namespace try to use what is another's: its class, its service account, its identity.
//
//covers:field SecretSync.spec.secretProviderClassName SecretSync.spec.serviceAccountName
//covers:fault namespace-crossed
func TestNothingCrossesANamespace(t *testing.T) {
	t.Parallel()
	theirs, ours := newEnv(t), newEnv(t)
	theirs.synced(t) // so that their token is held
	theirs.create(t, theirs.class("theirs", "secret plain"))
	theirs.create(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: theirs.Namespace(), Name: "theirs"}})
	asked := theirs.requests(t)

	borrowed := ours.class("borrowed", "secret plain")
	borrowed.Spec.Parameters["clientID"], borrowed.Spec.Parameters["keyvaultName"] = theirs.ClientID(), theirs.Vault()
	ours.create(t, ours.class("vault", "secret plain"), borrowed)
	class, account := ours.sync("class", "theirs", "plain=k"), ours.sync("account", "vault", "plain=k")
	account.Spec.ServiceAccountName = "theirs"
	identity := ours.sync("identity", "borrowed", "plain=k")
	for s, reason := range map[*v1alpha1.SecretSync]string{
		class: v1alpha1.ReasonControllerSpcError, account: v1alpha1.ReasonUserInputValidationFailed, identity: v1alpha1.ReasonProviderError,
	} {
		ours.create(t, s)
		ours.await(t, s, v1alpha1.ConditionCreate, reason)
		if ours.secret(t, s.Name) != nil {
			t.Errorf("Secret %s was made of another namespace's", s.Name)
		}
	}
	if diff := cmp.Diff(asked, theirs.requests(t)); diff != "" {
		t.Errorf("their vault was asked (-before +after):\n%s", diff)
	}
	s := ours.sync("app", "vault", "plain=k")
	ours.create(t, s)
	ours.await(t, s, v1alpha1.ConditionUpdate, synced)
	for _, r := range requestLog(t) {
		if e := ours; r.Vault == e.Vault() && r.ClientID != "" && !slices.Contains([]string{e.ClientID(), operator().ClientID}, r.ClientID) {
			t.Errorf("vault %s was asked by client %s", e.Vault(), r.ClientID)
		}
	}
}

// TestOneIdentityOfTwoNamespaces federates one managed identity with the accounts of two namespaces: each exchanges its own
// token, and what one is refused the other's does not give it.
//
//covers:fault namespace-crossed
func TestOneIdentityOfTwoNamespaces(t *testing.T) {
	t.Parallel()
	first, second := newEnv(t), newEnv(t)
	first.synced(t)
	class := second.class("vault", "secret plain")
	class.Spec.Parameters["clientID"], class.Spec.Parameters["keyvaultName"] = first.ClientID(), first.Vault()
	s := second.sync("app", "vault", "plain=k")
	second.create(t, class, s)
	// Not federated yet, while a good token of the first is at hand.
	second.await(t, s, v1alpha1.ConditionCreate, v1alpha1.ReasonProviderError)
	if n := first.exchanges(t); n != 1 {
		t.Fatalf("%d exchanges, want the first namespace's", n)
	}
	path := "/admin/applications/" + first.ClientID() + "/federatedCredentials/second"
	first.admin(t, "POST", path, fmt.Sprintf(`{"issuer":%q,"subject":%q,"audiences":[%q]}`, second.fitting().issuer,
		second.fitting().subject, second.fitting().audience))
	second.await(t, s, v1alpha1.ConditionUpdate, synced)
	if n := first.exchanges(t); n != 2 {
		t.Errorf("%d exchanges for two namespaces, want one each", n)
	}
}
