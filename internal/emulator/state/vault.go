package state

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Vault is a key vault. Its methods are safe for concurrent use; names are found whatever their letter case.
type Vault struct {
	// These do not change.
	Name, TenantID, Location, SubscriptionID, ResourceGroup string
	// PFXEncoding is how the vault writes PKCS#12.
	PFXEncoding string

	now         func() time.Time
	random      io.Reader
	rbac        bool
	assignments *assignments // of all Azure

	mu       sync.RWMutex
	network  Network
	policies []AccessPolicy // ObjectID is always set, ClientID never
	objects  map[Kind]map[string]*object
	deleted  map[Kind]map[string]*object
}

// Network tells whom the vault listens to.
func (v *Vault) Network() Network {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.network
}

// UsesRoles says whether roles decide who may do what; otherwise access policies do.
func (v *Vault) UsesRoles() bool { return v.rbac }

// ResourceID is what Azure Resource Manager calls the vault.
func (v *Vault) ResourceID() string {
	return GroupID(v.SubscriptionID, v.ResourceGroup) + "/providers/Microsoft.KeyVault/vaults/" + v.Name
}

// Allows says whether a principal, by its object ID, may do what is needed.
func (v *Vault) Allows(objectID string, need Need) bool {
	if v.rbac {
		resource := v.ResourceID()
		if need.Name != "" {
			resource += "/" + string(need.Kind) + "/" + need.Name
		}
		return v.assignments.allow(objectID, resource, func(r Role) bool { return r.allowsData(vaultActions + need.Action) })
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	return slices.ContainsFunc(v.policies, func(p AccessPolicy) bool {
		return strings.EqualFold(p.ObjectID, objectID) && p.allows(need)
	})
}

// AccessPolicies gives who may do what, each with an ObjectID.
func (v *Vault) AccessPolicies() []AccessPolicy {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return slices.Clone(v.policies)
}

// ChangeAccessPolicies replaces the access policies by what change makes of them; it must not change what it is given.
func (v *Vault) ChangeAccessPolicies(change func([]AccessPolicy) []AccessPolicy) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.policies = change(v.policies)
}

// Get gives a version of an object, the current one for an empty version, or ErrNotFound.
func (v *Vault) Get(kind Kind, name, version string) (Item, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	o, found, err := find(v.objects, kind, name, version)
	if err != nil {
		return Item{}, err
	}
	return o.item(kind, found), nil
}

// GetDeleted gives the current version of a deleted object, or ErrNotFound.
func (v *Vault) GetDeleted(kind Kind, name string) (Item, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	o, found, err := find(v.deleted, kind, name, "")
	if err != nil {
		return Item{}, err
	}
	return o.item(kind, found), nil
}

// List gives the current version of each object of a kind, sorted by name.
func (v *Vault) List(kind Kind) []Item {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return list(v.objects[kind], kind)
}

// ListDeleted gives the current version of each deleted object of a kind, sorted by name.
func (v *Vault) ListDeleted(kind Kind) []Item {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return list(v.deleted[kind], kind)
}

// Versions gives every version of an object, sorted by ID as Azure lists them: nobody may take the order for that of their
// age. It gives ErrNotFound if there is no such object.
func (v *Vault) Versions(kind Kind, name string) ([]Item, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	o, _, err := find(v.objects, kind, name, "")
	if err != nil {
		return nil, err
	}
	items := make([]Item, 0, len(o.versions))
	for _, version := range o.versions {
		items = append(items, o.item(kind, version))
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	return items, nil
}

// Put adds a version, which becomes the current one, and makes the object if there is none. The ID and the times are filled
// in where they are empty. It gives ErrDeleted, ErrManaged or ErrTaken if the name is not free.
func (v *Vault) Put(kind Kind, name string, version Version) (Item, error) {
	if err := v.complete(&version); err != nil {
		return Item{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	key := strings.ToLower(name)
	for _, place := range places(kind) {
		if v.deleted[place][key] != nil {
			return Item{}, fmt.Errorf("%s/%s: %w", place, name, ErrDeleted)
		}
		if taken := v.objects[place][key]; taken != nil && taken.kind != kind {
			return Item{}, fmt.Errorf("%s/%s: %w", place, name, conflict(taken))
		}
	}
	o := v.objects[kind][key]
	if o == nil {
		o = &object{name: name, kind: kind}
		insert(v.objects, o)
	}
	o.versions = append(o.versions, &version)
	return o.item(kind, &version), nil
}

func conflict(taken *object) error {
	if taken.kind == Certificates {
		return ErrManaged
	}
	return ErrTaken
}

// Update changes a version's attributes, the current one's for an empty version, and sets its time.
func (v *Vault) Update(kind Kind, name, version string, change func(*Version)) (Item, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o, found, err := find(v.objects, kind, name, version)
	if err != nil {
		return Item{}, err
	}
	if o.kind != kind {
		return Item{}, ErrManaged
	}
	change(found)
	found.Updated = v.seconds()
	return o.item(kind, found), nil
}

// Delete takes an object away; it can be recovered.
func (v *Vault) Delete(kind Kind, name string) (Item, error) {
	return v.move(v.objects, v.deleted, kind, name, v.seconds())
}

// Recover brings a deleted object back.
func (v *Vault) Recover(kind Kind, name string) (Item, error) {
	return v.move(v.deleted, v.objects, kind, name, time.Time{})
}

// Purge ends a deleted object for good.
func (v *Vault) Purge(kind Kind, name string) error {
	_, err := v.move(v.deleted, map[Kind]map[string]*object{}, kind, name, time.Time{})
	return err
}

func (v *Vault) move(from, to map[Kind]map[string]*object, kind Kind, name string, deleted time.Time) (Item, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o, current, err := find(from, kind, name, "")
	if err != nil {
		return Item{}, err
	}
	if o.kind != kind {
		return Item{}, ErrManaged
	}
	for _, place := range places(o.kind) {
		delete(from[place], strings.ToLower(o.name))
	}
	o.deleted = deleted
	insert(to, o)
	return o.item(kind, current), nil
}

// complete fills in what a new version has not been given.
func (v *Vault) complete(version *Version) error {
	if version.ID == "" {
		id := make([]byte, 16)
		if _, err := io.ReadFull(v.random, id); err != nil {
			return fmt.Errorf("drawing a version: %w", err)
		}
		version.ID = hex.EncodeToString(id)
	}
	if version.Created.IsZero() {
		version.Created = v.seconds()
	}
	if version.Updated.IsZero() {
		version.Updated = version.Created
	}
	return nil
}

func (v *Vault) seconds() time.Time { return v.now().UTC().Truncate(time.Second) }

func find(among map[Kind]map[string]*object, kind Kind, name, version string) (*object, *Version, error) {
	o := among[kind][strings.ToLower(name)]
	if o == nil {
		return nil, nil, fmt.Errorf("%s/%s: %w", kind, name, ErrNotFound)
	}
	found, err := o.version(version)
	return o, found, err
}

func insert(among map[Kind]map[string]*object, o *object) {
	for _, place := range places(o.kind) {
		if among[place] == nil {
			among[place] = map[string]*object{}
		}
		among[place][strings.ToLower(o.name)] = o
	}
}

func list(objects map[string]*object, kind Kind) []Item {
	items := make([]Item, 0, len(objects))
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		items = append(items, objects[name].item(kind, objects[name].current()))
	}
	return items
}
