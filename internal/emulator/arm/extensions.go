package arm

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/emulator/state"
)

const kindExtensions = "Microsoft.KubernetesConfiguration/extensions"

type extensionView struct {
	ID         string              `json:"id"`
	Name       string              `json:"name"`
	Type       string              `json:"type"`
	Properties extensionProperties `json:"properties"`
}

type extensionProperties struct {
	ExtensionType           string            `json:"extensionType"`
	AutoUpgradeMinorVersion *bool             `json:"autoUpgradeMinorVersion"`
	ReleaseTrain            string            `json:"releaseTrain"`
	Version                 *string           `json:"version"`
	CurrentVersion          string            `json:"currentVersion,omitempty"`
	Scope                   extensionScope    `json:"scope"`
	ConfigurationSettings   map[string]string `json:"configurationSettings"`
	// ProtectedSettings are taken and never told: Azure answers with the keys and null.
	ProtectedSettings map[string]*string `json:"configurationProtectedSettings,omitempty"`
	ProvisioningState string             `json:"provisioningState,omitempty"`
	ErrorInfo         *errorBody         `json:"errorInfo"`
	IsSystemExtension bool               `json:"isSystemExtension"`
}

// extensionScope has either member.
type extensionScope struct {
	Cluster   *clusterScope   `json:"cluster,omitempty"`
	Namespace *namespaceScope `json:"namespace,omitempty"`
}

type clusterScope struct {
	ReleaseNamespace string `json:"releaseNamespace"`
}

type namespaceScope struct {
	TargetNamespace string `json:"targetNamespace"`
}

func (s *Service) viewExtension(cluster state.Cluster, e state.Extension) extensionView {
	now, automatic := s.clock.Now(), !e.NoAutoUpgrade
	properties := extensionProperties{
		ExtensionType: e.Type, AutoUpgradeMinorVersion: &automatic, ReleaseTrain: e.ReleaseTrain,
		ConfigurationSettings: tags(e.Settings), ProvisioningState: e.State(now),
	}
	if e.NoAutoUpgrade {
		properties.Version = &e.Version
	}
	if properties.ProvisioningState == state.StateSucceeded {
		properties.CurrentVersion = e.Version
	}
	if failure := e.Failure(now); failure != "" {
		properties.ErrorInfo = &errorBody{Code: "ExtensionOperationFailed", Message: failure}
	}
	if e.TargetNamespace != "" {
		properties.Scope.Namespace = &namespaceScope{e.TargetNamespace}
	} else {
		properties.Scope.Cluster = &clusterScope{e.ReleaseNamespace}
	}
	return extensionView{ID: cluster.ExtensionID(e.Name), Name: e.Name, Type: kindExtensions, Properties: properties}
}

// parentCluster finds the cluster whose extensions are asked for.
func (s *Service) parentCluster(r *request) (state.Cluster, *refusal) {
	cluster, found := s.state.Cluster(r.scope)
	if !found {
		return cluster, parentNotFound(r.scope[strings.LastIndex(r.scope, "/")+1:])
	}
	return cluster, nil
}

func (s *Service) listExtensions(r *request) (answer, *refusal) {
	cluster, refused := s.parentCluster(r)
	if refused != nil {
		return answer{}, refused
	}
	var items []item
	for _, e := range cluster.Extensions {
		items = append(items, item{cluster.ExtensionID(e.Name), s.viewExtension(cluster, e)})
	}
	return s.page(r, items)
}

func (s *Service) getExtension(r *request) (answer, *refusal) {
	cluster, refused := s.parentCluster(r)
	if refused != nil {
		return answer{}, refused
	}
	e, found := extensionOf(cluster, r.name())
	if !found {
		return answer{}, resourceNotFound(r.target)
	}
	return ok(s.viewExtension(cluster, e))
}

func extensionOf(cluster state.Cluster, name string) (state.Extension, bool) {
	i := slices.IndexFunc(cluster.Extensions, func(e state.Extension) bool { return strings.EqualFold(e.Name, name) })
	if i < 0 {
		return state.Extension{}, false
	}
	return cluster.Extensions[i], true
}

// putExtension begins an installation or a change. The answer is the resource as it is then; its operation tells how it goes on.
func (s *Service) putExtension(r *request) (answer, *refusal) {
	var body struct {
		Properties extensionProperties `json:"properties"`
	}
	if refused := r.decode(&body); refused != nil {
		return answer{}, refused
	}
	if body.Properties.ExtensionType == "" { // no capture
		return answer{}, badRequest("BadRequest", "The property 'extensionType' is required.")
	}
	cluster, refused := s.parentCluster(r)
	if refused != nil {
		return answer{}, refused
	}
	operation, created, err := s.state.PutExtension(cluster.ResourceID(), body.Properties.extension(r.name()))
	if err != nil {
		return answer{}, explainExtension(r, err)
	}
	cluster, refused = s.parentCluster(r)
	if refused != nil {
		return answer{}, refused
	}
	e, _ := extensionOf(cluster, r.name()) // it was put there just now
	given, _ := made(created, s.viewExtension(cluster, e))
	given.header = s.underWay(r, operation, "Azure-AsyncOperation")
	return given, nil
}

// extension is what a request asks for.
func (p extensionProperties) extension(name string) state.Extension {
	e := state.Extension{
		Name: name, Type: p.ExtensionType, ReleaseTrain: p.ReleaseTrain, Settings: p.ConfigurationSettings,
		NoAutoUpgrade: p.AutoUpgradeMinorVersion != nil && !*p.AutoUpgradeMinorVersion,
	}
	if p.Version != nil {
		e.Version = *p.Version
	}
	if p.Scope.Namespace != nil {
		e.TargetNamespace = p.Scope.Namespace.TargetNamespace
	}
	if p.Scope.Cluster != nil {
		e.ReleaseNamespace = p.Scope.Cluster.ReleaseNamespace
	}
	return e
}

// explainExtension turns what the state says into Azure's words; no captures.
func explainExtension(r *request, err error) *refusal {
	switch {
	case errors.Is(err, state.ErrBusy):
		return conflict("OperationInProgress", "Another operation on the extension '%s' is in progress.", r.name())
	case errors.Is(err, state.ErrImmutable):
		return badRequest("ExtensionTypeNotUpdatable", "The extension type of '%s' cannot be changed.", r.name())
	default:
		return badRequest("ExtensionTypeAlreadyInstalled", "An extension of the type is installed on the cluster by another name.")
	}
}

func (s *Service) deleteExtension(r *request) (answer, *refusal) {
	cluster, refused := s.parentCluster(r)
	if refused != nil {
		return answer{}, refused
	}
	operation, err := s.state.DeleteExtension(cluster.ResourceID(), r.name())
	switch {
	case errors.Is(err, state.ErrUnknown):
		return answer{status: http.StatusNoContent}, nil
	case err != nil:
		return answer{}, explainExtension(r, err)
	}
	return answer{status: http.StatusAccepted, header: s.underWay(r, operation, "Azure-AsyncOperation", "Location")}, nil
}

// underWay are the headers by which a client follows an operation.
func (s *Service) underWay(r *request, operation state.Operation, headers ...string) map[string]string {
	link := url.URL{
		Scheme: "https", Host: r.Host, Path: operation.Extension + "/operations/" + operation.ID,
		RawQuery: "api-version=" + url.QueryEscape(r.URL.Query().Get("api-version")),
	}
	set := map[string]string{}
	for _, name := range headers {
		set[name] = link.String()
	}
	if after := s.state.ManagementSettings().RetryAfterSeconds; after > 0 {
		set["Retry-After"] = strconv.Itoa(after)
	}
	return set
}

type operationView struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`
	Status string     `json:"status"`
	Error  *errorBody `json:"error,omitempty"`
}

func (s *Service) getOperation(r *request) (answer, *refusal) {
	operation, found := s.state.Operation(r.name())
	if !found || !strings.EqualFold(operation.Extension, strings.TrimSuffix(r.over, "/operations/"+r.name())) {
		return answer{}, resourceNotFound(r.target)
	}
	status, failure := operation.State(s.clock.Now())
	view := operationView{ID: operation.Extension + "/operations/" + operation.ID, Name: operation.ID, Status: status}
	if failure != "" {
		view.Error = &errorBody{Code: "ExtensionOperationFailed", Message: failure}
	}
	given := answer{status: http.StatusOK, body: view}
	if status != state.StateSucceeded && status != state.StateFailed {
		given.header = s.underWay(r, operation)
	}
	return given, nil
}
