package inventory

import (
	"slices"

	"secretstore/internal/migrate/model"
)

// readSecrets lists the Secrets that classes make, and every name that is taken.
func (t *taking) readSecrets() {
	for _, class := range t.survey.Classes {
		for _, secret := range class.SecretObjects {
			t.addSynced(class.Object, secret.Name)
		}
	}
	for _, object := range t.objects.all {
		if made := secretsOf(object); len(made) > 0 {
			t.survey.Secrets[object.Namespace] = append(t.survey.Secrets[object.Namespace], made...)
		}
		switch {
		case object.Group() != "":
		case object.Kind == "Secret" && !object.Partial:
			t.readSecret(object)
		case object.Kind == "ServiceAccount":
			t.survey.ServiceAccounts[object.Namespace] = append(t.survey.ServiceAccounts[object.Namespace], object.Name)
		}
	}
	for _, taken := range []map[string][]string{t.survey.Secrets, t.survey.ServiceAccounts} {
		for namespace, list := range taken {
			slices.Sort(list)
			taken[namespace] = slices.Compact(list)
		}
	}
}

// addSynced notes that a class makes a Secret.
func (t *taking) addSynced(class model.Object, name string) {
	at, noted := t.syncedAt(class.Namespace, name)
	if !noted {
		at = len(t.survey.Synced)
		ref := model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: class.Namespace, Name: name}
		t.survey.Synced = append(t.survey.Synced, model.SyncedSecret{Ref: ref, Classes: []string{}})
		t.synced.add(class.Namespace, name, at)
	}
	synced := &t.survey.Synced[at]
	synced.Classes = appendOnce(synced.Classes, class.Name)
	slices.Sort(synced.Classes)
}

// syncedAt is the place of a synced Secret of exactly this namespace.
func (t *taking) syncedAt(namespace, name string) (int, bool) {
	for _, at := range t.synced.find(namespace, name) {
		if t.survey.Synced[at].Ref.Namespace == namespace {
			return at, true
		}
	}
	return 0, false
}

// readSecret tells what is known of a Secret that exists, if a class makes it or the driver made it.
func (t *taking) readSecret(object model.Object) {
	managed := text(object.Content, "metadata", "labels", model.ManagedLabel) == "true"
	found := t.synced.find(object.Namespace, object.Name)
	if len(found) == 0 {
		if !managed || t.foreignSecrets.has(object.Namespace, object.Name) {
			return
		}
		found = []int{len(t.survey.Synced)}
		t.survey.Synced = append(t.survey.Synced, model.SyncedSecret{Ref: object.Ref, Classes: []string{}})
		t.synced.add(object.Namespace, object.Name, found[0])
		t.say(model.CodeSecretOrphan, object, "%s carries the driver's label, but no class names it.", object.Ref)
	}
	for _, at := range found {
		synced := &t.survey.Synced[at]
		synced.Ref, synced.Exists, synced.Managed = object.Ref, true, managed
		synced.Immutable, synced.Type = truth(object.Content, "immutable"), text(object.Content, "type")
		synced.Owners, synced.Digests = ownersOf(object), texts(object.Content, "data")
		for key, digest := range texts(object.Content, "stringData") {
			if synced.Digests == nil {
				synced.Digests = map[string]string{}
			}
			synced.Digests[key] = digest // as the API server merges them
		}
	}
}

// ownersOf are the owners of an object, sorted.
func ownersOf(object model.Object) []model.Ref {
	var owners []model.Ref
	for _, owner := range list(object.Content, "metadata", "ownerReferences") {
		owners = append(owners, model.Ref{
			APIVersion: text(owner, "apiVersion"), Kind: text(owner, "kind"), Namespace: object.Namespace, Name: text(owner, "name"),
		})
	}
	return sortedRefs(owners)
}

// secretsOf are the names of the Secrets that an object is or makes, in its own namespace.
func secretsOf(object model.Object) []string {
	var made []string
	add := func(name string) {
		if name != "" {
			made = append(made, name)
		}
	}
	switch object.Group() + "/" + object.Kind {
	case "/Secret", "bitnami.com/SealedSecret", "secret-sync.x-k8s.io/SecretSync":
		add(object.Name)
	case "external-secrets.io/ExternalSecret":
		add(text(object.Content, "spec", "target", "name"))
		if len(made) == 0 {
			add(object.Name)
		}
	case "cert-manager.io/Certificate":
		add(text(object.Content, "spec", "secretName"))
	case spcGroup + "/SecretProviderClass":
		for _, entry := range list(object.Content, "spec", "secretObjects") {
			add(text(entry, "secretName"))
		}
	}
	return made
}

// readCredentials lists the Secrets that volumes name as their credentials, and who else refers to them.
func (t *taking) readCredentials() {
	var credentials names
	for _, workload := range t.survey.Workloads {
		for _, volume := range workload.Volumes {
			if volume.Credential != "" {
				t.addCredential(&credentials, workload.Object, volume.Credential)
			}
		}
	}
	for i := range t.objects.all {
		object := t.objects.all[i]
		if object.Kind == "Secret" && object.Group() == "" && !object.Partial {
			for _, at := range credentials.find(object.Namespace, object.Name) {
				t.survey.Credentials[at].Exists = true
			}
			continue
		}
		for _, use := range t.usesOf(i) {
			for _, at := range credentials.find(namespaceOf(object, use), use.Secret) {
				credential := &t.survey.Credentials[at]
				top, _ := t.objects.top(i)
				credential.ReadBy = sortedRefs(append(credential.ReadBy, t.objects.all[top].Ref))
			}
		}
	}
	t.judgeCredentials()
}

// addCredential notes that a workload's volume names credentials.
func (t *taking) addCredential(credentials *names, workload model.Object, name string) {
	at := slices.IndexFunc(t.survey.Credentials, func(c model.Credential) bool {
		return c.Ref.Namespace == workload.Namespace && c.Ref.Name == name
	})
	if at < 0 {
		at = len(t.survey.Credentials)
		ref := model.Ref{APIVersion: "v1", Kind: "Secret", Namespace: workload.Namespace, Name: name}
		t.survey.Credentials = append(t.survey.Credentials, model.Credential{
			Ref: ref, ClientID: t.snapshot.ClientIDs[workload.Namespace+"/"+name],
		})
		credentials.add(workload.Namespace, name, at)
	}
	credential := &t.survey.Credentials[at]
	credential.UsedBy = sortedRefs(append(credential.UsedBy, workload.Ref))
}

// judgeCredentials reports those that are not there or say nothing. A folder rarely holds credentials, which is as it should be.
func (t *taking) judgeCredentials() {
	if t.snapshot.Input.IsFolder() {
		return
	}
	for _, c := range t.survey.Credentials {
		switch {
		case !c.Exists && c.ClientID == "":
			for _, user := range c.UsedBy {
				t.say(model.CodeNoCredential, model.Object{Ref: user}, "%s names %s as credentials, which does not exist.", user, c.Ref)
			}
		case c.ClientID == "":
			t.say(model.CodeNoClientID, model.Object{Ref: c.Ref}, "%s holds credentials, but its clientid could not be read.", c.Ref)
		}
	}
}

// readMounted lists what the driver says of pods that mounted classes of Azure.
func (t *taking) readMounted() {
	pods := map[model.Ref]bool{}
	for _, pod := range t.objects.of("", "Pod") {
		pods[model.Ref{Namespace: pod.Namespace, Name: pod.Name}] = true
	}
	for _, status := range t.objects.of(spcGroup, "SecretProviderClassPodStatus") {
		class := text(status.Content, "status", "secretProviderClassName")
		if !t.classes.has(status.Namespace, class) && t.foreign.has(status.Namespace, class) {
			continue
		}
		t.survey.Mounted = append(t.survey.Mounted, status.Ref)
		pod := text(status.Content, "status", "podName")
		// With a selector only some of the pods were read.
		if t.snapshot.Input.Selector == "" && !pods[model.Ref{Namespace: status.Namespace, Name: pod}] {
			t.survey.Stale = append(t.survey.Stale, status.Ref)
			t.say(model.CodeStatusStale, status, "%s is of the pod %s, which is gone.", status.Ref, pod)
		}
	}
	t.survey.Mounted, t.survey.Stale = sortedRefs(t.survey.Mounted), sortedRefs(t.survey.Stale)
}
