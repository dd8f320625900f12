package secretdata

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/redact"
)

// Mapping is one item of a Secret: which source path goes to which of its keys.
type Mapping struct {
	// SourcePath is a path as [spcparams.Params.Resolve] takes it.
	SourcePath string
	// TargetKey is a key of the Secret's data.
	TargetKey string
}

// ItemError is why an item has no value now. Its key is not in the data, and keeps the value it has in the cluster.
type ItemError struct {
	// Mapping is the item.
	Mapping
	// Err is the reason: an [*Error], or what the source of the objects reported.
	Err error
}

// Error names the item and the reason.
func (e ItemError) Error() string {
	return fmt.Sprintf("source path %s to key %s: %v", strconv.Quote(e.SourcePath), strconv.Quote(e.TargetKey), e.Err)
}

// Unwrap is the reason.
func (e ItemError) Unwrap() error { return e.Err }

// Build gives the data of a Secret and, for each item that could not be had, an [ItemError], in the order of mappings.
//
// In Secrets of type kubernetes.io/tls the keys tls.crt and tls.key take their part of whatever their source path holds,
// re-encoded, and both are there or neither is: half of a renewed pair beside half of the old one serves nobody. In other
// typed Secrets a value that its type does not allow is an item's error too.
func Build(secretType corev1.SecretType, mappings []Mapping, files Files) (map[string]redact.Bytes, []ItemError) {
	data := map[string]redact.Bytes{}
	reasons := map[string]error{}
	for _, m := range mappings {
		value, err := take(secretType, m, files)
		if err != nil {
			reasons[m.TargetKey] = err
			continue
		}
		data[m.TargetKey] = value
	}
	for key := range reasons {
		delete(data, key) // of two items for one key, which Validate refuses, neither is written
	}
	if secretType == corev1.SecretTypeTLS {
		dropHalves(data, reasons)
	}
	var errs []ItemError
	for _, m := range mappings {
		if err := reasons[m.TargetKey]; err != nil {
			errs = append(errs, ItemError{Mapping: m, Err: err})
		}
	}
	return data, errs
}

// take is the value of one item.
func take(secretType corev1.SecretType, m Mapping, files Files) (redact.Bytes, error) {
	file, found := files[m.SourcePath]
	switch {
	case !found:
		return redact.Bytes{}, (&unfit{
			KindSpec, "is given by no object that was fetched",
			"map a source path that the SecretProviderClass gives",
		}).at(sourcePlace(m))
	case file.Err != nil:
		return redact.Bytes{}, file.Err
	case secretType != corev1.SecretTypeTLS:
		return file.Value, checkValue(secretType, m.TargetKey, file.Value)
	}
	value, err := takePart(m.TargetKey, file.Value)
	if err != nil {
		return redact.Bytes{}, err.at(sourcePlace(m))
	}
	return value, nil
}

func sourcePlace(m Mapping) string { return "source path " + strconv.Quote(m.SourcePath) }

// takePart is what a key of a TLS Secret takes of a value.
func takePart(targetKey string, value redact.Bytes) (redact.Bytes, *unfit) {
	b, err := read(value.Reveal())
	switch targetKey {
	case corev1.TLSCertKey:
		if err == nil && len(b.chain) == 0 {
			err = noChain()
		}
		return redact.New(b.chainPEM()), err
	case corev1.TLSPrivateKeyKey:
		if err == nil && b.key == nil {
			err = noKey()
		}
		if err != nil {
			return redact.Bytes{}, err
		}
		return b.traditionalKey()
	}
	if err == nil && b.key != nil && len(b.chain) > 0 {
		return redact.Bytes{}, &unfit{
			KindSpec, "holds certificate and private key in one",
			"map it to tls.crt and tls.key only; for the certificate alone map its /tls.crt",
		}
	}
	return value, nil
}

func (b bundle) traditionalKey() (redact.Bytes, *unfit) {
	key, err := b.traditionalKeyPEM()
	if err != nil {
		return redact.Bytes{}, &unfit{KindValue, "holds a private key of an unknown kind", "use an RSA or EC key"}
	}
	return redact.New(key), nil
}

// dropHalves takes both halves of a TLS pair out unless both are there and belong together.
func dropHalves(data map[string]redact.Bytes, reasons map[string]error) {
	const crt, key = corev1.TLSCertKey, corev1.TLSPrivateKeyKey
	_, hasCrt := data[crt]
	_, hasKey := data[key]
	var err error
	switch {
	case hasCrt && hasKey:
		err = checkPair(data)
	case hasCrt || hasKey:
		err = &Error{
			Kind: KindAbsent, Place: "its other half",
			Problem: "could not be had, and half a key pair is not written", Cure: "see the other item",
		}
	}
	if err == nil {
		return
	}
	for _, half := range []string{crt, key} {
		if _, there := data[half]; there {
			delete(data, half)
			reasons[half] = err
		}
	}
}
