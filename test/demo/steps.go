package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/test/cluster"
	"secretstore/test/stack"
)

// operator is the application in examples/emulator.yaml that may change what is in the vault.
func operator() stack.Operator {
	const id, password = "99999999-8888-7777-6666-555555555555", "operators-client-secret"
	return stack.Operator{TenantID: tenantID, ClientID: id, ClientSecret: password}
}

// applyExamples applies the manifests that README shows, and waits until the SecretSync is ready.
func (d *demo) applyExamples(ctx context.Context) error {
	d.show.Title("2. The examples: a service account, a SecretProviderClass, a SecretSync")
	if err := d.connect(); err != nil {
		return err
	}
	manifests, err := examples(d.cluster.Issuer())
	if err != nil {
		return err
	}
	if err := d.cluster.Apply(ctx, manifests...); err != nil {
		return fmt.Errorf("applying the examples: %w", err)
	}
	if err := d.show.During("the SecretSync is ready", func() error {
		return d.await(ctx, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	}); err != nil {
		return err
	}
	d.summary = append(d.summary, "synced:    a secret and a certificate went from vault "+vaultName+" into Secret "+syncName)
	return d.kubectl(ctx, "get", "secretsync", "-n", namespace)
}

// connect makes the administrator's client and kubeconfig.
func (d *demo) connect() error {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("registering kinds: %w", err)
	}
	var err error
	if d.client, err = client.New(d.cluster.Config(), client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	path, err := d.cluster.KubeconfigFile("admin", d.cluster.Config())
	if err != nil {
		return err
	}
	if err := os.Rename(path, filepath.Join(d.dir, "admin.kubeconfig")); err != nil {
		return fmt.Errorf("moving the kubeconfig: %w", err)
	}
	return nil
}

// examples are the manifests with their variables filled in, the namespace first.
func examples(issuer string) ([][]byte, error) {
	manifests, err := cluster.Manifests(
		"examples/serviceaccount.yaml", "examples/secretproviderclass.yaml", "examples/secretsync.yaml")
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, variable := range environment(issuer) {
		name, value, _ := strings.Cut(variable, "=")
		values[name] = value
	}
	for i := range manifests {
		manifests[i] = []byte(os.Expand(string(manifests[i]), func(name string) string { return values[name] }))
	}
	first := []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + namespace + "}\n")
	return append([][]byte{first}, manifests...), nil
}

// compare shows that the Secret holds what the vault holds, without showing either.
func (d *demo) compare(ctx context.Context) error {
	d.show.Title("3. The Secret holds what the vault holds (digests under a key of this run)")
	secret, err := d.secret(ctx)
	if err != nil {
		return err
	}
	inVault, err := d.vault(ctx)
	if err != nil {
		return err
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "KEY\tIN THE SECRET\tIN THE VAULT\t")
	for _, key := range []string{"my-secret-value", "my-certificate-value"} {
		here, there := d.digest.of(secret.Data[key]), d.digest.of(inVault[key])
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t\n", key, here, there)
		if here != there {
			err = fmt.Errorf("key %s of the Secret differs from the vault", key)
		}
	}
	_ = w.Flush() // writes to memory
	d.show.Block(table.String())
	d.summary = append(d.summary, "compared:  both keys hold, byte for byte, what the vault holds")
	return err
}

// vault reads what the Secret's keys should hold, as the operator.
func (d *demo) vault(ctx context.Context) (map[string][]byte, error) {
	value, err := d.stack.Get(ctx, vaultName, "my-secret", operator())
	if err != nil {
		return nil, err
	}
	der, err := d.stack.Certificate(ctx, vaultName, "my-certificate", operator())
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"my-secret-value":      []byte(value),
		"my-certificate-value": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}, nil
}

// rotate sets a new value in the vault and waits until the Secret holds it.
func (d *demo) rotate(ctx context.Context) error {
	d.show.Title("4. A new value in the vault")
	value := rand.Text()
	if err := d.stack.Set(ctx, vaultName, "my-secret", value, operator()); err != nil {
		return err
	}
	begun := time.Now()
	if err := d.show.During("the Secret follows (checks are every "+pollSeconds+" s here, every hour by default)", func() error {
		_, err := d.stack.Await(ctx, func() (string, error) {
			secret, err := d.secret(ctx)
			if err == nil && d.digest.of(secret.Data["my-secret-value"]) != d.digest.of([]byte(value)) {
				err = errors.New("the Secret does not hold the new value")
			}
			return "", err
		})
		return err
	}); err != nil {
		return err
	}
	d.summary = append(d.summary,
		fmt.Sprintf("rotated:   a new value in the vault was in the Secret %.1f s later", time.Since(begun).Seconds()))
	return nil
}

// outage stops the vault, and shows that the Secret stays and what the status says.
func (d *demo) outage(ctx context.Context) error {
	d.show.Title("5. The vault goes away")
	before, err := d.secret(ctx)
	if err != nil {
		return err
	}
	if err := d.stack.Behave(ctx, `{"faults":[{"kind":"refuse","service":"vault"}]}`); err != nil {
		return err
	}
	if err := d.show.During("the status says so", func() error {
		return d.await(ctx, v1alpha1.ConditionUpdate, v1alpha1.ReasonProviderError)
	}); err != nil {
		return err
	}
	after, err := d.secret(ctx)
	if err != nil {
		return fmt.Errorf("the Secret is gone: %w", err)
	}
	if after.ResourceVersion != before.ResourceVersion {
		return errors.New("the Secret was changed during the outage")
	}
	if err := d.kubectl(ctx, "get", "secretsync", "-n", namespace, "-o", "wide"); err != nil {
		return err
	}
	return nil
}

// recover brings the vault back.
func (d *demo) recover(ctx context.Context) error {
	d.show.Title("6. The vault comes back")
	if err := d.stack.Behave(ctx, `{}`); err != nil {
		return err
	}
	if err := d.show.During("the status is healthy again, without a hand", func() error {
		return d.await(ctx, v1alpha1.ConditionReady, v1alpha1.ReasonSynced)
	}); err != nil {
		return err
	}
	d.summary = append(d.summary, "survived:  with the vault away the Secret stayed; with it back the status healed by itself")
	return d.requests(ctx)
}

// requests counts what the vault and Entra were asked in all.
func (d *demo) requests(ctx context.Context) error {
	var answer struct {
		Counters []struct {
			Service string `json:"service"`
			Count   int    `json:"count"`
		} `json:"counters"`
	}
	if err := d.stack.Admin(ctx, "GET", "/admin/counters", "", &answer); err != nil {
		return err
	}
	sums := map[string]int{}
	for _, c := range answer.Counters {
		sums[c.Service] += c.Count
	}
	d.summary = append(d.summary, fmt.Sprintf(
		"asked:     %d requests to the vault and %d to Entra in all, the operator's own included", sums["vault"], sums["entra"]))
	return nil
}

// await waits until a condition of the SecretSync has a reason.
func (d *demo) await(ctx context.Context, condition, reason string) error {
	_, err := d.stack.Await(ctx, func() (string, error) {
		sync := &v1alpha1.SecretSync{}
		if err := d.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: syncName}, sync); err != nil {
			return "", fmt.Errorf("reading the SecretSync: %w", err)
		}
		found := meta.FindStatusCondition(sync.Status.Conditions, condition)
		if found == nil {
			return "", fmt.Errorf("the SecretSync has no condition %s yet", condition)
		}
		if found.Reason != reason {
			return "", fmt.Errorf("condition %s says %s: %s", condition, found.Reason, found.Message)
		}
		return "", nil
	})
	return err
}

func (d *demo) secret(ctx context.Context) (*corev1.Secret, error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: syncName}}
	if err := d.client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return nil, fmt.Errorf("reading the Secret: %w", err)
	}
	return secret, nil
}

// kubectl shows what a user of kubectl sees.
func (d *demo) kubectl(ctx context.Context, args ...string) error {
	path, err := d.cluster.Binary("kubectl")
	if err != nil {
		return err
	}
	d.show.Line("    $ kubectl %s", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, path, append([]string{"--kubeconfig", filepath.Join(d.dir, "admin.kubeconfig")}, args...)...)
	out, err := cmd.CombinedOutput()
	d.show.Block(string(out))
	if err != nil {
		return fmt.Errorf("kubectl: %w", err)
	}
	return nil
}

// digester makes digests under a key that nobody keeps, so that they can be shown.
type digester struct{ key []byte }

func newDigester() digester { return digester{key: []byte(rand.Text())} }

func (d digester) of(value []byte) string {
	mac := hmac.New(sha256.New, d.key)
	_, _ = mac.Write(value) // a hash never fails
	const shown = 8
	return hex.EncodeToString(mac.Sum(nil)[:shown])
}
