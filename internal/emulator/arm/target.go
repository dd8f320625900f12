package arm

import (
	"strings"
)

// target is what a path of Azure Resource Manager names: a resource, or the list of all resources of a type in a scope.
type target struct {
	// scope is the ID of what the resource is in or on: a group, a subscription, another resource, or "" for everything.
	scope string
	// kind is the resource's type, such as Microsoft.KeyVault/vaults.
	kind string
	// names are those of the resource and of what it is nested in, one for each part of the type; a list lacks the last.
	names []string
	list  bool
	// subscription and group are those of the path, where it has them.
	subscription, group string
}

// Types of what is no provider's.
const (
	kindSubscriptions = "Microsoft.Resources/subscriptions"
	kindGroups        = "Microsoft.Resources/subscriptions/resourceGroups"
	kindResources     = "Microsoft.Resources/subscriptions/resources"
)

// parse reads a path; false if it is none of Azure Resource Manager's. Letter case means nothing in it.
func parse(path string) (target, bool) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	var t target
	if len(segments) >= 2 && strings.EqualFold(segments[0], "subscriptions") {
		t.subscription = segments[1]
	}
	if len(segments) >= 4 && t.subscription != "" && strings.EqualFold(segments[2], "resourceGroups") {
		t.group = segments[3]
	}
	for i := len(segments) - 1; i >= 0; i-- {
		if strings.EqualFold(segments[i], "providers") {
			return t.of(segments[:i], segments[i+1:])
		}
	}
	return t.plain(segments)
}

// of reads what follows the last "providers": a namespace, and types and names in turns.
func (t target) of(scope, rest []string) (target, bool) {
	if len(rest) < 2 {
		return t, false
	}
	t.scope = strings.TrimSuffix("/"+strings.Join(scope, "/"), "/")
	t.kind = rest[0]
	for i, segment := range rest[1:] {
		if i%2 == 0 {
			t.kind += "/" + segment
		} else {
			t.names = append(t.names, segment)
		}
	}
	t.list = len(rest)%2 == 0
	return t, true
}

// plain reads a path without a provider.
func (t target) plain(segments []string) (target, bool) {
	last := strings.ToLower(segments[len(segments)-1])
	switch {
	case len(segments) == 1 && last == "subscriptions":
		t.kind, t.list = kindSubscriptions, true
	case t.subscription != "" && len(segments) == 2:
		t.kind, t.names = kindSubscriptions, []string{t.subscription}
	case t.subscription != "" && len(segments) == 3 && last == "resourcegroups":
		t.scope, t.kind, t.list = "/subscriptions/"+t.subscription, kindGroups, true
	case t.group != "" && len(segments) == 4:
		t.scope, t.kind, t.names = "/subscriptions/"+t.subscription, kindGroups, []string{t.group}
	case last == "resources" && (t.subscription != "" && len(segments) == 3 || t.group != "" && len(segments) == 5):
		t.scope, t.kind, t.list = "/"+strings.Join(segments[:len(segments)-1], "/"), kindResources, true
	default:
		return t, false
	}
	return t, true
}

// name is the resource's own, empty for a list.
func (t target) name() string {
	if t.list || len(t.names) == 0 {
		return ""
	}
	return t.names[len(t.names)-1]
}

// over is the ID over which a caller needs the right: the resource's, or the scope's for a list.
func (t target) over() string {
	switch t.kind {
	case kindSubscriptions:
		return "/subscriptions/" + t.subscription
	case kindGroups, kindResources:
		if t.list {
			return t.scope
		}
		return t.scope + "/resourceGroups/" + t.group
	}
	parts := strings.Split(t.kind, "/")
	id := t.scope + "/providers/" + parts[0]
	for i, name := range t.names {
		id += "/" + parts[i+1] + "/" + name
	}
	if len(t.names) == 0 {
		return t.scope
	}
	return id
}
