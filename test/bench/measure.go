package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"secretstore/api/secretsync/v1alpha1"
)

// The phases of a run.
const (
	// phaseCreate is from the controller's readiness until every Secret and status is there.
	phaseCreate = "create"
	// phaseCheck is until every SecretSync was checked once more, with nothing changed.
	phaseCheck = "check"
)

// entry is what is reported of one phase of one kind.
type entry struct {
	Shape           string  `json:"shape"`
	N               int     `json:"n"`
	Phase           string  `json:"phase"`
	WallS           float64 `json:"wall_s"`
	FloorS          float64 `json:"floor_s"`
	VaultRequests   int     `json:"vault_requests"`
	VaultReads      int     `json:"vault_reads"`
	VaultLists      int     `json:"vault_lists"`
	TokenRequests   int     `json:"token_requests"`
	APIServerWrites int     `json:"apiserver_writes"`
	CPUMsPerObject  float64 `json:"cpu_ms_per_object"`
	PeakAnonMiB     float64 `json:"peak_anon_mib"`
	Sweep           bool    `json:"sweep"`

	// floorCPU is what the phase's requests to the API server cost the floor's process, in milliseconds for each object. It is
	// shown, and bounds nothing.
	floorCPU float64
	// objects is how many secrets of the vault are mapped, which are all that it has.
	objects int
	// events are writes of events, entra what Entra was asked besides tokens. They are shown, and bound by nothing.
	events, entra int
}

// least is how many requests the vault must at least be asked in the phase: a read for each object, or a page of the list for
// each 25 of them.
func (e entry) least() int {
	const pageSize = 25
	if e.Phase == phaseCheck && e.Sweep {
		return (e.objects + pageSize - 1) / pageSize
	}
	return e.objects
}

// reading is all that is read at one moment.
type reading struct {
	counts counts
	cpu    time.Duration
	// peak is the most memory since the reading before.
	peak float64
}

// read takes the CPU time first: what the rest costs the machine is not the controller's.
func (l *lab) read(ctx context.Context, c *subject) (reading, error) {
	var r reading
	var err error
	if r.cpu, err = c.cpu(); err != nil {
		return r, err
	}
	if r.peak, err = c.takePeak(); err != nil {
		return r, err
	}
	r.counts, err = l.counts(ctx)
	return r, err
}

// trial is one measurement of one kind.
type trial struct {
	lab   *lab
	place place
	kind  kind
	// interval is the controller's, and patience how long a phase may take.
	interval, patience time.Duration

	// floorSyncs are what the floor writes for, trip what a token and an answer take.
	floorSyncs []*v1alpha1.SecretSync
	trip       time.Duration
	// created and checked are the statuses at the end of the phases.
	created, checked map[string]v1alpha1.SecretSyncStatus
}

// run makes the objects, lets the controller do both phases, and lets the floor write the same.
func (t *trial) run(ctx context.Context) ([]entry, error) {
	if _, err := t.lab.furnish(ctx, t.place.namespace(), t.place); err != nil {
		return nil, err
	}
	var err error
	if t.floorSyncs, err = t.lab.furnish(ctx, t.place.floorNamespace(), t.place); err != nil {
		return nil, err
	}
	if t.trip, err = t.lab.roundTrip(ctx, t.place); err != nil {
		return nil, err
	}
	entries, err := t.figures(ctx)
	if err != nil {
		return nil, err
	}
	return entries, t.floors(ctx, entries)
}

// figures measures the controller.
func (t *trial) figures(ctx context.Context) (entries []entry, err error) {
	before, err := t.lab.counts(ctx)
	if err != nil {
		return nil, err
	}
	following, cancel := context.WithCancel(ctx)
	defer cancel()
	f, err := t.lab.follow(following, t.place.namespace())
	if err != nil {
		return nil, err
	}
	c, err := t.lab.startController(ctx, t.flags()...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	ready, start := time.Now(), reading{counts: before}
	if start.cpu, err = c.cpu(); err != nil {
		return nil, err
	}
	create, end, err := t.phase(ctx, f, c, phaseCreate, start, created)
	if err != nil {
		return nil, err
	}
	create.WallS = round(create.last.Sub(ready).Seconds())
	if end.cpu, err = t.told(ctx, c, ready.Add(t.interval*3/4)); err != nil {
		return nil, err
	}
	create.CPUMsPerObject = perObject(end.cpu-start.cpu, create.N)
	t.created = f.statuses()
	check, _, err := t.phase(ctx, f, c, phaseCheck, end, checkedSince(t.created))
	if err != nil {
		return nil, err
	}
	check.WallS = round(check.last.Sub(check.first).Seconds())
	t.checked = f.statuses()
	return []entry{create.entry, check.entry}, t.secretsExist(ctx)
}

// timed is an entry whose time is not yet counted: first and last say when the first and the last SecretSync were done.
type timed struct {
	entry

	first, last time.Time
}

// phase waits until all SecretSyncs are as wanted, and tells what that took since an earlier reading.
func (t *trial) phase(ctx context.Context, f *follower, c *subject, name string, from reading,
	wanted func(*v1alpha1.SecretSync) bool,
) (timed, reading, error) {
	waiting, cancel := context.WithTimeout(ctx, t.patience)
	defer cancel()
	first, last, err := f.await(waiting, t.place.syncs, c.process.Ended, wanted)
	if err != nil {
		return timed{}, reading{}, err
	}
	to, err := t.lab.read(ctx, c)
	if err == nil {
		to.counts, err = t.lab.settled(ctx, to.counts)
	}
	return timed{entry: t.entry(name, from, to), first: first, last: last}, to, err
}

// told waits until the events of the creation are sent, which are held back so that they hold up nothing, and gives the CPU
// time until then: what creation costs is not a check's. It does not wait beyond the given moment, before checks are due.
func (t *trial) told(ctx context.Context, c *subject, until time.Time) (time.Duration, error) {
	waiting, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	tick := time.NewTicker(quiet)
	defer tick.Stop()
	for before := -1; ; {
		now, err := t.lab.counts(ctx)
		if err != nil {
			return 0, err
		}
		if now.events == before {
			return c.cpu()
		}
		before = now.events
		select {
		case <-waiting.Done():
			return c.cpu()
		case <-tick.C:
		}
	}
}

// quiet is long beside the pauses between events that wait.
const quiet = 3 * time.Second

// flags make the controller serve the trial's namespace alone, so that what other trials left behind costs it nothing.
func (t *trial) flags() []string {
	return []string{
		"--namespaces=" + t.place.namespace(), "--workers=" + strconv.Itoa(workers), "--driftCheckIntervalInSeconds=0",
		"--rotationPollIntervalInSeconds=" + strconv.Itoa(int(t.interval.Seconds())),
		"--vaultRequestsPerSecond=" + strconv.Itoa(vaultBudget),
	}
}

// entry makes an entry of two readings, without its times.
func (t *trial) entry(phase string, from, to reading) entry {
	asked := to.counts.minus(from.counts)
	n := t.place.syncs
	return entry{
		Shape: t.kind.shape, N: n, Phase: phase, Sweep: t.kind.sweep,
		VaultRequests: asked.vault, VaultReads: asked.reads, VaultLists: asked.lists, TokenRequests: asked.tokens,
		APIServerWrites: asked.writes,
		CPUMsPerObject:  perObject(to.cpu-from.cpu, n),
		PeakAnonMiB:     round(to.peak),
		objects:         t.place.objects, events: asked.events, entra: asked.entra,
	}
}

// floors measures the least that each phase could take, on the same machine within the same minute.
func (t *trial) floors(ctx context.Context, entries []entry) error {
	create, check := &entries[0], &entries[1]
	writes, cpu, err := costs(func() error { return t.lab.writeSecrets(ctx, t.place, t.floorSyncs, t.created) })
	if err != nil {
		return err
	}
	create.FloorS, create.floorCPU = round(floor(writes, create.least(), t.trip)), perObject(cpu, create.N)
	_, looks, err := costs(func() error { return t.lab.lookAtSecrets(ctx, t.floorSyncs) })
	if err != nil {
		return err
	}
	writes, cpu, err = costs(func() error { return t.lab.writeStatuses(ctx, t.floorSyncs, t.created, t.checked) })
	if err != nil {
		return err
	}
	check.FloorS, check.floorCPU = round(floor(writes, check.least(), t.trip)), perObject(looks+cpu, check.N)
	return nil
}

// secretsExist makes sure that the statuses tell the truth.
func (t *trial) secretsExist(ctx context.Context) error {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	err := t.lab.admin.List(ctx, list, client.InNamespace(t.place.namespace()), client.HasLabels{v1alpha1.SecretLabel})
	if err != nil {
		return fmt.Errorf("listing Secrets: %w", err)
	}
	if len(list.Items) != t.place.syncs {
		return fmt.Errorf("%d SecretSyncs say that their Secrets exist, and %d Secrets do", t.place.syncs, len(list.Items))
	}
	return nil
}

// perObject is milliseconds for each of n objects.
func perObject(spent time.Duration, n int) float64 {
	return round(float64(spent.Microseconds()) / 1000 / float64(n))
}

// round leaves three decimals.
func round(value float64) float64 {
	const thousand = 1000
	return math.Round(value*thousand) / thousand
}
