// Package cluster is the [act.Cluster] of a real API server: it looks at objects, changes them, takes changes back, and looks at
// gates, for somebody who may do all that by their own kubeconfig.
//
// Promises:
//   - No blind write. Each carries the UID and the resourceVersion of the object that was looked at, or a version that no object
//     has where there was none; what somebody else changed meanwhile is not touched.
//   - No value of a Secret is in an error, in what a gate lacks, or in what a look gives: of a Secret's errors the reason alone
//     is told, since the API server's own text may quote what it refuses.
//   - A Secret that is handed over (handover.go) is there at every moment, with the same bytes.
//   - What is forbidden is named by verb and resource, so that an administrator can allow it.
//
// It fails by *act.ConflictError, *act.ClosedError, *HeldError, and by errors that wrap [act.ErrStopped] where a person is
// needed.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/utils/clock"

	"secretstore/internal/azure/entra"
	"secretstore/internal/migrate/act"
	"secretstore/internal/migrate/model"
	"secretstore/internal/source"
	"secretstore/internal/source/akv"
)

// fieldManager is who is said to have changed an object.
const fieldManager = "kubectl-secretstore"

const (
	// requestTimeout bounds each request where the kubeconfig has no bound.
	requestTimeout = 30 * time.Second
	// pollEvery is how often an object that is on its way out is looked at.
	pollEvery = 500 * time.Millisecond
	// leaseDuration is how long a holder that says nothing is believed to live; renewEvery how often one says that it does.
	leaseDuration, renewEvery = 15 * time.Second, 3 * time.Second
	// A vault is read no faster than the controller reads it beside us.
	vaultRequestsPerSecond, vaultsAtOnce = 20, 4
)

// Options say how a cluster is reached and what is done beside it. Config, Clouds, Clock, Chance, Tell and Save are required.
type Options struct {
	Config *rest.Config
	// Mapper finds the resource of a kind; nil for one that asks the API server, and asks again for kinds that it has not met.
	Mapper meta.RESTMapper
	// Clouds are where vaults are reached, for the gate that compares with what they give.
	Clouds entra.Clouds
	Clock  clock.WithTickerAndDelayedExecution
	// Chance gives a number from 0 up to 1, another one each time.
	Chance func() float64
	// Tell is given what a person should read and no gate waits for: who may read Secrets, what was passed over.
	Tell func(text string)
	// Save keeps a definition in the state folder, by its name; it must be on disk when Save returns.
	Save func(ctx context.Context, name string, definition map[string]any) error
	// DriverVersion is the CSI driver's, as the inventory tells it, such as v1.6.0; empty if it is not known.
	DriverVersion string
	// Folder names what only one live process can have, such as a locked state folder (state.Lock.ID): a Lease of its name is of a
	// process that has ended, and is taken at once. Empty has every Lease waited for.
	Folder string
	// PassVaults opens the gate that compares with the vaults where a vault cannot be reached from this machine.
	PassVaults bool
}

// Cluster is an API server. Make it by [New]; it is safe for concurrent use.
type Cluster struct {
	options Options
	dynamic dynamic.Interface
	typed   kubernetes.Interface
	mapper  meta.RESTMapper
	vaults  source.Source
	// silence and renew are leaseDuration and renewEvery; tests are in more of a hurry.
	silence, renew time.Duration
}

var _ act.Cluster = (*Cluster)(nil)

// New makes a Cluster. It asks the API server nothing.
func New(o Options) (*Cluster, error) {
	config := rest.CopyConfig(o.Config)
	config.QPS = -1 // no limit of ours: an API server that is asked too much says so, and is asked again when it says
	if config.Timeout == 0 {
		config.Timeout = requestTimeout
	}
	c := &Cluster{options: o, mapper: o.Mapper, silence: leaseDuration, renew: renewEvery}
	c.options.Config = config
	var errs [4]error
	c.dynamic, errs[0] = dynamic.NewForConfig(config)
	c.typed, errs[1] = kubernetes.NewForConfig(config)
	c.vaults, errs[3] = akv.New(akv.Options{
		Clouds: o.Clouds, Token: c.assertion, Observer: noObserver{}, Clock: o.Clock, Chance: o.Chance,
		RequestsPerSecond: vaultRequestsPerSecond, AtOnce: vaultsAtOnce,
	})
	if c.mapper == nil {
		var about *discovery.DiscoveryClient
		about, errs[2] = discovery.NewDiscoveryClientForConfig(config)
		c.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(about))
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("making clients of the cluster: %w", err)
	}
	return c, nil
}

// Look implements [act.Cluster].
func (c *Cluster) Look(ctx context.Context, step model.Change) (act.Sight, error) {
	switch {
	case step.Verb == model.Create:
		return c.lookCreate(ctx, step)
	case keeperOf(step) != nil:
		return c.lookKept(ctx, step)
	case step.Verb == model.Edit && isSecret(step.Object):
		return c.lookHandOver(ctx, step)
	case step.Verb == model.Edit:
		return c.lookEdit(ctx, step)
	case step.Verb == model.Delete:
		return c.lookDelete(ctx, step)
	}
	return act.Sight{}, notOurs(step)
}

// Apply implements [act.Cluster]. What it gives of an object is what stands there now; Before stays what was seen.
func (c *Cluster) Apply(ctx context.Context, step model.Change, seen act.Sight, dry bool) (act.Sight, error) {
	switch {
	case step.Verb == model.Create:
		return c.create(ctx, step, seen, dry)
	case keeperOf(step) != nil:
		return c.keep(ctx, step, seen, dry)
	case step.Verb == model.Edit && isSecret(step.Object):
		return c.handOver(ctx, step, seen, dry)
	case step.Verb == model.Edit:
		return c.edit(ctx, step, seen, dry)
	case step.Verb == model.Delete:
		return c.remove(ctx, step.Object, seen, dry)
	}
	return act.Sight{}, notOurs(step)
}

// notOurs says that a step is none of an object.
func notOurs(step model.Change) error {
	return fmt.Errorf("%s: a step of the kind %q changes no object of the cluster", step.ID, step.Verb)
}
