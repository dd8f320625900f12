package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/kube"
)

// vaultBudget is how many requests a second the vault may be asked.
const vaultBudget = 400

// floor is the least that a phase could take: the writes to the API server or the requests to the vault, whichever takes
// longer, and before them a token and an answer of the vault.
func floor(writes time.Duration, requests int, trip time.Duration) float64 {
	return max(writes.Seconds(), float64(requests)/vaultBudget) + trip.Seconds()
}

// writeSecrets applies a Secret for each SecretSync and patches its status, one after the other as the controller must, with
// as many workers, by the controller's own rights and under the same policies. statuses are what the controller wrote.
func (l *lab) writeSecrets(ctx context.Context, p place, syncs []*v1alpha1.SecretSync,
	statuses map[string]v1alpha1.SecretSyncStatus,
) error {
	return each(ctx, len(syncs), func(ctx context.Context, i int) error {
		if err := l.applySecret(ctx, syncs[i], value(p.first+p.object(i))); err != nil {
			return err
		}
		return l.patchStatus(ctx, syncs[i], v1alpha1.SecretSyncStatus{}, statuses[syncs[i].Name])
	})
}

// writeStatuses patches the status of each SecretSync from what it was to what it is.
func (l *lab) writeStatuses(ctx context.Context, syncs []*v1alpha1.SecretSync, was, is map[string]v1alpha1.SecretSyncStatus,
) error {
	return each(ctx, len(syncs), func(ctx context.Context, i int) error {
		return l.patchStatus(ctx, syncs[i], was[syncs[i].Name], is[syncs[i].Name])
	})
}

// lookAtSecrets looks at each Secret by the dry run that a check makes.
func (l *lab) lookAtSecrets(ctx context.Context, syncs []*v1alpha1.SecretSync) error {
	secrets := kube.NewSecrets(l.secrets.CoreV1())
	return each(ctx, len(syncs), func(ctx context.Context, i int) error {
		owner := kube.Owner{Namespace: syncs[i].Namespace, Name: syncs[i].Name, UID: string(syncs[i].UID)}
		if _, err := secrets.Look(ctx, owner); err != nil {
			return fmt.Errorf("looking at a Secret for the floor: %w", err)
		}
		return nil
	})
}

// costs says how long something took, and what CPU time of this process. It is one of the benchmark's last steps of a run, when
// nothing else goes on in it.
func costs(do func() error) (took, cpu time.Duration, err error) {
	begun, spent := time.Now(), ownCPU()
	err = do()
	return time.Since(begun), ownCPU() - spent, err
}

// ownCPU is the user and system time of this process so far.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0 // cannot fail with these arguments (getrusage(2))
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func (l *lab) applySecret(ctx context.Context, owner *v1alpha1.SecretSync, data string) error {
	secret := applycorev1.Secret(owner.Name, owner.Namespace).
		WithType(corev1.SecretTypeOpaque).
		WithLabels(map[string]string{v1alpha1.SecretLabel: ""}).
		WithOwnerReferences(applymetav1.OwnerReference().
			WithAPIVersion(v1alpha1.GroupVersion().String()).
			WithKind("SecretSync").WithName(owner.Name).WithUID(owner.UID).WithController(true)).
		WithData(map[string][]byte{targetKey: []byte(data)})
	_, err := l.secrets.CoreV1().Secrets(owner.Namespace).
		Apply(ctx, secret, metav1.ApplyOptions{FieldManager: kube.FieldManager, Force: true})
	if err != nil {
		return fmt.Errorf("applying a Secret for the floor: %w", err)
	}
	return nil
}

func (l *lab) patchStatus(ctx context.Context, sync *v1alpha1.SecretSync, was, is v1alpha1.SecretSyncStatus) error {
	patch, err := client.MergeFrom(&v1alpha1.SecretSync{Status: was}).Data(&v1alpha1.SecretSync{Status: is})
	if err != nil {
		return fmt.Errorf("making a patch for the floor: %w", err)
	}
	target := &v1alpha1.SecretSync{ObjectMeta: metav1.ObjectMeta{Namespace: sync.Namespace, Name: sync.Name}}
	if err := l.statuses.Status().Patch(ctx, target, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return fmt.Errorf("patching a status for the floor: %w", err)
	}
	return nil
}

// roundTrip measures what comes before the first value: one exchange of a token and one answer of the vault, over connections
// that are open.
func (l *lab) roundTrip(ctx context.Context, p place) (time.Duration, error) {
	var took time.Duration
	for range 2 { // the first opens the connections
		assertion, err := l.cluster.Token(ctx, p.namespace(), account, 600, audience)
		if err != nil {
			return 0, err
		}
		begun := time.Now()
		token, err := l.exchange(ctx, p.clientID(), assertion)
		if err != nil {
			return 0, err
		}
		url := "https://" + p.vault.name + ".vault.azure.net/secrets/" + secretName(p.first) + "?api-version=7.6"
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return 0, fmt.Errorf("asking the vault: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		if _, err := l.answer(request); err != nil {
			return 0, fmt.Errorf("asking the vault: %w", err)
		}
		took = time.Since(begun)
	}
	return took, nil
}

// exchange gives an access token for a service account's token.
func (l *lab) exchange(ctx context.Context, clientID, assertion string) (string, error) {
	form := url.Values{
		"grant_type":            {"client_credentials"},
		"client_id":             {clientID},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
		"scope":                 {"https://vault.azure.net/.default"},
	}
	const endpoint = "https://login.microsoftonline.com/" + tenantID + "/oauth2/v2.0/token"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("exchanging a token: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body, err := l.answer(request)
	if err != nil {
		return "", fmt.Errorf("exchanging a token: %w", err)
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", errors.New("exchanging a token: the answer is not JSON")
	}
	return answer.Token, nil
}

// answer asks the emulator. An error does not quote the answer, which may hold a token.
func (l *lab) answer(request *http.Request) ([]byte, error) {
	response, err := l.stack.HTTPClient().Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the emulator answered %s", response.Status)
	}
	return io.ReadAll(response.Body)
}
