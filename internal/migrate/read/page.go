package read

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pageSize is how many objects are asked for at once: as kubectl does. It bounds memory: a page is dropped before the next.
const pageSize = 500

// fetch reads one page of a namespace, hands its objects on, and returns the page's metadata and how many it held.
type fetch func(ctx context.Context, namespace string, o metav1.ListOptions) (next metav1.ListInterface, count int, err error)

// pages reads all pages of a resource. What may not be read is noted, what is not served is none.
func (c *cluster) pages(ctx context.Context, r rule, namespaced bool, o metav1.ListOptions, fetch fetch) error {
	r.verb = "list"
	done := 0
	for _, namespace := range c.namespaces(namespaced) {
		count, err := c.pagesOf(ctx, r.resource, namespace, done, o, fetch)
		if err := c.allow(err, r); err != nil {
			return err
		}
		done += count
	}
	return nil
}

// pagesOf reads the pages of one namespace. A token that continues a list is good for five minutes or so; after that the API
// server gives one that goes on with the list as it is by then, or none, and the list starts again: what is named twice
// is dropped in the end.
func (c *cluster) pagesOf(ctx context.Context, text, namespace string, done int, o metav1.ListOptions, fetch fetch) (int, error) {
	o.Limit = pageSize
	count, restarts := 0, 0
	for {
		next, n, err := fetch(ctx, namespace, o)
		if apierrors.IsResourceExpired(err) && o.Continue != "" && restarts < 3 {
			o.Continue = continuation(err)
			restarts++
			continue
		}
		if err != nil {
			return count, err
		}
		count += n
		if c.options.Progress != nil {
			c.options.Progress(text, done+count)
		}
		if o.Continue = next.GetContinue(); o.Continue == "" {
			return count, nil
		}
	}
}

// continuation is the token that the answer to an expired one holds, empty to start again.
func continuation(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Continue
	}
	return ""
}
