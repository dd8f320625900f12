package inventory

import (
	"secretstore/internal/migrate/model"
)

// containerLists are the fields of a pod spec that list containers.
func containerLists() []string {
	return []string{"containers", "initContainers", "ephemeralContainers"}
}

// eachContainer calls visit for every container of a pod spec with its path.
func eachContainer(spec any, at model.Path, visit func(container any, list string, at model.Path)) {
	for _, name := range containerLists() {
		for i, container := range list(spec, name) {
			visit(container, name, at.Of(name, i))
		}
	}
}

// csiVolumes are the volumes of the driver in one pod spec. Of a piece of an object, a volume that names a class counts without
// the driver's name, which another piece says; and so does one that changes credentials only: its Class is empty.
func csiVolumes(object model.Object, at model.Path) []model.Volume {
	spec := value(object.Content, at...)
	var found []model.Volume
	for i, volume := range list(spec, "volumes") {
		csi := fields(volume, "csi")
		v := model.Volume{
			Name: text(volume, "name"), Path: at.Of("volumes", i),
			Class:      text(csi, "volumeAttributes", "secretProviderClass"),
			Credential: text(csi, "nodePublishSecretRef", "name"),
		}
		_, named := csi["driver"]
		ours := text(csi, "driver") == model.Driver ||
			!named && (v.Class != "" || object.Partial && v.Credential != "")
		if !ours {
			continue
		}
		v.Mounts = mounts(spec, at, v.Name)
		found = append(found, v)
	}
	return found
}

// mounts are where the containers of a pod spec have a volume.
func mounts(spec any, at model.Path, volume string) []model.Mount {
	var found []model.Mount
	eachContainer(spec, at, func(container any, field string, at model.Path) {
		for i, mount := range list(container, "volumeMounts") {
			if text(mount, "name") != volume {
				continue
			}
			found = append(found, model.Mount{
				Container: text(container, "name"), List: field, Path: at.Of("volumeMounts", i),
				MountPath: text(mount, "mountPath"), SubPath: text(mount, "subPath"),
			})
		}
	})
	return found
}

// podUses are the references to Secrets in one pod spec, whatever Secrets they are.
func podUses(content any, at model.Path) []model.Use {
	spec := value(content, at...)
	var found []model.Use
	add := func(how string, name, key any, path model.Path) {
		if secret, ok := name.(string); ok && secret != "" {
			k, _ := key.(string)
			found = append(found, model.Use{Secret: secret, How: how, Key: k, Path: path})
		}
	}
	eachContainer(spec, at, func(container any, _ string, at model.Path) {
		for i, env := range list(container, "env") {
			ref := fields(env, "valueFrom", "secretKeyRef")
			add("env", ref["name"], ref["key"], at.Of("env", i, "valueFrom", "secretKeyRef"))
		}
		for i, env := range list(container, "envFrom") {
			add("envFrom", value(env, "secretRef", "name"), nil, at.Of("envFrom", i, "secretRef"))
		}
	})
	for i, volume := range list(spec, "volumes") {
		at := at.Of("volumes", i)
		add("volume", value(volume, "secret", "secretName"), onlyKey(fields(volume, "secret")), at.Of("secret"))
		add("volume", value(volume, "azureFile", "secretName"), nil, at.Of("azureFile"))
		for j, source := range list(volume, "projected", "sources") {
			secret := fields(source, "secret")
			add("projected", secret["name"], onlyKey(secret), at.Of("projected", "sources", j, "secret"))
		}
	}
	for i, pull := range list(spec, "imagePullSecrets") {
		add("imagePullSecrets", value(pull, "name"), nil, at.Of("imagePullSecrets", i))
	}
	return found
}

// onlyKey is the one key that a volume takes of a Secret, nil if it takes all or several.
func onlyKey(secret map[string]any) any {
	items := list(secret, "items")
	if len(items) != 1 {
		return nil
	}
	return value(items[0], "key")
}
