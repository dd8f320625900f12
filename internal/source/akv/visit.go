package akv

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"secretstore/internal/fault"
	"secretstore/internal/secretdata"
	"secretstore/internal/source"
	"secretstore/internal/spcparams"
)

// visit answers one request: one check's way through what is shared.
type visit struct {
	source  *Source
	session *session
	vault   *vault
	request source.Request
}

// asked is one object of the request, with the client that reads its kind.
type asked struct {
	object spcparams.Object
	kind   *kindClient
	seen   source.Stamp
}

func (a asked) question(version string) question {
	return question{kind: a.object.Type, name: strings.ToLower(a.object.Name), version: version}
}

// answer answers for one object. All its errors are faults.
func (v visit) answer(ctx context.Context, object spcparams.Object, seen source.Stamp) source.Answer {
	kind, ok := v.vault.kinds[object.Type]
	if !ok {
		return failure(fault.New(fault.ClassInvalid, "object %s: there are no objects of type %q", object.Name, object.Type))
	}
	kind.sweep.edited(v.request.Edited)
	a := asked{object, kind, seen}
	if object.History > 1 {
		return v.answerHistory(ctx, a)
	}
	unchanged, listed := v.swept(ctx, a)
	if unchanged {
		return source.Answer{Stamp: seen, Unchanged: true, Read: listed}
	}
	one, began := v.version(ctx, a, object.Version, listed)
	answer := source.Answer{Result: secretdata.Result{Versions: []secretdata.Fetched{one.Fetched}}, Read: began}
	if one.Err == nil && object.Version == "" && one.at > 0 {
		answer.Stamp = source.Stamp{Versions: one.String(), Updated: one.updated, Read: one.at}
	}
	return answer
}

func failure(err error) source.Answer { return source.Answer{Result: secretdata.Result{Err: err}} }

// swept tells from a list of all objects whether one is as it was seen, and when the list was made, if there is one.
func (v visit) swept(ctx context.Context, a asked) (unchanged bool, listed time.Time) {
	if a.object.Version != "" || a.seen == (source.Stamp{}) {
		return false, time.Time{}
	}
	list, began, ok := v.list(ctx, a)
	if !ok || !list.unchanged(a.object.Name, a.seen) {
		return false, began
	}
	v.source.options.Observer.Saved(v.vault.name, SavedBySweep)
	return true, began
}

// list is the list of all objects that is held, or a new one if that is worthwhile.
func (v visit) list(ctx context.Context, a asked) (list listing, began time.Time, ok bool) {
	everything, most := question{kind: a.object.Type}, 0
	if !v.vault.lists.has(everything, v.request.NotBefore) {
		if most = a.kind.sweep.worthwhile(v.source.options.Clock.Now()); most == 0 {
			return listing{}, time.Time{}, false
		}
	}
	f, _, err := v.vault.lists.get(ctx, everything, v.request.NotBefore, func() (listing, bool) {
		list := v.readAll(ctx, a, most)
		return list, !forOneOnly(list.err)
	})
	if err != nil {
		return listing{}, time.Time{}, false
	}
	return f.value, f.began, f.value.err == nil
}

// readAll lists all objects, and notes what that says of listing them again.
func (v visit) readAll(ctx context.Context, a asked, most int) listing {
	var pages int
	list := v.readList(ctx, a, func(ctx context.Context) (entries []entry, err error) {
		entries, pages, err = a.kind.reader.list(ctx, most)
		if errors.Is(err, errTooLong) {
			pages = longer(pages)
			return nil, nil // no failure: the vault has answered all that it was asked
		}
		return entries, err
	})
	switch {
	case list.err == nil:
		a.kind.sweep.listed(pages)
		list.byName = byName(list.entries)
	case fault.Of(list.err).Kind == fault.PermissionMissing:
		a.kind.sweep.refuse(v.source.options.Clock.Now())
	}
	return list
}

func byName(entries []entry) map[string]entry {
	names := make(map[string]entry, len(entries))
	for _, e := range entries {
		names[strings.ToLower(e.name)] = e
	}
	return names
}

// forOneOnly says whether a failure says nothing to others who ask the same.
func forOneOnly(err error) bool {
	if err == nil {
		return false
	}
	kind := fault.Of(err).Kind
	return kind == fault.Cancelled || kind == fault.Deferred || kind == fault.TokenRefused
}

// answerHistory lists the versions of an object, and reads those that it asks for, unless they are as they were seen.
func (v visit) answerHistory(ctx context.Context, a asked) source.Answer {
	f, ours, err := v.vault.lists.get(ctx, a.question(""), v.request.NotBefore, func() (listing, bool) {
		list := v.readList(ctx, a, func(ctx context.Context) ([]entry, error) { return a.kind.reader.versions(ctx, a.object.Name) })
		return list, !forOneOnly(list.err)
	})
	if err != nil {
		return failure(v.explain(err, a, "", true))
	}
	v.saved(ours)
	if f.value.err != nil {
		return failure(f.value.err)
	}
	picked, err := pick(f.value.entries, a.object)
	if err != nil {
		return failure(err)
	}
	versions, updated := stateOfAll(picked)
	if a.seen.Versions == versions && settled(a.seen, updated) {
		return source.Answer{Stamp: a.seen, Unchanged: true, Read: f.began}
	}
	answer := v.readPicked(ctx, a, picked, f.began)
	if answer.Stamp.Read > 0 {
		answer.Stamp.Versions, answer.Stamp.Updated = versions, updated
	} else {
		answer.Stamp = source.Stamp{}
	}
	answer.Read = f.began
	return answer
}

// readPicked reads the versions, the latest first, after they were listed. The stamp has the time only at which the first of them
// was read, or none if one failed. Of versions that were made within the same second only the vault knows which one is the
// current one.
func (v visit) readPicked(ctx context.Context, a asked, picked []entry, listed time.Time) (answer source.Answer) {
	read := make([]int64, 0, len(picked)+1)
	if sameSecond(picked, a.object) {
		current, _ := v.version(ctx, a, "", listed)
		picked, read = putFirst(picked, current.Version), append(read, current.at)
	}
	for _, e := range picked {
		one, _ := v.version(ctx, a, e.version, listed)
		answer.Versions, read = append(answer.Versions, one.Fetched), append(read, one.at)
	}
	answer.Stamp.Read = slices.Min(read)
	return answer
}

// version gives one version, the current one if version is "", read by this visit or by another, not before the list.
func (v visit) version(ctx context.Context, a asked, version string, listed time.Time) (reading, time.Time) {
	notBefore := v.request.NotBefore
	if listed.After(notBefore) {
		notBefore = listed
	}
	f, ours, err := v.vault.readings.get(ctx, a.question(version), notBefore, func() (reading, bool) {
		one := v.readVersion(ctx, a, version)
		return one, !forOneOnly(one.Err)
	})
	if err != nil {
		return reading{Fetched: secretdata.Fetched{Version: version, Err: v.explain(err, a, version, false)}}, time.Time{}
	}
	v.saved(ours)
	return f.value, f.began
}

func (v visit) saved(ours bool) {
	if !ours {
		v.source.options.Observer.Saved(v.vault.name, SavedByOthers)
	}
}

func (v visit) readVersion(ctx context.Context, a asked, version string) (one reading) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	began := v.source.options.Clock.Now()
	err := a.kind.gate.do(ctx, v.refusal, func() (err error) {
		one, err = a.kind.reader.get(ctx, a.object.Name, version)
		return err
	})
	if err != nil {
		v.session.note(began, err)
		return reading{Fetched: secretdata.Fetched{Version: version, Err: v.explain(err, a, version, false)}}
	}
	return one
}

func (v visit) readList(ctx context.Context, a asked, list func(context.Context) ([]entry, error)) (found listing) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	began := v.source.options.Clock.Now()
	err := a.kind.gate.do(ctx, v.refusal, func() (err error) {
		found.entries, err = list(ctx)
		return err
	})
	if err != nil {
		v.session.note(began, err)
		return listing{err: v.explain(err, a, "", true)}
	}
	return found
}

// refusal is why asking is of no use: the identity has just been refused.
func (v visit) refusal() error {
	return v.session.refusal(v.request.NotBefore, v.source.options.Clock.Now())
}

func (v visit) explain(err error, a asked, version string, listing bool) *fault.Error {
	return explain(err, operation{vault: v.vault.name, object: a.object, version: version, listing: listing})
}
