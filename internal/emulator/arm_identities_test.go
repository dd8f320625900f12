package emulator_test

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/msi/armmsi"
	"github.com/google/go-cmp/cmp"

	"secretstore/internal/emulator/state"
)

// TestConcurrentCredentialWritesConflict: one write at a time for each identity, each for as long as it takes.
func TestConcurrentCredentialWritesConflict(t *testing.T) {
	const conflicts = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
	f := startARM(t, true, state.ManagementSettings{CredentialWriteMilliseconds: 500})
	f.newIdentity("other")
	first := make(chan error, 2)
	go func() { first <- f.federate(t.Context(), "my-identity", "first", ownSubject) }()
	f.awaitWaiters(t, 1)
	refused(t, "a second write", f.federate(t.Context(), "my-identity", "second", ownSubject+"2"), 409, conflicts)
	_, err := f.msi().NewFederatedIdentityCredentialsClient().Delete(t.Context(), "rg", "my-identity", "cluster", nil)
	refused(t, "a deletion", err, 409, conflicts)
	go func() { first <- f.federate(t.Context(), "other", "first", ownSubject) }()
	f.awaitWaiters(t, 2)
	f.clock.Step(500 * time.Millisecond)
	for range 2 {
		if err := <-first; err != nil {
			t.Errorf("the first writes of two identities: %v", err)
		}
	}
	if err := f.State().SetManagementSettings(state.ManagementSettings{}); err != nil {
		t.Fatal(err)
	}
	if err := f.federate(t.Context(), "my-identity", "second", ownSubject+"2"); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// awaitWaiters waits until so many requests wait for the services' clock.
func (f *fixture) awaitWaiters(t *testing.T, n int) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for f.clock.Waiters() < n {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%d requests wait, want %d", f.clock.Waiters(), n)
		}
	}
}

// TestAtMostTwentyCredentials, and they are told page by page.
func TestAtMostTwentyCredentials(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{PageSize: 8})
	for i := range state.MaxFederatedCredentials - 1 { // the seed has one
		if err := f.federate(t.Context(), "my-identity", "cred-"+string(rune('a'+i)), ownSubject+string(rune('a'+i))); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "one too many", f.federate(t.Context(), "my-identity", "cred-z", ownSubject+"z"), 400, "BadRequest")
	if err := f.federate(t.Context(), "my-identity", "cred-a", ownSubject+"A"); err != nil {
		t.Errorf("changing one: %v", err)
	}
	pager := f.msi().NewFederatedIdentityCredentialsClient().NewListPager("rg", "my-identity", nil)
	all, pages := collect(t, pager, func(p armmsi.FederatedIdentityCredentialsClientListResponse) []*armmsi.FederatedIdentityCredential {
		return p.Value
	})
	if len(all) != 20 || pages != 3 {
		t.Errorf("got %d on %d pages, want 20 on 3", len(all), pages)
	}
	changed, err := f.msi().NewFederatedIdentityCredentialsClient().Get(t.Context(), "rg", "my-identity", "CRED-A", nil)
	if err != nil || *changed.Properties.Subject != ownSubject+"A" || *changed.Properties.Audiences[0] != "api://AzureADTokenExchange" {
		t.Errorf("the changed one is %+v, %v", changed.Properties, err)
	}
}

func TestIdentitiesAreListedAndTagged(t *testing.T) {
	f := startARM(t, true, state.ManagementSettings{PageSize: 2})
	clientID, objectID := f.newIdentity("b")
	f.newIdentity("c")
	identities := f.msi().NewUserAssignedIdentitiesClient()
	updated, err := identities.CreateOrUpdate(t.Context(), "rg", "B", armmsi.Identity{Location: new("westeurope"), Tags: map[string]*string{"team": new("shop")}}, nil)
	if err != nil || *updated.Properties.ClientID != clientID || *updated.Properties.PrincipalID != objectID || *updated.Properties.TenantID != tenantID || *updated.Tags["team"] != "shop" {
		t.Errorf("updated: got %+v, %v", updated.Properties, err)
	}
	names := func(list []*armmsi.Identity) (names []string) {
		for _, i := range list {
			names = append(names, *i.Name)
		}
		return names
	}
	byGroup, pages := collect(t, identities.NewListByResourceGroupPager("rg", nil), func(p armmsi.UserAssignedIdentitiesClientListByResourceGroupResponse) []*armmsi.Identity {
		return p.Value
	})
	if diff := cmp.Diff([]string{"b", "c", "my-identity"}, names(byGroup)); diff != "" || pages != 2 {
		t.Errorf("by group, %d pages: -want +got\n%s", pages, diff)
	}
	inEmpty, _ := collect(t, identities.NewListByResourceGroupPager("empty", nil), func(p armmsi.UserAssignedIdentitiesClientListByResourceGroupResponse) []*armmsi.Identity {
		return p.Value
	})
	if len(inEmpty) != 0 {
		t.Errorf("in an empty group: got %v", names(inEmpty))
	}
	bySubscription, _ := collect(t, identities.NewListBySubscriptionPager(nil), func(p armmsi.UserAssignedIdentitiesClientListBySubscriptionResponse) []*armmsi.Identity {
		return p.Value
	})
	if len(bySubscription) != 3 {
		t.Errorf("by subscription: got %v", names(bySubscription))
	}
}
