package main

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	spcv1 "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/api/secretsync/v1alpha1"
)

const (
	tenantID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	account  = "web"
	audience = "api://AzureADTokenExchange"
)

// place is a namespace with a service account, the identity that is federated with it, and SecretSyncs that read a part of
// one vault.
type place struct {
	// number is the place's own; all of its names are made of it.
	number int
	vault  vault
	// objects is how many of the vault's secrets its classes name, from the first on; syncs of SecretSyncs map one each.
	first, objects, syncs int
}

// vault is a vault of 64-byte secrets.
type vault struct {
	name    string
	secrets int
	// lists says that who may read may also list: by role; otherwise by access policies, which give Get alone.
	lists bool
}

// newPlace is a place with a vault of its own.
func newPlace(number, n int, k kind) place {
	objects := n
	if k.shape == shapeA {
		objects = objectsPerClass
	}
	own := vault{name: fmt.Sprintf("bench-%02d", number), secrets: objects, lists: k.sweep}
	return place{number: number, vault: own, objects: objects, syncs: n}
}

func (p place) namespace() string { return fmt.Sprintf("bench-%02d", p.number) }

// floorNamespace is where the floor writes the same.
func (p place) floorNamespace() string { return fmt.Sprintf("floor-%02d", p.number) }

func (p place) clientID() string { return fmt.Sprintf("11111111-0000-0000-0000-%012d", p.number) }

func secretName(number int) string { return fmt.Sprintf("secret-%05d", number) }

// value is what a secret holds: 64 bytes, and no secret.
func value(number int) string { return fmt.Sprintf("%064d", number) }

// object is which of the place's objects a SecretSync maps.
func (p place) object(sync int) int { return sync % p.objects }

// class is one of the place's SecretProviderClasses.
func (p place) class(namespace string, number int) *spcv1.SecretProviderClass {
	var objects strings.Builder
	objects.WriteString("array:\n")
	for i := number * objectsPerClass; i < min((number+1)*objectsPerClass, p.objects); i++ {
		fmt.Fprintf(&objects, "  - |\n    objectType: secret\n    objectName: %s\n", secretName(p.first+i))
	}
	return &spcv1.SecretProviderClass{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: className(number)},
		Spec: spcv1.SecretProviderClassSpec{Provider: "azure", Parameters: map[string]string{
			"clientID": p.clientID(), "tenantID": tenantID, "keyvaultName": p.vault.name, "objects": objects.String(),
		}},
	}
}

func className(number int) string { return fmt.Sprintf("class-%04d", number) }

// classes is how many classes the place has.
func (p place) classes() int { return (p.objects + objectsPerClass - 1) / objectsPerClass }

// sync is one of the place's SecretSyncs.
func (p place) sync(namespace string, number int) *v1alpha1.SecretSync {
	object := p.object(number)
	return &v1alpha1.SecretSync{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("sync-%05d", number)},
		Spec: v1alpha1.SecretSyncSpec{
			SecretProviderClassName: className(object / objectsPerClass), ServiceAccountName: account,
			SecretObject: v1alpha1.SecretObject{Data: []v1alpha1.SecretObjectData{
				{SourcePath: secretName(p.first + object), TargetKey: targetKey},
			}},
		},
	}
}

// targetKey is the key of each Secret.
const targetKey = "value"

// seedText is the emulator's state. Latency is in all answers, and no vault refuses any.
const seedText = `
tenants: [{id: {{.Tenant}}, name: Contoso, domain: contoso.onmicrosoft.com}]
applications:
{{- range .Places}}
  - clientID: {{.ClientID}}
    name: identity-{{.Namespace}}
    federatedCredentials: [{name: cluster, issuer: "{{$.Issuer}}", subject: "system:serviceaccount:{{.Namespace}}:{{$.Account}}"}]
{{- end}}
vaults:
{{- range .Vaults}}
  - name: {{.Name}}
{{- if .Lists}}
    roleAssignments:
{{- range .Readers}}
      - {clientID: {{.}}, role: Key Vault Secrets User}
{{- end}}
{{- else}}
    authorization: accessPolicies
    accessPolicies:
{{- range .Readers}}
      - {clientID: {{.}}, secrets: [get]}
{{- end}}
{{- end}}
    secrets:
{{- range .Secrets}}
      - {name: {{.Name}}, value: "{{.Value}}"}
{{- end}}
{{- end}}
faults: [{kind: latency, latencyMilliseconds: {{.Latency}}}]
limits: [{requests: 1000000, perSeconds: 1}]
`

// latency is how long the emulator waits before each answer, in milliseconds.
const latency = 20

// The seed's text is filled in with these.
type (
	seedPlace  struct{ Namespace, ClientID string }
	seedSecret struct{ Name, Value string }
	seedVault  struct {
		Name    string
		Lists   bool
		Readers []string
		Secrets []seedSecret
	}
)

// seed is the emulator's state with all places and their vaults.
func seed(issuer string, places []place) ([]byte, error) {
	var (
		vaults []*seedVault
		known  = map[string]*seedVault{}
		inside = make([]seedPlace, 0, len(places))
	)
	for _, p := range places {
		inside = append(inside, seedPlace{Namespace: p.namespace(), ClientID: p.clientID()})
		v := known[p.vault.name]
		if v == nil {
			v = &seedVault{Name: p.vault.name, Lists: p.vault.lists}
			for i := range p.vault.secrets {
				v.Secrets = append(v.Secrets, seedSecret{Name: secretName(i), Value: value(i)})
			}
			known[v.Name] = v
			vaults = append(vaults, v)
		}
		v.Readers = append(v.Readers, p.clientID())
	}
	text, err := template.New("seed").Parse(seedText)
	if err != nil {
		return nil, fmt.Errorf("reading the seed's template: %w", err)
	}
	var out bytes.Buffer
	if err := text.Execute(&out, map[string]any{
		"Tenant": tenantID, "Issuer": issuer, "Account": account, "Places": inside, "Vaults": vaults, "Latency": latency,
	}); err != nil {
		return nil, fmt.Errorf("filling in the seed: %w", err)
	}
	return out.Bytes(), nil
}
