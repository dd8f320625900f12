package secretsync

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"

	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
	"secretstore/internal/kube"
	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
	"secretstore/internal/source"
)

// check is one check of one SecretSync.
type check struct {
	*Reconciler

	in       input
	occasion occasion
	began    time.Time
	// drifted says that the Secret was found to be changed by hand: the values are needed, whatever the vault says of them.
	drifted bool
	// lookDue says that it is time to look at the Secret, whatever becomes of asking the vault.
	lookDue bool

	answers []source.Answer
	live    *kube.Live
	// learnt is what to remember of the check.
	learnt remembered
}

// run does the check and says what came of it.
func (c *check) run(ctx context.Context) outcome.Result {
	result := outcome.Result{
		Generation: c.in.sync.Generation, Inputs: c.in.inputs, Force: c.in.sync.Spec.ForceSynchronization,
	}
	if err := c.act(ctx, &result); err != nil {
		result.Fault = fault.Of(err)
		if result.Fault.Kind != fault.Deferred && !c.stale(result.Fault) {
			logFault(logr.FromContextOrDiscard(ctx), result.Fault)
		}
	}
	result.Time = c.Clock.Now()
	if result.Fault == nil {
		c.learnt = c.occasion.learn(c.in, c.answers, result.Time)
	} else if wait, away := c.Schedule.Outage(string(c.in.sync.UID), result.Fault, result.Time); away {
		c.learnt.confirm = result.Time.Add(wait)
	}
	return result
}

// act does the work of a check, noting in result what it learns and does. The vault is asked first, so that a check which has to
// wait for its turn costs the API server nothing; but a Secret that was in the way at the latest check is looked at before.
func (c *check) act(ctx context.Context, result *outcome.Result) error {
	for _, warning := range c.in.todo.params.Warnings {
		result.Warnings = append(result.Warnings, fmt.Sprintf("SecretProviderClass %s: %s", c.in.class.Name, warning))
	}
	if c.in.flaw == nil && !secretAtFault(c.in.sync.Status) {
		if err := c.fetch(ctx, c.seen()); err != nil {
			return err
		}
	}
	if err := c.look(ctx, result); err != nil {
		return err
	}
	if c.in.flaw != nil {
		return c.in.flaw
	}
	found, err := c.data(ctx)
	if err != nil {
		return err
	}
	if found.data == nil {
		return found.fault
	}
	return c.write(ctx, found, result)
}

// seen are the stamps to ask with.
func (c *check) seen() []source.Stamp {
	if c.drifted || !secretdata.Comparable(c.DigestKey, c.in.sync.Status.SyncHash) {
		return nil
	}
	return c.Memory.recall(nameOf(c.in)).seen(c.in)
}

// fetch asks the source. Its error says that it is not this check's turn, that the check was interrupted, or that there is
// nothing new to tell.
func (c *check) fetch(ctx context.Context, seen []source.Stamp) error {
	request := c.in.todo.request
	request.Seen, request.NotBefore = seen, c.occasion.notBefore
	request.Who, request.Wake = nameOf(c.in).String(), c.wake()
	if c.occasion.edited {
		request.Edited = c.occasion.news
	}
	c.answers = c.Source.Fetch(ctx, request)
	for _, answer := range c.answers {
		if f := fault.Of(answer.Err); f != nil && (f.Kind == fault.Deferred || f.Kind == fault.Cancelled || c.stale(f)) {
			return f
		}
	}
	return nil
}

// stale says whether a failure tells nothing that the status does not tell: nothing was asked, and nothing is to be looked at.
func (c *check) stale(f *fault.Error) bool {
	status := c.in.sync.Status
	return f.Unsent && !c.lookDue && status.ObservedGeneration == c.in.sync.Generation && status.ObservedInputs == c.in.inputs &&
		outcome.Tells(status, f)
}

// wake gives what brings this SecretSync back when its turn comes.
func (c *check) wake() func() {
	name := nameOf(c.in)
	return func() {
		if queue := c.queue.Load(); queue != nil {
			(*queue).Add(request(name))
		}
	}
}

// look looks at the Secret. Where no check has been made yet there is none to expect, and none is looked for: writing finds out.
func (c *check) look(ctx context.Context, result *outcome.Result) (err error) {
	if c.in.sync.Status.LastCheckTime == nil {
		return nil
	}
	if c.live, err = c.Secrets.Look(ctx, ownerOf(c.in)); err != nil {
		return err
	}
	result.Secret = outcome.SecretAbsent
	if c.live != nil {
		result.Secret = stateOf(c.in.sync, c.live.Value)
	}
	return nil
}

// data is what to write of what the source answered. Values of objects that have not changed are those that the Secret has; if it
// does not have them any more, all are fetched.
func (c *check) data(ctx context.Context) (merged, error) {
	if c.answers == nil || (slices.ContainsFunc(c.answers, unchanged) && !c.holdsUnchanged()) {
		if err := c.fetch(ctx, nil); err != nil {
			return merged{}, err
		}
	}
	todo := c.in.todo
	results, changed, held := c.sort()
	data, failed := secretdata.Build(todo.secretType, changed, secretdata.Collect(todo.params, results))
	maps.Copy(data, held)
	found := merge(todo, data, failed, c.live.Value, c.Partial)
	if err := secretdata.CheckData(todo.secretType, found.data); err != nil {
		return merged{}, itemFault(err)
	}
	return found, nil
}

// sort parts what has been read, by object, and the mappings that take from it, from the values that the Secret keeps.
func (c *check) sort() (results map[int]secretdata.Result, changed []secretdata.Mapping, held map[string]redact.Bytes) {
	results, held = map[int]secretdata.Result{}, map[string]redact.Bytes{}
	todo := c.in.todo
	for i, answer := range c.answers {
		if !answer.Unchanged {
			results[todo.mapped[i]] = answer.Result
		}
	}
	for _, m := range todo.mappings {
		ref, err := todo.params.Resolve(m.SourcePath)
		if _, read := results[ref.Object]; err != nil || read {
			changed = append(changed, m)
		} else {
			held[m.TargetKey], _ = c.live.Value(m.TargetKey)
		}
	}
	return results, changed, held
}

func unchanged(answer source.Answer) bool { return answer.Unchanged }

// holdsUnchanged says whether the Secret still holds what the latest check wrote, so that values of objects that have not changed
// can be taken from it. In typed Secrets keys may belong together: there all must be unchanged.
func (c *check) holdsUnchanged() bool {
	all := !slices.ContainsFunc(c.answers, func(a source.Answer) bool { return !a.Unchanged })
	if c.live == nil || (!all && c.in.todo.secretType != corev1.SecretTypeOpaque) {
		return false
	}
	return c.digest(c.in, c.live) == c.in.sync.Status.SyncHash
}

// write writes the Secret and notes what that did.
func (c *check) write(ctx context.Context, found merged, result *outcome.Result) error {
	object := c.in.sync.Spec.SecretObject
	desired := kube.Desired{
		Owner: ownerOf(c.in), Type: c.in.todo.secretType, Labels: object.Labels, Annotations: object.Annotations, Data: found.data,
	}
	change, err := c.put(ctx, desired, result)
	if err != nil {
		return err
	}
	result.Secret = stateOf(c.in.sync, func(key string) (redact.Bytes, bool) {
		value, ok := found.data[key]
		return value, ok
	})
	result.Act = act(change)
	result.Items = found.items
	result.SyncHash = secretdata.Digest(c.DigestKey, c.in.todo.secretType, found.data)
	return faultOrNil(found.fault)
}

// put writes the Secret over the one that was looked at; at the first check it makes it, and looks only if one is there.
func (c *check) put(ctx context.Context, desired kube.Desired, result *outcome.Result) (kube.Change, error) {
	if c.in.sync.Status.LastCheckTime != nil {
		return c.Secrets.Write(ctx, c.live, desired)
	}
	made, err := c.Secrets.Create(ctx, desired)
	if made || err != nil {
		return kube.Created, err
	}
	live, err := c.Secrets.Look(ctx, desired.Owner)
	if err != nil {
		return kube.Unchanged, err
	}
	if live != nil {
		result.Secret = stateOf(c.in.sync, live.Value)
	}
	return c.Secrets.Write(ctx, live, desired)
}

func act(change kube.Change) outcome.Act {
	switch change {
	case kube.Created:
		return outcome.Created
	case kube.ValueChanged, kube.MetadataChanged:
		return outcome.Updated
	case kube.Unchanged:
		return outcome.Nothing
	}
	return outcome.Nothing
}

// faultOrNil keeps a nil fault from becoming an error that is not nil.
func faultOrNil(f *fault.Error) error {
	if f == nil {
		return nil
	}
	return f
}
