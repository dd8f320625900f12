package vault

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"secretstore/internal/emulator/state"
)

// maxPage is how many items a page has at most (learn.microsoft.com, rest/api/keyvault: get-secrets).
const maxPage = 25

// token is what a $skiptoken means: the last item of the page before. As it names an item and no position, lists stay whole
// while others change them, and no client knows of another.
type token struct {
	NextMarker     string
	TargetLocation int
}

// listPage is the answer to a list.
type listPage struct {
	Value    []view  `json:"value"`
	NextLink *string `json:"nextLink"`
}

// page answers the part of a sorted list that a request asks for: versions of one object, or objects.
func (s *Service) page(r *request, items []state.Item, versions bool) (answer, *refusal) {
	query := r.URL.Query()
	size, refused := pageSize(query.Get("maxresults"))
	if refused != nil {
		return answer{}, refused
	}
	marker := func(i state.Item) string { return strings.ToLower(i.Name) }
	if versions {
		marker = func(i state.Item) string { return i.ID }
	}
	if given := query.Get("$skiptoken"); given != "" {
		after, refused := readToken(given)
		if refused != nil {
			return answer{}, refused
		}
		start, found := slices.BinarySearchFunc(items, after, func(i state.Item, t string) int { return cmp.Compare(marker(i), t) })
		if found {
			start++
		}
		items = items[start:]
	}
	page := listPage{Value: []view{}}
	for _, item := range items[:min(size, len(items))] {
		version := ""
		if versions {
			version = item.ID
		}
		page.Value = append(page.Value, s.listed(r.kind, item, version))
	}
	if len(items) > size {
		page.NextLink = nextLink(r, query, marker(items[size-1]))
	}
	return ok(page)
}

func pageSize(given string) (int, *refusal) {
	if given == "" {
		return maxPage, nil
	}
	size, err := strconv.Atoi(given)
	if err != nil || size < 1 || size > maxPage { // no capture
		return 0, badParameter("maxresults must be a value between 1 and %d", maxPage)
	}
	return size, nil
}

// nextLink leads to the host that the client asked, by the name and the port that it used.
func nextLink(r *request, query url.Values, last string) *string {
	encoded, err := json.Marshal(token{NextMarker: last})
	if err != nil { // a struct of a text and a number
		return nil
	}
	query.Set("$skiptoken", base64.RawURLEncoding.EncodeToString(encoded))
	link := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawQuery: query.Encode()}
	text := link.String()
	return &text
}

func readToken(text string) (string, *refusal) {
	var t token
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(decoded, &t)
	}
	if err != nil { // no capture
		return "", badParameter("The $skiptoken is not one of this service.")
	}
	return t.NextMarker, nil
}
