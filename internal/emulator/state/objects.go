package state

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
)

func addSecret(vault *Vault, seed SecretSeed) error {
	versions, err := checkVersions(seed.Name, seed.SecretVersion, seed.Versions,
		func(v *SecretVersion) *VersionSeed { return &v.VersionSeed })
	if err != nil {
		return err
	}
	if err := notYet(vault, Secrets, seed.Name); err != nil {
		return err
	}
	for _, given := range versions {
		if len(given.Value) > MaxValueBytes {
			return fmt.Errorf("secret %s: the value has %d bytes, Azure takes %d", seed.Name, len(given.Value), MaxValueBytes)
		}
		version := given.version()
		version.Value, version.ContentType = given.Value, given.ContentType
		if _, err := vault.Put(Secrets, seed.Name, version); err != nil {
			return err
		}
	}
	return nil
}

func addKey(vault *Vault, seed KeySeed) error {
	if _, err := checkVersions(seed.Name, seed, nil, func(k *KeySeed) *VersionSeed { return &k.VersionSeed }); err != nil {
		return err
	}
	if err := notYet(vault, Keys, seed.Name); err != nil {
		return err
	}
	key, err := GenerateKey(vault.random, seed.Type, seed.Size, seed.Curve)
	if err != nil {
		return err
	}
	version := seed.version()
	version.Key = key
	_, err = vault.Put(Keys, seed.Name, version)
	return err
}

func addCertificate(vault *Vault, seed CertificateSeed) error {
	versions, err := checkVersions(seed.Name, seed.CertificateVersion, seed.Versions,
		func(v *CertificateVersion) *VersionSeed { return &v.VersionSeed })
	if err != nil {
		return err
	}
	if err := notYet(vault, Certificates, seed.Name); err != nil {
		return err
	}
	for _, given := range versions {
		version, err := certificateVersion(vault, seed, given)
		if err != nil {
			return fmt.Errorf("certificate %s: %w", seed.Name, err)
		}
		if _, err := vault.Put(Certificates, seed.Name, version); err != nil {
			return err
		}
	}
	return nil
}

// notYet tells of a name that the seed gives twice.
func notYet(vault *Vault, kind Kind, name string) error {
	if _, err := vault.Get(kind, name, ""); !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("name %q: it is there already, among the %s of the vault", name, kind)
	}
	return nil
}

func certificateVersion(vault *Vault, seed CertificateSeed, given CertificateVersion) (Version, error) {
	encoding, err := oneOf("pfxEncoding", cmp.Or(seed.PFXEncoding, vault.PFXEncoding), PFXModern, PFXLegacy)
	if err != nil {
		return Version{}, err
	}
	material, policy, err := seededMaterial(vault, seed, given)
	if err != nil {
		return Version{}, err
	}
	made, err := material.Version(policy, encoding)
	if err != nil {
		return Version{}, err
	}
	if given.PFX != "" {
		made.Value = given.PFX
	}
	version := given.version()
	version.Value, version.ContentType, version.Key = made.Value, made.ContentType, made.Key
	version.Certificate, version.Policy = made.Certificate, made.Policy
	version.NotBefore, version.Expires = orTime(version.NotBefore, made.NotBefore), orTime(version.Expires, made.Expires)
	return version, nil
}

// seededMaterial takes the key and the certificates that the seed gives, or generates them.
func seededMaterial(vault *Vault, seed CertificateSeed, given CertificateVersion) (Material, Policy, error) {
	switch {
	case given.PEM != "" && given.PFX != "":
		return Material{}, Policy{}, errors.New("pem and pfx exclude each other")
	case given.PEM != "":
		material, err := ParsePEM(given.PEM, true)
		return material, Policy{Issuer: IssuerUnknown, ContentType: ContentTypePEM}, err
	case given.PFX != "":
		der, err := base64.StdEncoding.DecodeString(given.PFX)
		if err != nil {
			return Material{}, Policy{}, fmt.Errorf("pfx: %w", err)
		}
		material, err := ParsePFX(der, "")
		return material, Policy{Issuer: IssuerUnknown, ContentType: ContentTypePFX}, err
	}
	policy := Policy{
		Issuer: IssuerSelf, Subject: seed.Subject, DNSNames: seed.DNSNames, KeyType: seed.KeyType, KeySize: seed.KeySize,
		Curve: seed.Curve, ContentType: seed.ContentType, ValidityMonths: seed.ValidityMonths,
	}
	policy.Subject = cmp.Or(policy.Subject, "CN="+seed.Name)
	material, err := Generate(vault.random, policy, seed.Chain, orTime(given.Created, vault.seconds()))
	return material, policy, err
}
