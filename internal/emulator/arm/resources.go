package arm

import (
	"net/http"
	"regexp"
	"strings"

	"secretstore/internal/emulator/state"
)

type subscriptionView struct {
	ID             string `json:"id"`
	SubscriptionID string `json:"subscriptionId"`
	TenantID       string `json:"tenantId"`
	DisplayName    string `json:"displayName"`
	State          string `json:"state"`
}

func viewSubscription(s state.Subscription) subscriptionView {
	return subscriptionView{
		ID: "/subscriptions/" + s.ID, SubscriptionID: s.ID, TenantID: s.TenantID, DisplayName: s.Name, State: "Enabled",
	}
}

func (s *Service) getSubscription(r *request) (answer, *refusal) {
	subscription, _ := s.state.Subscription(r.subscription) // it was checked to exist
	return ok(viewSubscription(subscription))
}

// listSubscriptions gives those of the caller's tenant that it may read.
func (s *Service) listSubscriptions(r *request) (answer, *refusal) {
	var items []item
	for _, subscription := range s.state.Subscriptions() {
		id := "/subscriptions/" + subscription.ID
		if strings.EqualFold(subscription.TenantID, r.caller.TenantID) && s.mayRead(r, id, kindSubscriptions) {
			items = append(items, item{id, viewSubscription(subscription)})
		}
	}
	return s.page(r, items)
}

// mayRead says whether a caller may read something that a list is to have.
func (s *Service) mayRead(r *request, id, kind string) bool {
	return s.state.MayManage(r.caller.ObjectID, id, kind+"/read")
}

type groupView struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Location   string            `json:"location"`
	Properties map[string]string `json:"properties"`
}

func viewGroup(g state.ResourceGroup) groupView {
	return groupView{
		ID: state.GroupID(g.SubscriptionID, g.Name), Name: g.Name, Type: "Microsoft.Resources/resourceGroups",
		Location: g.Location, Properties: map[string]string{"provisioningState": "Succeeded"},
	}
}

func (s *Service) group(subscription, name string) (state.ResourceGroup, bool) {
	for _, group := range s.state.ResourceGroups(subscription) {
		if strings.EqualFold(group.Name, name) {
			return group, true
		}
	}
	return state.ResourceGroup{}, false
}

func (s *Service) getGroup(r *request) (answer, *refusal) {
	group, _ := s.group(r.subscription, r.group) // it was checked to exist
	return ok(viewGroup(group))
}

func (s *Service) listGroups(r *request) (answer, *refusal) {
	var items []item
	for _, group := range s.state.ResourceGroups(r.subscription) {
		if id := state.GroupID(group.SubscriptionID, group.Name); s.mayRead(r, id, kindGroups) {
			items = append(items, item{id, viewGroup(group)})
		}
	}
	return s.page(r, items)
}

// resourceView is what all resources have in common.
type resourceView struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Location string            `json:"location"`
	Tags     map[string]string `json:"tags"`
}

// listResources gives the resources of a subscription or group that a filter names and the caller may read.
func (s *Service) listResources(r *request) (answer, *refusal) {
	wanted, refused := readResourceFilter(r.URL.Query().Get("$filter"))
	if refused != nil {
		return answer{}, refused
	}
	var items []item
	for _, view := range s.resources() {
		if state.Covers(r.scope, view.ID) && wanted.fits(view) && s.mayRead(r, view.ID, view.Type) {
			items = append(items, item{view.ID, view})
		}
	}
	return s.page(r, items)
}

func (s *Service) resources() []resourceView {
	var list []resourceView
	for _, identity := range s.state.Identities() {
		list = append(list, viewIdentity(identity).resourceView)
	}
	for _, v := range s.state.Vaults() {
		list = append(list, s.viewVault(v).resourceView)
	}
	for _, cluster := range s.state.Clusters() {
		list = append(list, viewCluster(cluster).resourceView)
	}
	return list
}

// resourceFilter is a $filter of resources: members that must have a value.
type resourceFilter map[string]string

// readResourceFilter reads conditions joined by "and", which is what finds a resource by its name.
func readResourceFilter(text string) (resourceFilter, *refusal) {
	filter := resourceFilter{}
	if text == "" {
		return filter, nil
	}
	condition := regexp.MustCompile(`(?i)^\s*(resourceType|name|resourceGroup|location)\s+eq\s+'([^']*)'\s*$`)
	for part := range strings.SplitSeq(regexp.MustCompile(`(?i)\s+and\s+`).ReplaceAllString(text, "\x00"), "\x00") {
		found := condition.FindStringSubmatch(part)
		if found == nil {
			return nil, refuse(http.StatusBadRequest, "InvalidFilterInQueryString",
				"Invalid $filter '%s' specified in the query string.", text)
		}
		filter[strings.ToLower(found[1])] = found[2]
	}
	return filter, nil
}

func (f resourceFilter) fits(view resourceView) bool {
	t, _ := parse(view.ID)
	has := map[string]string{"resourcetype": view.Type, "name": view.Name, "resourcegroup": t.group, "location": view.Location}
	for member, value := range f {
		if !strings.EqualFold(has[member], value) {
			return false
		}
	}
	return true
}
