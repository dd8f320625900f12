package secretsync

import (
	"errors"
	"fmt"

	"secretstore/api/secretsync/v1alpha1"
	"secretstore/internal/controller/outcome"
	"secretstore/internal/fault"
	"secretstore/internal/redact"
	"secretstore/internal/secretdata"
)

// values gives what a Secret holds under a key, if anything.
type values func(key string) (redact.Bytes, bool)

// merged is what to write of what could be had, and what to tell of the rest.
type merged struct {
	data  map[string]redact.Bytes
	items []outcome.Item
	fault *fault.Error
}

// merge decides what becomes of a Secret some of whose items could not be had. An item that failed keeps the value that the
// Secret has. If nothing could be had, or partial is false, nothing is to be written: data is nil. It is pure.
func merge(todo plan, data map[string]redact.Bytes, failed []secretdata.ItemError, held values, partial bool) merged {
	if len(failed) == 0 {
		return merged{data: data}
	}
	if !partial || len(data) == 0 {
		return merged{fault: summary(failed)}
	}
	reasons := map[string]*fault.Error{}
	for _, item := range failed {
		reasons[item.TargetKey] = itemFault(item)
		if value, ok := held(item.TargetKey); ok {
			data[item.TargetKey] = value
		}
	}
	if err := secretdata.CheckComplete(todo.secretType, data); err != nil {
		return merged{fault: summary(failed)} // the API server would refuse a Secret of this type without its keys
	}
	worst := summary(failed)
	worst.Message = fmt.Sprintf("%d of %d items could not be updated: %s", len(failed), len(todo.mappings), worst.Message)
	worst.Kind = fault.Partial
	return merged{data: data, items: itemsOf(todo.mappings, data, reasons), fault: worst}
}

// itemsOf tells of every item, in the order of the SecretSync.
func itemsOf(mappings []secretdata.Mapping, data map[string]redact.Bytes, reasons map[string]*fault.Error) []outcome.Item {
	items := make([]outcome.Item, 0, len(mappings))
	for _, m := range mappings {
		item := outcome.Item{SourcePath: m.SourcePath, TargetKey: m.TargetKey, State: outcome.ItemUpdated}
		if reason, bad := reasons[m.TargetKey]; bad {
			item.Error, item.State = reason.Message, outcome.ItemMissing
			if _, kept := data[m.TargetKey]; kept {
				item.State = outcome.ItemKept
			}
		}
		items = append(items, item)
	}
	return items
}

// summary is the one failure to report of several: the first, in the order of the mappings, with the number of the others
// that say something else.
func summary(failed []secretdata.ItemError) *fault.Error {
	first := *itemFault(failed[0])
	others := map[string]bool{}
	for _, item := range failed[1:] {
		f := itemFault(item)
		first.RetryAfter = max(first.RetryAfter, f.RetryAfter)
		if f.Message != first.Message {
			others[f.Message] = true
		}
	}
	if len(others) > 0 {
		first.Message += fmt.Sprintf(" (and %d more)", len(others))
	}
	return &first
}

// itemFault is the fault of an item that could not be had or is not fit to be written.
func itemFault(err error) *fault.Error {
	unfit, ok := errors.AsType[*secretdata.Error](err)
	if !ok {
		return fault.Of(err)
	}
	kind := fault.ObjectUnusable
	if unfit.Kind == secretdata.KindSpec {
		kind = fault.SpecInvalid
	}
	return fault.New(kind, "%s", oneLine(err))
}

// stateOf says what data hold of what the SecretSync maps.
func stateOf(sync *v1alpha1.SecretSync, held values) outcome.SecretState {
	for _, entry := range sync.Spec.SecretObject.Data {
		if _, ok := held(entry.TargetKey); !ok {
			return outcome.SecretIncomplete
		}
	}
	return outcome.SecretComplete
}
