package main

import (
	"context"
	"time"

	"k8s.io/utils/clock"

	"secretstore/internal/azure/arm"
	"secretstore/internal/migrate/model"
	"secretstore/internal/migrate/read"
)

// azurePatience is how long Azure is asked in all. A login with many subscriptions takes some seconds.
const azurePatience = 2 * time.Minute

// askAzure adds what Azure knows to what was read, unless Azure is left to others. Without a login or a word on where things are
// in Azure the plan is made without it, and a finding says so.
func (m migration) askAzure(ctx context.Context, p program, s *model.Snapshot) {
	if m.options.NoAzure {
		return
	}
	in, login := m.options.Azure, arm.Login{Environment: p.env, Tenant: m.options.Azure.Tenant}
	if in.Subscription == "" && in.Cluster == "" && !login.Asked() {
		s.Findings = append(s.Findings, model.Find(model.AzureNotAsked, model.Object{}, "",
			"Azure was not asked for the cluster, its extensions and its vaults: nothing said where they are."))
		return
	}
	client, err := arm.Open(login, clock.RealClock{})
	if err != nil {
		s.Findings = append(s.Findings, model.Find(model.AzureNoLogin, model.Object{}, "", "%s.", err))
		return
	}
	ctx, stop := context.WithTimeout(ctx, azurePatience)
	defer stop()
	var findings []model.Finding
	s.Azure, findings = read.Azure(ctx, client, in, read.VaultNames(s.Objects))
	s.Findings = append(s.Findings, findings...)
}
