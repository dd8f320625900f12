package state

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"secretstore/internal/migrate/model"
)

// The names of backups are those of Microsoft's guide. The cleaned twin of each has `-clean` before its extension.
const (
	ClassesBackup   = "akv-spe-spc-backup.yaml"
	ConsumersBackup = "akv-spe-csi-consumers.json"
	OwnersBackup    = "akv-spe-csi-owners.json"
	ExtensionBackup = "akv-spe-extension-config.json"
)

// extensionType is the Arc extension that is migrated from.
const extensionType = "microsoft.azurekeyvaultsecretsprovider"

// Backup writes what a snapshot holds of the old way, and a twin of each that can be applied again: the classes, the pods that
// mount the driver, the objects of any kind whose pods do, and the extension's settings where Azure told them. A backup
// that is there is kept as it is: it is older, and so nearer to what was there before the migration.
//
// Objects are as kubectl prints them: without managedFields. Of pods that something owns the snapshot has only what they do
// with Secrets, so that their cleaned twins are left out: their owners make them again.
func (f *Folder) Backup(s model.Snapshot) error {
	var classes, pods, owners []map[string]any
	for _, o := range s.Objects {
		switch {
		case o.Kind == "Secret":
		case o.Kind == "SecretProviderClass":
			classes = append(classes, o.Content)
		case !mounts(o.Content):
		case o.Kind == "Pod":
			pods = append(pods, o.Content)
		default:
			owners = append(owners, o.Content)
		}
	}
	return f.writeBackups(map[string]any{
		ClassesBackup: listOf(classes), ConsumersBackup: orEmpty(pods), OwnersBackup: orEmpty(owners),
		twin(ClassesBackup): listOf(cleanAll(classes)), twin(ConsumersBackup): orEmpty(cleanAll(unowned(pods))),
		twin(OwnersBackup): orEmpty(cleanAll(owners)), ExtensionBackup: settings(s.Azure),
	})
}

// writeBackups writes each file that is not there yet.
func (f *Folder) writeBackups(files map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if files[name] == nil || f.has(name) {
			continue
		}
		content, err := encode(name, files[name])
		if err != nil {
			return fmt.Errorf("writing the backup %s: %w", name, err)
		}
		if err := f.write(name, content); err != nil {
			return err
		}
	}
	return nil
}

func encode(name string, value any) ([]byte, error) {
	if strings.HasSuffix(name, ".yaml") {
		return yaml.Marshal(value)
	}
	content, err := json.MarshalIndent(value, "", "  ")
	return append(content, '\n'), err
}

// twin is the name of a backup's cleaned twin.
func twin(name string) string {
	base, extension, _ := strings.Cut(name, ".")
	return base + "-clean." + extension
}

// listOf is objects as kubectl get prints several.
func listOf(objects []map[string]any) any {
	return map[string]any{"apiVersion": "v1", "kind": "List", "items": orEmpty(objects)}
}

// orEmpty makes an empty list of none, which JSON would write as null.
func orEmpty(objects []map[string]any) any {
	if objects == nil {
		return []map[string]any{}
	}
	return objects
}

// settings are the configuration settings of the extension that is migrated from, without passwords; nil if Azure was not asked
// or has none.
func settings(azure *model.Azure) any {
	if azure == nil {
		return nil
	}
	for _, e := range azure.Extensions {
		if e.Type == extensionType && e.Settings != nil {
			return withoutPasswords(e.Settings)
		}
	}
	return nil
}

// withoutPasswords is settings without what a proxy's address may have before its host. Whoever puts the extension back knows it.
func withoutPasswords(settings map[string]string) map[string]string {
	user, shown := regexp.MustCompile(`//\S*@`), map[string]string{}
	for name, value := range settings {
		shown[name] = user.ReplaceAllString(value, "//(left out)@")
	}
	return shown
}

// mounts tells whether an object has a volume of the driver anywhere: in whichever field its kind keeps a pod's template.
func mounts(value any) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, mounts)
	case map[string]any:
		if csi, ok := v["csi"].(map[string]any); ok && csi["driver"] == model.Driver {
			return true
		}
		for _, field := range v {
			if mounts(field) {
				return true
			}
		}
	}
	return false
}

// unowned are the pods that no controller made.
func unowned(pods []map[string]any) []map[string]any {
	return slices.DeleteFunc(slices.Clone(pods), func(pod map[string]any) bool {
		owners, _ := model.Path{"metadata", "ownerReferences"}.Get(pod)
		list, _ := owners.([]any)
		return len(list) > 0
	})
}
