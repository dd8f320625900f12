package translate

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/migrate/model"
	"secretstore/internal/secretdata"
	"secretstore/internal/spcparams"
)

// normal is an entry of secretObjects as the CSI driver reads it: trimmed, and of a type that it knows, which is Opaque
// otherwise.
func (p *planner) normal(w *work, e model.SecretObject) model.SecretObject {
	e.Type = cmp.Or(strings.TrimSpace(e.Type), string(corev1.SecretTypeOpaque))
	if !makeable(e.Type) && !slices.Contains(forbidden(), e.Type) {
		p.tell(w, codeType, "The Secret %s is to have type %s, which the CSI driver does not know: it makes it Opaque, and so "+
			"does the SecretSync.", e.Name, e.Type)
		e.Type = string(corev1.SecretTypeOpaque)
	}
	e.Data = slices.Clone(e.Data)
	for i := range e.Data {
		e.Data[i].ObjectName, e.Data[i].Key = strings.TrimSpace(e.Data[i].ObjectName), strings.TrimSpace(e.Data[i].Key)
	}
	e.Labels, e.Annotations = p.unreserved(w, e.Name, e.Labels), p.unreserved(w, e.Name, e.Annotations)
	return e
}

// forbidden are the types that the CSI driver makes and a SecretSync does not.
func forbidden() []string {
	return []string{string(corev1.SecretTypeServiceAccountToken), string(corev1.SecretTypeBootstrapToken)}
}

// unreserved drops labels and annotations that belong to the drivers.
func (p *planner) unreserved(w *work, secret string, all map[string]string) map[string]string {
	kept := maps.Clone(all)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name == model.ManagedLabel {
			delete(kept, name)
		}
		if strings.HasPrefix(name, v1alpha1.SecretLabel) {
			delete(kept, name)
			p.tell(w, codeReserved, "The Secret %s is to carry %s, which belongs to the controller; it is left out.", secret, name)
		}
	}
	return kept
}

// mapSecrets judges the Secrets of secretObjects: their types, keys and source paths, and settles their proofs' names.
func (p *planner) mapSecrets(w *work) {
	for i := range w.syncs {
		s := &w.syncs[i]
		var mappings []secretdata.Mapping
		for _, d := range s.entry.Data {
			mappings = append(mappings, secretdata.Mapping{SourcePath: d.ObjectName, TargetKey: d.Key})
			p.checkPath(w, s, d)
		}
		if err := secretdata.Validate(corev1.SecretType(s.entry.Type), mappings); err != nil {
			p.tell(w, codeImpossible, "The Secret %s cannot be made as secretObjects asks: %s.", s.Old,
				strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		if len(s.entry.Data) > many {
			p.tell(w, codeSize, "The Secret %s has %d keys of up to 25 KiB each, and a Secret holds 1 MiB.", s.Old, len(s.entry.Data))
		}
		if p.zeroDowntime() && s.New == s.Old && !s.shared && !s.open {
			s.Proof = p.derive(w, s.Old+suffix, "proof of "+s.Old)
		}
	}
}

// checkPath judges one key: the object that it is made of must be given, and may have to hold a private key.
func (p *planner) checkPath(w *work, s *sync, d model.SecretKey) {
	ref, err := w.params.Resolve(d.ObjectName)
	if err != nil {
		hint := ""
		for _, o := range w.params.Objects {
			if o.Name == d.ObjectName && o.Alias != "" {
				hint = " The object of that name is called by its alias, " + o.Alias + "."
			}
		}
		p.tell(w, codePath, "The key %s of the Secret %s is made of %q: %s.%s", d.Key, s.Old, d.ObjectName, err, hint)
		return
	}
	bare := w.params.Objects[ref.Object].Type == spcparams.TypeCert
	isTLS := s.entry.Type == string(corev1.SecretTypeTLS)
	switch {
	case bare && isTLS && d.Key == corev1.TLSPrivateKeyKey:
		p.tell(w, codeNoKey, "The key tls.key of the Secret %s is made of %s, which is read as objectType cert and holds no "+
			"private key.", s.Old, d.ObjectName)
	case bare && (isTLS || p.serves(w, s.Old)):
		p.tell(w, codeBareCertificate, "The Secret %s is what a TLS server reads, and its key %s is made of %s, which is read as "+
			"objectType cert: the certificate alone, without chain and private key.", s.Old, d.Key, d.ObjectName)
	}
}

// serves tells whether an Ingress or a Gateway reads a Secret.
func (p *planner) serves(w *work, name string) bool {
	return slices.ContainsFunc(p.survey.Readers, func(r model.Reader) bool {
		return r.Object.Namespace == w.ref().Namespace && slices.ContainsFunc(r.Uses, func(u model.Use) bool {
			return u.Secret == name && (u.How == "tls" || u.How == "certificateRefs")
		})
	})
}

// fileSecrets are the Secrets of the class's files.
func (w *work) fileSecrets() []secret {
	var made []secret
	for _, f := range w.files {
		if len(made) == 0 || made[len(made)-1].name != f.Secret {
			made = append(made, secret{name: f.Secret, kind: string(corev1.SecretTypeOpaque)})
		}
		last := &made[len(made)-1]
		last.items = append(last.items, item{f.Key, f.path})
	}
	return made
}

// made is the Secret of an entry of secretObjects, under a name.
func (s sync) made(name string) secret {
	m := secret{name: name, kind: s.entry.Type, labels: s.entry.Labels, annotations: s.entry.Annotations}
	for _, d := range s.entry.Data {
		m.items = append(m.items, item{d.Key, d.ObjectName})
	}
	return m
}

// atOnce are the Secrets that are made in this stage: files, those that need not wait for the driver, and proofs.
func (p *planner) atOnce(w *work) []secret {
	secrets := w.fileSecrets()
	for _, s := range w.syncs {
		switch {
		case s.shared:
		case s.Proof == "":
			secrets = append(secrets, s.made(s.New))
		case !handedOver(p.synced(w, s.Old)):
			secrets = append(secrets, s.made(s.Proof))
		}
	}
	return secrets
}

// tellCarried says which objects are given in another form than their bytes in the vault.
func (p *planner) tellCarried(w *work) {
	var names []string
	for _, o := range w.params.Objects {
		if o.Format == spcparams.FormatPFX || o.Encoding == spcparams.EncodingBase64 || o.Encoding == spcparams.EncodingHex {
			names = append(names, o.Base())
		}
	}
	if len(names) > 0 {
		p.tell(w, codeForms, "PFX and encodings are carried over as they are written: %s.", strings.Join(names, ", "))
	}
}

// tellUnread says which objects nobody gets to see.
func (p *planner) tellUnread(w *work) {
	read := map[int]bool{}
	note := func(path string) {
		if ref, err := w.params.Resolve(path); err == nil {
			read[ref.Object] = true
		}
	}
	for _, f := range w.files {
		note(f.path)
	}
	for _, s := range w.syncs {
		for _, d := range s.entry.Data {
			note(d.ObjectName)
		}
	}
	var unread []string
	for i, o := range w.params.Objects {
		if !read[i] {
			unread = append(unread, o.Base())
		}
	}
	if len(unread) > 0 {
		p.tell(w, codeUnread, "No container mounts a volume of the class, and no Secret is made of %s.", strings.Join(unread, ", "))
	}
}
