// Package spcparams reads the parameters of a SecretProviderClass of provider `azure`: which vault, which identity, which
// objects, and which source paths those objects give.
//
// The parameters are strings in strings: `objects` is a YAML document whose `array:` holds strings, each again a YAML
// document of one object. [Parse] turns them into values once, so that nothing else in the program reads YAML of this
// kind, and [Params.Parameters] turns the values back. What manifests written for the Azure Key Vault provider of the
// Secrets Store CSI driver and for the Azure Key Vault Secret Store extension say is understood as they mean it.
//
// Promises: the text of a scalar is kept as it was written (`objectVersion: 1234e5` is no number); all mistakes are
// reported at once, each as an [*Error] that names the place, the problem and the cure; what is understood but has no
// effect is a [Warning]; and [Params.Resolve] alone decides which object a source path means.
//
// It is pure: it reads no file, no clock and no network, and it never sees the value of a secret.
package spcparams

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// Names of the parameters, the keys of `spec.parameters` of a SecretProviderClass.
const (
	paramClientID     = "clientID"
	paramTenantID     = "tenantID"
	paramOldTenantID  = "tenantId"
	paramKeyvaultName = "keyvaultName"
	paramCloudName    = "cloudName"
	paramObjects      = "objects"
	// The ways to sign in that the CSI driver's provider has besides; they have no effect here.
	paramPodIdentity  = "usePodIdentity"
	paramVMIdentity   = "useVMManagedIdentity"
	paramUserAssigned = "userAssignedIdentityID"
	// csiPrefix starts the parameters that the CSI driver adds for a mount (pod, service account, tokens).
	csiPrefix = "csi.storage.k8s.io/"
)

// Params is what a SecretProviderClass asks for.
type Params struct {
	// ClientID is the client ID (a GUID) of the user-assigned managed identity that reads the vault.
	ClientID string
	// TenantID is the Entra tenant of the identity and the vault: a GUID or a domain.
	TenantID string
	// VaultName is the first label of the vault's host name, 3 to 24 of [-A-Za-z0-9].
	VaultName string
	// CloudName is the Azure cloud as the user wrote it; empty is the public one. Which names exist is configuration and
	// checked where clouds are known.
	CloudName string
	// Objects are the objects to fetch, in the order in which they are listed.
	Objects []Object
	// Warnings says what was read but has no effect, ordered by place.
	Warnings []Warning
}

// Parse reads spec.parameters of a SecretProviderClass; a nil map is one without parameters. The error joins an [*Error]
// for each mistake (see [Errors]); what could be read in spite of it is returned as well.
func Parse(parameters map[string]string) (Params, error) {
	get := func(name string) string { return strings.TrimSpace(parameters[name]) }
	p := Params{
		ClientID:  get(paramClientID),
		TenantID:  get(paramTenantID),
		VaultName: get(paramKeyvaultName),
		CloudName: get(paramCloudName),
		Warnings:  parameterWarnings(parameters),
	}
	if p.TenantID == "" {
		p.TenantID = get(paramOldTenantID)
	}
	objects, warnings, err := ParseObjects(parameters[paramObjects])
	p.Objects = objects
	p.Warnings = append(p.Warnings, warnings...)
	return p, errors.Join(checkClientID(p.ClientID), checkTenantID(p.TenantID), checkVaultName(p.VaultName), err)
}

// Parameters is the inverse of [Parse]: the parameters that mean p. Warnings have no place in it.
func (p Params) Parameters() map[string]string {
	parameters := map[string]string{
		paramClientID:     p.ClientID,
		paramTenantID:     p.TenantID,
		paramKeyvaultName: p.VaultName,
		paramObjects:      FormatObjects(p.Objects),
	}
	if p.CloudName != "" {
		parameters[paramCloudName] = p.CloudName
	}
	return parameters
}

// parameterWarnings reports legacy ways to sign in, all in one warning, and every parameter that nothing reads.
func parameterWarnings(parameters map[string]string) []Warning {
	var warnings []Warning
	var legacy []string
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		switch name {
		case paramClientID, paramTenantID, paramOldTenantID, paramKeyvaultName, paramCloudName, paramObjects:
		case paramPodIdentity, paramVMIdentity, paramUserAssigned:
			// "false" and "" are in every template and ask for nothing: a warning about them would only be noise.
			if value := strings.TrimSpace(parameters[name]); value != "" && !strings.EqualFold(value, "false") {
				legacy = append(legacy, name)
			}
		default:
			if !strings.HasPrefix(name, csiPrefix) {
				warnings = append(warnings, unknownWarning(name, "parameter"))
			}
		}
	}
	if len(legacy) > 0 {
		text := "has no effect: only workload identity federation with " + paramClientID + " is supported; remove it"
		warnings = append(warnings, Warning{Path: strings.Join(legacy, ", "), Text: text})
	}
	return warnings
}

// checkClientID does not repeat the value: a client secret may have been pasted here.
func checkClientID(id string) error {
	const cure = "set it to the client ID of the user-assigned managed identity, not its object ID"
	switch {
	case id == "":
		return &Error{Path: paramClientID, Problem: "is not set", Cure: cure}
	case !isGUID(id):
		return &Error{Path: paramClientID, Problem: "is not a GUID", Cure: cure}
	}
	return nil
}

func checkTenantID(id string) error {
	const cure = "set it to the ID (a GUID) or a domain of the Entra tenant that the managed identity belongs to"
	switch {
	case id == "":
		return &Error{Path: paramTenantID, Problem: "is not set", Cure: cure}
	case !isGUID(id) && !isDomain(id):
		return &Error{Path: paramTenantID, Problem: "is neither a GUID nor a domain", Cure: cure}
	}
	return nil
}

func checkVaultName(name string) error {
	const cure = "set it to the vault's name alone, 3 to 24 letters, digits and hyphens, " +
		"such as my-vault for https://my-vault.vault.azure.net"
	switch {
	case name == "":
		return &Error{Path: paramKeyvaultName, Problem: "is not set", Cure: cure}
	case len(name) < 3 || len(name) > 24 || !madeOf(name, isNameByte):
		return &Error{Path: paramKeyvaultName, Problem: quote(name) + " is not a vault's name", Cure: cure}
	}
	return nil
}

// isGUID says whether s has the form 11111111-2222-3333-4444-555555555555, in either case.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (s[i] == '-') || !hyphen && !isHexByte(s[i]) {
			return false
		}
	}
	return true
}

// isDomain says whether s is a DNS name of two labels or more.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	bad := func(label string) bool {
		return label == "" || len(label) > 63 || !madeOf(label, isNameByte) || label[0] == '-' || label[len(label)-1] == '-'
	}
	return len(s) <= 253 && len(labels) >= 2 && !slices.ContainsFunc(labels, bad)
}

// madeOf says whether every byte of s is of the given kind.
func madeOf(s string, kind func(byte) bool) bool {
	for i := range len(s) {
		if !kind(s[i]) {
			return false
		}
	}
	return true
}

// isNameByte tells the characters that Key Vault allows in the names of vaults, objects and versions.
func isNameByte(c byte) bool {
	return c == '-' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func isHexByte(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f'
}
