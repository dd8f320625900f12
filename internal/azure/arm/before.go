package arm

import (
	"context"
	"net/http"
	"sync"
)

// beforeKey is the key of what is done before the first change.
type beforeKey struct{}

// Before gives a context in which something is done once, before the first request that may change anything, after all that was
// read to know whether anything has to be changed. If it fails, that request is not sent, nor is any other of the kind, and the
// error is its own.
func Before(ctx context.Context, do func() error) context.Context {
	return context.WithValue(ctx, beforeKey{}, sync.OnceValue(do))
}

// begin does what is to be done before a request.
func begin(ctx context.Context, method string) error {
	do, is := ctx.Value(beforeKey{}).(func() error)
	if !is || method == http.MethodGet {
		return nil
	}
	return do()
}
