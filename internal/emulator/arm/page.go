package arm

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// item is a resource in a list, with its ID.
type item struct {
	id   string
	view any
}

// listPage is the answer to a list. The last one has no link.
type listPage struct {
	Value    []any  `json:"value"`
	NextLink string `json:"nextLink,omitempty"`
}

// page answers the part of a list that a request asks for. A page's token names the last item of the page before and no
// position, so lists stay whole while others change them.
func (s *Service) page(r *request, items []item) (answer, *refusal) {
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(strings.ToLower(a.id), strings.ToLower(b.id)) })
	query := r.URL.Query()
	if given := query.Get("$skiptoken"); given != "" {
		after, err := base64.RawURLEncoding.DecodeString(given)
		if err != nil { // no capture
			return answer{}, badRequest("InvalidSkipToken", "The provided skip token '%s' is not valid.", given)
		}
		items = slices.DeleteFunc(items, func(i item) bool { return strings.ToLower(i.id) <= string(after) })
	}
	size, refused := s.pageSize(query.Get("$top"), len(items))
	if refused != nil {
		return answer{}, refused
	}
	page := listPage{Value: []any{}}
	for _, i := range items[:size] {
		page.Value = append(page.Value, i.view)
	}
	if size < len(items) {
		query.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(strings.ToLower(items[size-1].id))))
		next := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawQuery: query.Encode()}
		page.NextLink = next.String()
	}
	return answer{status: http.StatusOK, body: page}, nil
}

// pageSize is how many of the items that are left fit into a page.
func (s *Service) pageSize(top string, left int) (int, *refusal) {
	size := left
	if most := s.state.ManagementSettings().PageSize; most > 0 {
		size = min(size, most)
	}
	if top == "" {
		return size, nil
	}
	wanted, err := strconv.Atoi(top)
	if err != nil || wanted < 1 { // no capture
		return 0, badRequest("InvalidTopParameter", "The value '%s' of $top is not a positive number.", top)
	}
	return min(size, wanted), nil
}
