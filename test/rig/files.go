package rig

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	csi "sigs.k8s.io/secrets-store-csi-driver/apis/v1"

	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
	"secretstore/test/stack"
)

// files are what a volume holds, by path.
type files map[string]file

// file is a mounted version of an object.
type file struct {
	id, version string // as a SecretProviderClassPodStatus tells them
	content     []byte
}

// objects lists what is mounted, sorted, each object once.
func (f files) objects() []csi.SecretProviderClassObject {
	versions := map[string]string{}
	for _, path := range slices.Backward(slices.Sorted(maps.Keys(f))) { // of a history the newest, NAME/0, is told
		versions[f[path].id] = f[path].version
	}
	var objects []csi.SecretProviderClassObject
	for _, id := range slices.Sorted(maps.Keys(versions)) {
		objects = append(objects, csi.SecretProviderClassObject{ID: id, Version: versions[id]})
	}
	return objects
}

// read reads all objects of a class, as the volume's credential; without one, as the nodes' identity.
func (d *Driver) read(ctx context.Context, class *csi.SecretProviderClass, volume corev1.Volume) (files, error) {
	if class.Spec.Provider != providerAzure {
		return files{}, nil
	}
	as, err := d.identity(ctx, class, volume)
	if err != nil {
		return nil, err
	}
	return d.readAs(ctx, class, as)
}

// Gives reads what a class gives now, read as somebody: files of a volume by their paths, and the Secrets of its secretObjects.
// Nothing is written.
func (d *Driver) Gives(
	ctx context.Context, class *csi.SecretProviderClass, as stack.Operator,
) (map[string][]byte, []*corev1.Secret, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found, err := d.readAs(ctx, class, as)
	if err != nil {
		return nil, nil, err
	}
	contents := map[string][]byte{}
	for path, f := range found {
		contents[path] = f.content
	}
	var secrets []*corev1.Secret
	for _, object := range class.Spec.SecretObjects {
		secret, err := secretOf(class.Namespace, object, found)
		if err != nil {
			return nil, nil, err
		}
		secrets = append(secrets, secret)
	}
	return contents, secrets, nil
}

// readAs reads all objects of a class as somebody.
func (d *Driver) readAs(ctx context.Context, class *csi.SecretProviderClass, as stack.Operator) (files, error) {
	parameters := class.Spec.Parameters
	reader, err := d.reader(readerKey{vault: parameters["keyvaultName"], as: as})
	if err != nil {
		return nil, err
	}
	objects, _, err := spcparams.ParseObjects(parameters["objects"])
	if err != nil {
		return nil, fmt.Errorf("reading class %s: %w", class.Name, err)
	}
	found := files{}
	for _, object := range objects {
		// Up to v1.8.2 the provider reads one version more than the history says.
		n := 1
		if object.History > 1 {
			n = object.History + 1
		}
		versions, err := reader.Read(ctx, object, n)
		if err != nil {
			return nil, err
		}
		if err := found.add(object, versions); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// add adds what was read of an object.
func (f files) add(o spcparams.Object, versions []secretdata.Fetched) error {
	for i, version := range versions {
		content, err := contentOf(o, version)
		if err != nil {
			return err
		}
		path := o.Base()
		if o.History > 1 {
			path += "/" + strconv.Itoa(i)
		}
		f[path] = file{id: string(o.Type) + "/" + o.Name, version: version.Version, content: content}
	}
	return nil
}

// contentOf is what the provider writes of a version. Plain values are decoded here, so that a mistake of the controller's cannot
// hide; the forms of certificates and keys are the product's, which has tests of its own against the provider's.
func contentOf(o spcparams.Object, version secretdata.Fetched) ([]byte, error) {
	if o.Type == spcparams.TypeSecret && !version.HasKey {
		text := string(version.Value.Reveal())
		switch o.Encoding {
		case spcparams.EncodingBase64:
			return base64.StdEncoding.DecodeString(text)
		case spcparams.EncodingHex:
			return hex.DecodeString(text)
		default:
			return []byte(text), nil
		}
	}
	o.History = 0
	rendered := secretdata.Render(o, secretdata.Result{Versions: []secretdata.Fetched{version}})[o.Base()]
	return rendered.Value.Reveal(), rendered.Err
}

// identity is whom a volume is read as.
func (d *Driver) identity(ctx context.Context, class *csi.SecretProviderClass, volume corev1.Volume) (stack.Operator, error) {
	as := d.options.Identity
	for _, parameter := range []string{"tenantId", "tenantID"} {
		if tenant := strings.TrimSpace(class.Spec.Parameters[parameter]); tenant != "" {
			as.TenantID = tenant
		}
	}
	reference := volume.CSI.NodePublishSecretRef
	if reference == nil {
		return as, nil
	}
	var credential corev1.Secret
	if err := d.client.Get(ctx, client.ObjectKey{Namespace: class.Namespace, Name: reference.Name}, &credential); err != nil {
		return as, fmt.Errorf("fetching NodePublishSecretRef %s/%s: %w", class.Namespace, reference.Name, err)
	}
	as.ClientID, as.ClientSecret = string(credential.Data["clientid"]), string(credential.Data["clientsecret"])
	if as.ClientID == "" || as.ClientSecret == "" {
		return as, fmt.Errorf("could not find clientid or clientsecret in secret %s/%s", class.Namespace, reference.Name)
	}
	return as, nil
}

// reader gives the one reader of a vault as a principal, so that tokens are asked for once.
func (d *Driver) reader(key readerKey) (*stack.Reader, error) {
	if r := d.readers[key]; r != nil {
		return r, nil
	}
	r, err := d.stack.Reader(key.vault, key.as)
	if err == nil {
		d.readers[key] = r
	}
	return r, err
}
