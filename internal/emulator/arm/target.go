package arm

import (
	"path"
	"slices"
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
	// over is the ID over which a caller needs the right: the resource's, for a list that of what it is nested in or on.
	over string
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
func parse(urlPath string) (target, bool) {
	segments := strings.Split(strings.Trim(urlPath, "/"), "/")
	var t target
	if len(segments) >= 2 && strings.EqualFold(segments[0], "subscriptions") {
		t.subscription = segments[1]
	}
	if len(segments) >= 4 && t.subscription != "" && strings.EqualFold(segments[2], "resourceGroups") {
		t.group = segments[3]
	}
	for i, segment := range slices.Backward(segments) {
		if strings.EqualFold(segment, "providers") {
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
	t.scope, t.kind, t.list = join(scope), rest[0], len(rest)%2 == 0
	for i, segment := range rest[1:] {
		if i%2 == 0 {
			t.kind += "/" + segment
		} else {
			t.names = append(t.names, segment)
		}
	}
	switch {
	case len(t.names) == 0:
		t.over = t.scope
	case t.list:
		t.over = t.scope + "/providers" + join(rest[:len(rest)-1])
	default:
		t.over = t.scope + "/providers" + join(rest)
	}
	return t, true
}

// plain reads a path without a provider.
func (t target) plain(segments []string) (target, bool) {
	for _, known := range []struct {
		pattern, kind string
		list          bool
	}{
		{"subscriptions", kindSubscriptions, true},
		{"subscriptions/*", kindSubscriptions, false},
		{"subscriptions/*/resourcegroups", kindGroups, true},
		{"subscriptions/*/resourcegroups/*", kindGroups, false},
		{"subscriptions/*/resources", kindResources, true},
		{"subscriptions/*/resourcegroups/*/resources", kindResources, true},
	} {
		matched, err := path.Match(known.pattern, strings.ToLower(strings.Join(segments, "/")))
		if !matched || err != nil {
			continue
		}
		parent, last := segments[:len(segments)-1], segments[len(segments)-1]
		t.kind, t.list, t.scope, t.over = known.kind, known.list, join(parent), join(segments)
		if known.list {
			t.over = t.scope
		} else {
			t.names = []string{last}
		}
		return t, true
	}
	return t, false
}

func join(segments []string) string { return strings.TrimSuffix("/"+strings.Join(segments, "/"), "/") }

// name is the resource's own, empty for a list.
func (t target) name() string {
	if t.list || len(t.names) == 0 {
		return ""
	}
	return t.names[len(t.names)-1]
}
