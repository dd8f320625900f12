package rig

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/test/chart"
	"secretstore/test/migration/estate"
)

// Agents are what acts on a cluster by itself while it is taken over. Their methods may be called from several goroutines.
type Agents struct {
	rig    *Rig
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done is closed

	extension func(context.Context) (bool, error)
	parts     []*unstructured.Unstructured
	driver    bool // whether the driver was there when it was looked at last
	installed bool // whether the controller was
}

// StartAgents begins what Arc's agents and the nodes do besides: the driver, whose objects are parts, goes when its extension
// is not there any more, and comes back with it; and the controller of this project runs, as a process, while its Deployment is
// there.
func (r *Rig) StartAgents(
	ctx context.Context, extension func(context.Context) (bool, error), parts []*unstructured.Unstructured,
) *Agents {
	ctx, cancel := context.WithCancel(ctx)
	a := &Agents{rig: r, cancel: cancel, done: make(chan struct{}), extension: extension, parts: parts, driver: true}
	go func() {
		defer close(a.done)
		every(ctx, 2*lookEvery, func(ctx context.Context) {
			err := errors.Join(a.followExtension(ctx), a.followController(ctx))
			away := utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) // a restart
			if err != nil && !away && ctx.Err() == nil && a.err == nil {
				a.err = err
			}
		})
	}()
	return a
}

// Stop ends them, and tells what went wrong first. The driver and the controller stay as they are.
func (a *Agents) Stop() error {
	a.cancel()
	<-a.done
	return a.err
}

// followExtension is Arc's agent.
func (a *Agents) followExtension(ctx context.Context) error {
	there, err := a.extension(ctx)
	if err != nil || there == a.driver {
		return err
	}
	a.driver = there
	if there {
		if _, err := estate.Apply(ctx, a.rig.Cluster.Config(), a.parts); err != nil {
			return fmt.Errorf("installing the driver: %w", err)
		}
		a.rig.Driver.Start()
		return nil
	}
	a.rig.Driver.Stop()
	for _, part := range a.parts {
		if err := client.IgnoreNotFound(a.rig.Client.Delete(ctx, part.DeepCopy())); err != nil {
			return fmt.Errorf("removing the driver: %w", err)
		}
	}
	return nil
}

// followController is the node that the controller runs on.
func (a *Agents) followController(ctx context.Context) error {
	err := a.rig.Client.Get(ctx, client.ObjectKey{Namespace: chart.Namespace, Name: chart.Account}, &appsv1.Deployment{})
	switch {
	case err == nil && !a.installed:
		a.installed = true
		return a.rig.Stack.StartInstalled(context.WithoutCancel(ctx))
	case apierrors.IsNotFound(err) && a.installed:
		a.installed = false
		return a.rig.Stack.Controller.Stop()
	}
	return client.IgnoreNotFound(err)
}
