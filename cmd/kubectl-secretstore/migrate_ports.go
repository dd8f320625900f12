package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"k8s.io/utils/clock"

	"secretstore/internal/azure/arm"
	"secretstore/internal/azure/entra"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/az"
	"secretstore/internal/migrate/cluster"
	"secretstore/internal/migrate/install"
	"secretstore/internal/migrate/model"
)

// azurePort is Azure by the operator's own login.
type azurePort struct{ runner *az.Runner }

var _ act.Azure = azurePort{}

// loadClouds are Azure's clouds and those of files.
func loadClouds(files []string) (entra.Clouds, error) {
	own := make([]entra.Cloud, 0, len(files))
	for _, file := range files {
		cloud, err := entra.LoadCloud(file)
		if err != nil {
			return entra.Clouds{}, fmt.Errorf("--cloud-file: %w", err)
		}
		own = append(own, cloud)
	}
	return entra.NewClouds(own...), nil
}

// openAzure finds the login; it asks nobody yet.
func openAzure(p program, o model.Options, clouds entra.Clouds) (act.Azure, error) {
	client, err := arm.Open(arm.Login{Environment: p.env, Tenant: o.Azure.Tenant}, clock.RealClock{})
	if err != nil {
		return nil, fmt.Errorf("%w; or leave Azure to somebody else with --no-azure", err)
	}
	transport, err := entra.PublicCloud().HTTPClient()
	if err != nil {
		return nil, fmt.Errorf("reaching Entra: %w", err)
	}
	return azurePort{&az.Runner{
		ARM: client, Subscription: o.Azure.Subscription, Clouds: clouds, Transport: transport,
	}}, nil
}

// Run implements act.Azure.
func (a azurePort) Run(ctx context.Context, command []string, begin func() error) (string, bool, error) {
	output, did, err := a.runner.Run(arm.Before(ctx, begin), command)
	if unsupported, is := errors.AsType[*az.UnsupportedError](err); is {
		return output, did, &act.ByHandError{Command: command, Why: unsupported.Error()}
	}
	return output, did, err
}

// Reverse implements act.Azure.
func (azurePort) Reverse(command []string) ([]string, bool) { return az.Reverse(command) }

// Exchange implements act.Azure.
func (a azurePort) Exchange(ctx context.Context, gate model.Gate, of model.Token, token string) error {
	err := a.runner.Exchange(ctx, gate, of, token)
	if err != nil && ctx.Err() == nil {
		return &act.ClosedError{Lacking: []string{err.Error()}, Wait: entra.MayPass(err)}
	}
	return err
}

// ports fills in by what a runner acts. folder is the ID of the state folder's lock, empty where it is not locked.
func (r *migrationRun) ports(tell func(string), folder string) (act.Runner, error) {
	config, err := restConfig(r.cluster, r.program.ErrOut)
	if err != nil {
		return act.Runner{}, err
	}
	clouds, err := loadClouds(r.act.cloudFiles)
	if err != nil {
		return act.Runner{}, err
	}
	target, err := cluster.New(cluster.Options{
		Config: config, Clouds: clouds, Clock: clock.RealClock{}, Chance: rand.Float64, Tell: tell,
		DriverVersion: r.report.Installed.DriverVersion, PassVaults: r.act.passVaults, Folder: folder,
		Save: func(_ context.Context, name string, definition map[string]any) error {
			return r.state.SaveObject("definition-"+name+".yaml", definition)
		},
	})
	if err != nil {
		return act.Runner{}, err
	}
	chart, err := install.New(config, clock.RealClock{})
	if err != nil {
		return act.Runner{}, err
	}
	runner := act.Runner{
		Cluster: target, Clock: clock.RealClock{}, Install: chart.Install, Remove: chart.Remove, Found: act.Find(r.snapshot, r.report),
	}
	if !r.options.NoAzure {
		runner.Azure, err = openAzure(r.program, r.options, clouds)
	}
	return runner, err
}
