package translate

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/migrate/model"
	"secretstore/internal/spcparams"
)

// compound makes one AKVSync of the class, each Secret an entry with a key for each item. It returns why that cannot be done.
func (p *planner) compound(w *work) string {
	if reason := p.cannotCompound(w); reason != "" {
		return reason
	}
	if len(p.pieces(w)) > 0 {
		return "a kustomization patches it"
	}
	before := len(p.plan.Changes)
	var entries []any
	var names []string
	for _, s := range p.atOnce(w) {
		entry, reason := entryOf(w, s)
		if reason != "" {
			return reason
		}
		entries = append(entries, entry)
		names = append(names, s.name)
	}
	if len(entries) == 0 {
		return "it makes no Secret"
	}
	old := map[string]any{}
	for name, value := range w.class.Parameters {
		old[name] = value
	}
	parameters := wantedParameters(w, old)
	p.put(w, model.OrderTranslate+orderClass, object(syncVersion(), kindAKVSync, w.ref().Namespace, w.newClass, map[string]any{
		paramVault: parameters[paramVault], paramClient: parameters[paramClient], paramTenant: parameters[paramTenant],
		"serviceAccountName": w.account, paramObjects: entries,
	}), "Make the AKVSync "+w.newClass+", which makes the Secrets that the class "+w.ref().Name+" gave.")
	p.adopt(w)
	p.checkHealthy(w, names, len(p.plan.Changes) > before)
	return ""
}

// cannotCompound says what of the class an AKVSync has no field for.
func (p *planner) cannotCompound(w *work) string {
	if !isPublic(strings.TrimSpace(w.class.Parameters[paramCloud])) {
		return "it has no cloudName"
	}
	for _, s := range w.syncs {
		if s.Proof != "" {
			return "the Secret " + s.Old + " is handed over from the driver, for which its SecretSync must be made on its own"
		}
	}
	for _, o := range w.params.Objects {
		switch {
		case o.Type != spcparams.TypeSecret:
			return fmt.Sprintf("%s is read as objectType %s", o.Base(), o.Type)
		case o.Version != "":
			return o.Base() + " has a fixed objectVersion"
		case o.Format == spcparams.FormatPFX:
			return o.Base() + " is given as PFX"
		case o.Encoding != "" && o.Encoding != spcparams.EncodingUTF8:
			return o.Base() + " has an objectEncoding"
		}
	}
	return ""
}

// entryOf is the compound entry that makes a Secret, or why there can be none.
func entryOf(w *work, s secret) (map[string]any, string) {
	const most = 500
	if len(s.items) > most {
		return nil, fmt.Sprintf("the Secret %s has more than %d keys", s.name, most)
	}
	var mapping []any
	for _, i := range s.items {
		ref, err := w.params.Resolve(i.path)
		if err != nil {
			return nil, err.Error()
		}
		field := "secretInAKV"
		if s.kind == string(corev1.SecretTypeTLS) {
			field = "certInAKV"
		} else if ref.Part != spcparams.PartWhole {
			return nil, fmt.Sprintf("the key %s of the Secret %s is a part of a certificate", i.key, s.name)
		}
		one := map[string]any{"dataKey": i.key, field: w.params.Objects[ref.Object].Name}
		if ref.Version > 0 {
			one["version"] = int64(ref.Version)
		}
		mapping = append(mapping, one)
	}
	entry := map[string]any{"kubernetesSecretName": s.name, "kubernetesSecretType": s.kind, "mapping": mapping}
	addTexts(entry, "labels", s.labels)
	addTexts(entry, "annotations", s.annotations)
	return entry, ""
}
