package vault

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"

	"secretstore/internal/emulator/state"
	"secretstore/internal/emulator/wire"
)

// operation is the making of a certificate. The emulator is done at once; as in Azure the first answer does not say so yet.
type operation struct {
	ID            string       `json:"id"`
	Issuer        policyIssuer `json:"issuer"`
	CancelRequest bool         `json:"cancellation_requested"`
	Status        string       `json:"status"`
	Target        string       `json:"target,omitempty"`
	RequestID     string       `json:"request_id"`
}

// importCertificate takes a private key and its certificates from outside, as PEM or as PKCS#12 in base64.
func (s *Service) importCertificate(r *request) (answer, *refusal) {
	var given struct {
		settings

		Value         string `json:"value"`
		Password      string `json:"pwd"`
		PreserveOrder bool   `json:"preserveCertOrder"`
		Policy        policy `json:"policy"`
	}
	if refused := r.decode(&given); refused != nil {
		return answer{}, refused
	}
	contentType := given.Policy.Secret.ContentType
	if strings.Contains(given.Value, "-----BEGIN") {
		contentType = cmp.Or(contentType, state.ContentTypePEM)
	}
	contentType = cmp.Or(contentType, state.ContentTypePFX)
	material, refused := readMaterial(given.Value, given.Password, contentType, given.PreserveOrder)
	if refused != nil {
		return answer{}, refused
	}
	return s.putCertificate(r, material, state.Policy{Issuer: state.IssuerUnknown, ContentType: contentType}, given.settings)
}

func readMaterial(value, password, contentType string, preserveOrder bool) (state.Material, *refusal) {
	if contentType == state.ContentTypePEM {
		material, err := state.ParsePEM(value, preserveOrder)
		if err != nil {
			return state.Material{}, badParameter("The specified PEM X.509 certificate content is in an unexpected format: %v.", err)
		}
		return material, nil
	}
	der, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return state.Material{}, badParameter("The specified PKCS#12 X.509 certificate content is not base64.")
	}
	material, err := state.ParsePFX(der, password)
	if err != nil {
		return state.Material{}, badParameter("The specified PKCS#12 X.509 certificate content can not be read. Please check if "+
			"certificate is in valid PKCS#12 format and the password is right: %v.", err)
	}
	return material, nil
}

func (s *Service) putCertificate(r *request, material state.Material, p state.Policy, given settings) (answer, *refusal) {
	version, err := material.Version(p, s.vault.PFXEncoding)
	if err != nil {
		return answer{}, badParameter("%v", err)
	}
	given.ContentType = nil
	given.apply(&version)
	item, err := s.vault.Put(state.Certificates, r.name, version)
	if err != nil {
		return answer{}, explain(err, state.Certificates, r.name, "")
	}
	return ok(s.bundle(state.Certificates, item))
}

// createCertificate makes a self-signed certificate after a policy.
func (s *Service) createCertificate(r *request) (answer, *refusal) {
	var given struct {
		settings

		Policy policy `json:"policy"`
	}
	if refused := r.decode(&given); refused != nil {
		return answer{}, refused
	}
	asked := given.Policy
	if issuer := asked.Issuer.Name; issuer != "" && issuer != state.IssuerSelf { // no capture
		return answer{}, badParameter("The emulator makes self-signed certificates only: issuer must be Self, not %s", issuer)
	}
	p := state.Policy{
		Issuer: state.IssuerSelf, Subject: cmp.Or(asked.X509.Subject, "CN="+r.name), DNSNames: asked.X509.SANs.DNSNames,
		KeyType: asked.Key.Type, KeySize: asked.Key.Size, Curve: asked.Key.Curve, ContentType: asked.Secret.ContentType,
		ValidityMonths: asked.X509.Validity,
	}
	if asked.Key.Type == "EC" {
		p.KeySize = 0
	}
	material, err := state.Generate(rand.Reader, p, state.Chain{}, s.clock.Now())
	if err != nil {
		return answer{}, badParameter("%v", err)
	}
	if _, refused := s.putCertificate(r, material, p, given.settings); refused != nil {
		return answer{}, refused
	}
	started := s.operation(r.name)
	started.Status, started.Target = "inProgress", ""
	return answer{http.StatusAccepted, started}, nil
}

func (s *Service) operation(name string) operation {
	return operation{
		ID: s.id(state.Certificates, name, "pending"), Issuer: policyIssuer{Name: state.IssuerSelf}, Status: "completed",
		Target: s.id(state.Certificates, name, ""), RequestID: strings.ReplaceAll(wire.GUID(), "-", ""),
	}
}

// getOperation tells that the certificate is made. Imported ones were never pending.
func (s *Service) getOperation(r *request) (answer, *refusal) {
	item, err := s.vault.Get(state.Certificates, r.name, "")
	if err != nil {
		return answer{}, explain(err, state.Certificates, r.name, "")
	}
	if item.Policy.Issuer != state.IssuerSelf {
		return answer{}, &refusal{
			status: http.StatusNotFound, code: "PendingCertificateNotFound",
			message: "Pending certificate not found: " + r.name,
		}
	}
	return ok(s.operation(item.Name))
}

func (s *Service) getPolicy(r *request) (answer, *refusal) {
	item, err := s.vault.Get(state.Certificates, r.name, "")
	if err != nil {
		return answer{}, explain(err, state.Certificates, r.name, "")
	}
	return ok(s.policy(item))
}
