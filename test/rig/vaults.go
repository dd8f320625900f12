package rig

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	csi "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/internal/emulator/state"
	"secretstore/internal/spcparams"
	"secretstore/test/stack"
)

// The operator is an application of every tenant that [Vaults] makes, by which tests change vaults, and as which volumes without
// a credential are read. Its client ID ends with the tenant's last digits: an application belongs to one tenant.
const (
	operatorID     = "0be00000-9999-4aaa-8bbb-0000"
	operatorSecret = "canary-operator-secret"
)

// Operator is who administrates the vaults of a tenant.
func Operator(tenant string) stack.Operator {
	return stack.Operator{TenantID: tenant, ClientID: operatorID + tenant[len(tenant)-8:], ClientSecret: operatorSecret}
}

// Vaults makes what the emulator has to hold for the classes among the objects to be read: tenants, the principals of the
// credential Secrets with all their client secrets, and vaults with every object that a class names, in the form that it and its
// Secrets ask for. Values are canaries that name the vault and the object. Every principal may read every vault of its tenant,
// and so may the further ones given.
func Vaults(objects []*unstructured.Unstructured, further ...state.Application) (state.Seed, error) {
	m := seedMaker{
		further: further, vaults: map[string]*vaultSeed{},
		principals: map[[2]string]map[string]bool{}, tenants: map[string]bool{},
	}
	credentials, tenantOf := map[[2]string]corev1.Secret{}, map[string]map[string]bool{}
	var errs []error
	for _, object := range objects {
		switch object.GetKind() {
		case "SecretProviderClass":
			errs = append(errs, m.addClass(object, tenantOf))
		case "Secret":
			var secret corev1.Secret
			errs = append(errs, runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &secret))
			credentials[[2]string{secret.Namespace, secret.Name}] = secret
		}
	}
	for key, secret := range credentials {
		id, password := valueOf(secret, "clientid"), valueOf(secret, "clientsecret")
		if id == "" || password == "" {
			continue
		}
		for tenant := range tenantOf[key[0]] {
			m.addPrincipal(tenant, id, password)
		}
	}
	return m.seed(), errors.Join(errs...)
}

// WriteVaults writes what [Vaults] makes into a seed file.
func WriteVaults(path string, objects []*unstructured.Unstructured, further ...state.Application) error {
	seed, err := Vaults(objects, further...)
	if err != nil {
		return fmt.Errorf("making vaults for classes: %w", err)
	}
	text, err := yaml.Marshal(seed)
	if err != nil {
		return fmt.Errorf("encoding a seed: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("writing a seed: %w", err)
	}
	return nil
}

func valueOf(secret corev1.Secret, key string) string {
	return cmp.Or(secret.StringData[key], string(secret.Data[key]))
}

// seedMaker gathers what classes ask for.
type seedMaker struct {
	vaults     map[string]*vaultSeed
	principals map[[2]string]map[string]bool // tenant and client ID -> client secrets
	tenants    map[string]bool
	further    []state.Application
}

// vaultSeed is a vault, and its objects by "type/name" in lower case.
type vaultSeed struct {
	tenant  string
	objects map[string]*wanted
}

// wanted is an object of a vault in all the forms in which classes want it.
type wanted struct {
	spcparams.Object

	pinned map[string]bool // versions that are asked for by name
	tls    bool            // it is a certificate
	docker bool            // its value is the configuration of a container registry's client
}

// addClass adds what a class of the Azure provider asks for.
func (m *seedMaker) addClass(object *unstructured.Unstructured, tenantOf map[string]map[string]bool) error {
	var class csi.SecretProviderClass
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &class); err != nil {
		return fmt.Errorf("reading class %s/%s: %w", object.GetNamespace(), object.GetName(), err)
	}
	name, tenant := class.Spec.Parameters["keyvaultName"], tenantOfClass(&class)
	if class.Spec.Provider != providerAzure || name == "" || tenant == "" {
		return nil
	}
	objects, _, err := spcparams.ParseObjects(class.Spec.Parameters["objects"])
	if err != nil {
		return nil //nolint:nilerr // the provider cannot read it either: no vault would help
	}
	m.tenants[tenant] = true
	if tenantOf[class.Namespace] == nil {
		tenantOf[class.Namespace] = map[string]bool{}
	}
	tenantOf[class.Namespace][tenant] = true
	if m.vaults[name] == nil {
		m.vaults[name] = &vaultSeed{tenant: tenant, objects: map[string]*wanted{}}
	}
	if have := m.vaults[name].tenant; have != tenant {
		return fmt.Errorf("class %s/%s: vault %s is of tenant %s, not %s", class.Namespace, class.Name, name, have, tenant)
	}
	for _, o := range objects {
		m.vaults[name].add(o, typesFor(&class, o))
	}
	return nil
}

// tenantOfClass is the tenant that the provider signs in to.
func tenantOfClass(class *csi.SecretProviderClass) string {
	return cmp.Or(strings.TrimSpace(class.Spec.Parameters["tenantID"]), strings.TrimSpace(class.Spec.Parameters["tenantId"]))
}

// typesFor lists the types of the Secrets that an object is synced into.
func typesFor(class *csi.SecretProviderClass, o spcparams.Object) []corev1.SecretType {
	var types []corev1.SecretType
	for _, secret := range class.Spec.SecretObjects {
		for _, item := range secret.Data {
			if item.ObjectName == o.Base() || strings.HasPrefix(item.ObjectName, o.Base()+"/") {
				types = append(types, corev1.SecretType(secret.Type))
			}
		}
	}
	return types
}

// add adds one class's wish for an object.
func (v *vaultSeed) add(o spcparams.Object, types []corev1.SecretType) {
	key := string(o.Type) + "/" + strings.ToLower(o.Name) // case makes no difference to a vault
	w := v.objects[key]
	if w == nil {
		w = &wanted{Object: o, pinned: map[string]bool{}}
		v.objects[key] = w
	}
	w.History = max(w.History, o.History)
	w.Format, w.Encoding = cmp.Or(w.Format, o.Format), cmp.Or(w.Encoding, o.Encoding)
	if o.Version != "" {
		w.pinned[o.Version] = true
	}
	w.tls = w.tls || o.Type == spcparams.TypeCert || o.Format != "" || slices.Contains(types, corev1.SecretTypeTLS)
	w.docker = w.docker || slices.Contains(types, corev1.SecretTypeDockerConfigJson)
}

// addPrincipal adds a client secret of a principal.
func (m *seedMaker) addPrincipal(tenant, id, password string) {
	key := [2]string{tenant, id}
	if m.principals[key] == nil {
		m.principals[key] = map[string]bool{}
	}
	m.principals[key][password] = true
}

// seed makes the seed of it all, sorted.
func (m *seedMaker) seed() state.Seed {
	var seed state.Seed
	for i, tenant := range slices.Sorted(maps.Keys(m.tenants)) {
		seed.Tenants = append(seed.Tenants, state.Tenant{
			ID: tenant, Name: fmt.Sprintf("Tenant %d", i+1), Domain: fmt.Sprintf("tenant%d.onmicrosoft.com", i+1),
		})
		operator := Operator(tenant)
		m.addPrincipal(tenant, operator.ClientID, operator.ClientSecret)
	}
	roles := map[string][]state.RoleAssignment{}
	order := func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
	for _, key := range slices.SortedFunc(maps.Keys(m.principals), order) {
		tenant, id := key[0], key[1]
		application := state.Application{
			TenantID: tenant, ClientID: id, Name: "principal-" + id[len(id)-4:], Kind: state.KindApplication,
		}
		for _, password := range slices.Sorted(maps.Keys(m.principals[key])) {
			application.ClientSecrets = append(application.ClientSecrets, state.ClientSecret{Value: password})
		}
		seed.Applications = append(seed.Applications, application)
		for _, role := range rolesOf(id == Operator(tenant).ClientID) {
			roles[tenant] = append(roles[tenant], state.RoleAssignment{ClientID: id, Role: role})
		}
	}
	for _, application := range m.further {
		seed.Applications = append(seed.Applications, application)
		for _, role := range rolesOf(false) {
			assignment := state.RoleAssignment{ClientID: application.ClientID, Role: role}
			roles[application.TenantID] = append(roles[application.TenantID], assignment)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.vaults)) {
		vault := m.vaults[name].seed(name)
		vault.RoleAssignments = roles[vault.TenantID]
		seed.Vaults = append(seed.Vaults, vault)
	}
	return seed
}

// rolesOf are the roles of an operator, or of a principal that only reads.
func rolesOf(operator bool) []string {
	if operator {
		return []string{"Key Vault Administrator"}
	}
	return []string{"Key Vault Reader", "Key Vault Secrets User", "Key Vault Certificate User", "Key Vault Crypto User"}
}

// seed makes one vault.
func (v *vaultSeed) seed(name string) state.VaultSeed {
	// The provider's library reads no others; vaults were seen to give both.
	vault := state.VaultSeed{Name: name, TenantID: v.tenant, Location: "westeurope", PFXEncoding: state.PFXLegacy}
	certificates := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(v.objects)) {
		w := v.objects[key]
		if !w.tls || certificates[strings.ToLower(w.Name)] {
			continue
		}
		certificates[strings.ToLower(w.Name)] = true
		certificate := state.CertificateSeed{Name: w.Name, Subject: "CN=" + w.Name, ContentType: "application/x-pem-file"}
		if w.Format == spcparams.FormatPFX {
			certificate.ContentType = "application/x-pkcs12"
		}
		vault.Certificates = append(vault.Certificates, certificate)
	}
	for _, key := range slices.Sorted(maps.Keys(v.objects)) {
		w := v.objects[key]
		switch {
		case certificates[strings.ToLower(w.Name)]:
		case w.Type == spcparams.TypeKey:
			vault.Keys = append(vault.Keys, state.KeySeed{Name: w.Name})
		default:
			vault.Secrets = append(vault.Secrets, state.SecretSeed{Name: w.Name, Versions: w.versions(name)})
		}
	}
	return vault
}

// versions makes the versions of a secret, the oldest first: two more than a history wants, and those that are asked for by name.
func (w *wanted) versions(vault string) []state.SecretVersion {
	n := 1
	if w.History > 0 {
		n = w.History + 2
	}
	var versions []state.SecretVersion
	for i, id := range slices.Concat(slices.Sorted(maps.Keys(w.pinned)), make([]string, n)) {
		version := state.SecretVersion{Value: w.value(vault, i)}
		version.Version, version.Created = id, time.Date(2025, 1, 1+i, 0, 0, 0, 0, time.UTC)
		versions = append(versions, version)
	}
	return versions
}

// value makes the value of a version in the form that is wanted.
func (w *wanted) value(vault string, i int) string {
	plain := fmt.Sprintf("canary-%s-%s-%d", vault, w.Name, i)
	if w.docker {
		plain = fmt.Sprintf(`{"auths":{"registry.example.com":{"username":"shop","password":%q}}}`, plain)
	}
	switch w.Encoding {
	case spcparams.EncodingBase64:
		return base64.StdEncoding.EncodeToString([]byte(plain))
	case spcparams.EncodingHex:
		return hex.EncodeToString([]byte(plain))
	default:
		return plain
	}
}
