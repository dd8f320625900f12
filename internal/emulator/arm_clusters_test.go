package emulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/kubernetesconfiguration/armkubernetesconfiguration/v2"
	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/state"
)

func TestClustersTellTheirIssuer(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{})
	token := f.armToken(readerID, armScope)
	properties := func(version string) map[string]any {
		r := f.call(http.MethodGet, armPath(clusterID, version), token, "")
		p, _ := r.json(t)["properties"].(map[string]any)
		return p
	}
	want := map[string]any{"enabled": true, "issuerUrl": f.issuer.URL + "/"}
	if diff := cmp.Diff(want, properties("2024-12-01-preview")["oidcIssuerProfile"]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"workloadIdentity": map[string]any{"enabled": true}}, properties("2024-12-01-preview")["securityProfile"]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	old := properties("2024-01-01")
	if _, has := old["oidcIssuerProfile"]; has || old["connectivityStatus"] != "Connected" {
		t.Errorf("a version from before the profiles: got %v", old)
	}
	if err := f.State().SetIssuer(clusterID, "https://other/", false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"enabled": true, "issuerUrl": "https://other/"}, properties("2024-12-01-preview")["oidcIssuerProfile"]); diff != "" {
		t.Errorf("changed: -want +got\n%s", diff)
	}
	if list := f.call(http.MethodGet, armPath(groupID+"/providers/Microsoft.Kubernetes/connectedClusters", "2024-01-01"), token, "").body; !strings.Contains(list, clusterID) {
		t.Errorf("listed: got %s", list)
	}
}

// TestExtensionsComeAndGo: by long-running operations, which the SDK's pollers follow.
func TestExtensionsComeAndGo(t *testing.T) {
	f := startARM(t, false, state.ManagementSettings{OperationMilliseconds: 50, PageSize: 1})
	client := f.extensions()
	at := []string{"Microsoft.Kubernetes", "connectedClusters", "edge"}
	polling := &runtime.PollUntilDoneOptions{Frequency: time.Millisecond}
	existing, err := client.Get(t.Context(), "rg", at[0], at[1], at[2], "akvsecretsprovider", nil)
	if err != nil || *existing.Properties.ExtensionType != "microsoft.azurekeyvaultsecretsprovider" || *existing.Properties.CurrentVersion != "1.7.2" ||
		*existing.Properties.Scope.Cluster.ReleaseNamespace != "kube-system" || *existing.Properties.ConfigurationSettings["secrets-store-csi-driver.syncSecret.enabled"] != "true" {
		t.Errorf("the seeded one: got %+v, %v", existing.Properties, err)
	}
	wanted := armkubernetesconfiguration.Extension{Properties: &armkubernetesconfiguration.ExtensionProperties{
		ExtensionType: new("microsoft.azure.secretstore"), ReleaseTrain: new("preview"), AutoUpgradeMinorVersion: new(false), Version: new("1.2.3"),
		Scope:                          &armkubernetesconfiguration.Scope{Cluster: &armkubernetesconfiguration.ScopeCluster{ReleaseNamespace: new("azure-secret-store")}},
		ConfigurationSettings:          map[string]*string{"rotationPollIntervalInSeconds": new("3600")},
		ConfigurationProtectedSettings: map[string]*string{"token": new("canary-protected")},
	}}
	creating, err := client.BeginCreate(t.Context(), "rg", at[0], at[1], at[2], "ssarcextension", wanted, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.BeginCreate(t.Context(), "rg", at[0], at[1], at[2], "ssarcextension", wanted, nil)
	refused(t, "meanwhile", err, 409, "OperationInProgress")
	made, err := creating.PollUntilDone(t.Context(), polling)
	if err != nil || *made.Properties.ProvisioningState != "Succeeded" || *made.Properties.Version != "1.2.3" || *made.Properties.ReleaseTrain != "preview" {
		t.Fatalf("made: got %+v, %v", made.Properties, err)
	}
	if len(made.Properties.ConfigurationProtectedSettings) != 0 {
		t.Error("protected settings are told")
	}
	names := func() (names []string) {
		all, _ := collect(t, client.NewListPager("rg", at[0], at[1], at[2], nil), func(p armkubernetesconfiguration.ExtensionsClientListResponse) []*armkubernetesconfiguration.Extension {
			return p.Value
		})
		for _, e := range all {
			names = append(names, *e.Name)
		}
		return names
	}
	if diff := cmp.Diff([]string{"akvsecretsprovider", "ssarcextension"}, names()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	deleting, err := client.BeginDelete(t.Context(), "rg", at[0], at[1], at[2], "akvsecretsprovider", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deleting.PollUntilDone(t.Context(), polling); err != nil {
		t.Errorf("deleted: %v", err)
	}
	if diff := cmp.Diff([]string{"ssarcextension"}, names()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if err := f.State().SetManagementSettings(state.ManagementSettings{OperationFailure: "the agent is away"}); err != nil {
		t.Fatal(err)
	}
	deleting, err = client.BeginDelete(t.Context(), "rg", at[0], at[1], at[2], "ssarcextension", nil)
	if err == nil {
		_, err = deleting.PollUntilDone(t.Context(), polling)
	}
	if err == nil || !strings.Contains(err.Error(), "the agent is away") {
		t.Errorf("a deletion that fails: %v", err)
	}
	if diff := cmp.Diff([]string{"ssarcextension"}, names()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestOperationsAreFollowed: step by step, with the headers that tell where and when to look.
func TestOperationsAreFollowed(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{OperationMilliseconds: 5000, RetryAfterSeconds: 3})
	token := f.armToken(operatorID, armScope)
	extension := armPath(clusterID+"/providers/Microsoft.KubernetesConfiguration/extensions/akvsecretsprovider", "2023-05-01")
	deleting := f.call(http.MethodDelete, extension, token, "")
	link := deleting.header.Get("Azure-AsyncOperation")
	if deleting.status != 202 || link == "" || link != deleting.header.Get("Location") || deleting.header.Get("Retry-After") != "3" {
		t.Fatalf("got %d %v", deleting.status, deleting.header)
	}
	status := func() any { return f.call(http.MethodGet, link, token, "").json(t)["status"] }
	if got := status(); got != "Deleting" {
		t.Errorf("at first: got %v", got)
	}
	if body := f.call(http.MethodGet, extension, token, "").body; !strings.Contains(body, `"provisioningState":"Deleting"`) {
		t.Errorf("at first: got %s", body)
	}
	f.clock.Step(5 * time.Second)
	if got := status(); got != "Succeeded" {
		t.Errorf("at last: got %v", got)
	}
	f.expect(t, "at last", http.MethodGet, extension, token, "", 404, "ResourceNotFound")
	created := f.call(http.MethodPut, extension, token, `{"properties":{"extensionType":"x"}}`)
	if created.status != 201 || created.header.Get("Azure-AsyncOperation") == "" || !strings.Contains(created.body, `"provisioningState":"Creating"`) {
		t.Errorf("got %d %s", created.status, created.body)
	}
}
