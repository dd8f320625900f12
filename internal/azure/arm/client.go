package arm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"k8s.io/utils/clock"
)

// Options are how Azure is reached.
type Options struct {
	// ClientOptions are the SDK's: Cloud (the public one if it is empty), Transport, and Retry, whose bounds are this package's
	// where they are zero.
	policy.ClientOptions
	// Clock is what waits are measured by.
	Clock clock.Clock
	// Poll is how often an operation that takes long is asked about, where Azure names no time itself; 0 is 5 seconds.
	Poll time.Duration
}

// Client speaks to Azure Resource Manager and to Microsoft Graph. It is safe for use by several goroutines; writes to one
// managed identity must come one after the other.
type Client struct {
	resources *service
	graph     *service
	clock     clock.Clock
	poll      time.Duration
}

// service is one API of Azure.
type service struct {
	name     string
	endpoint string
	pipeline runtime.Pipeline
}

// Bounds of retrying: a request is sent six times at most, and a Retry-After of more than a minute is not waited for.
const (
	retries    = 5
	retryDelay = time.Second
	longest    = time.Minute
	poll       = 5 * time.Second
)

// Graph is the key under which a cloud's services have Microsoft Graph; the SDK has no name for it.
const Graph cloud.ServiceName = "microsoftGraph"

// New makes a client with the login of a credential. It sends nothing.
func New(credential azcore.TokenCredential, o Options) (*Client, error) {
	if o.Retry.MaxRetries == 0 {
		o.Retry = policy.RetryOptions{MaxRetries: retries, RetryDelay: retryDelay, MaxRetryDelay: longest}
	}
	o.Telemetry.ApplicationID = cmp.Or(o.Telemetry.ApplicationID, "secretstore")
	login := explainingCredential{credential}
	// Registering resource providers writes to the subscription, which nobody asked for: the error names the command.
	inner, err := azarm.NewClient("secretstore", "v1.0.0", login, &azarm.ClientOptions{
		ClientOptions: kept(o.ClientOptions, managementEndpoint(o.Cloud)), DisableRPRegistration: true,
	})
	if err != nil {
		return nil, fmt.Errorf("making a client of Azure Resource Manager: %w", err)
	}
	endpoint := graphEndpoint(o.Cloud)
	pipeline := runtime.NewPipeline("secretstore", "v1.0.0", runtime.PipelineOptions{
		PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(login, []string{endpoint + "/.default"}, nil)},
	}, new(kept(o.ClientOptions, endpoint)))
	return &Client{
		resources: &service{"Azure Resource Manager", inner.Endpoint(), inner.Pipeline()},
		graph:     &service{"Microsoft Graph", endpoint, pipeline},
		clock:     o.Clock, poll: cmp.Or(o.Poll, poll),
	}, nil
}

// managementEndpoint is where a cloud has Azure Resource Manager, of the public one where it is not said, as in the SDK.
func managementEndpoint(c cloud.Configuration) string {
	if known, ok := c.Services[cloud.ResourceManager]; ok {
		return known.Endpoint
	}
	return cloud.AzurePublic.Services[cloud.ResourceManager].Endpoint
}

// graphEndpoint is where a cloud has Microsoft Graph: by its services, else by its authority.
// Source: https://learn.microsoft.com/graph/deployments.
func graphEndpoint(c cloud.Configuration) string {
	if known, ok := c.Services[Graph]; ok {
		return strings.TrimSuffix(known.Endpoint, "/")
	}
	switch strings.TrimSuffix(c.ActiveDirectoryAuthorityHost, "/") {
	case strings.TrimSuffix(cloud.AzureGovernment.ActiveDirectoryAuthorityHost, "/"):
		return "https://graph.microsoft.us"
	case strings.TrimSuffix(cloud.AzureChina.ActiveDirectoryAuthorityHost, "/"):
		return "https://microsoftgraph.chinacloudapi.cn"
	}
	return "https://graph.microsoft.com"
}

// call is one request, and the words that its error is made of.
type call struct {
	// doing is what it is for, such as `making the managed identity shop`.
	doing string
	// role is the one that permits it, for the cure.
	role   string
	method string
	path   string
	query  url.Values
	body   any
}

// at adds the API version, and further members of the query as pairs.
func (c call) at(version string, pairs ...string) call {
	c.query = url.Values{}
	if version != "" {
		c.query.Set("api-version", version)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		c.query.Set(pairs[i], pairs[i+1])
	}
	return c
}

// send sends a call and reads the answer into a value, which may be nil. It returns the status of a success.
func (s *service) send(ctx context.Context, c call, into any) (int, error) {
	response, err := s.raw(ctx, c, "")
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }() // nothing is written to it
	if into == nil || response.StatusCode == http.StatusNoContent {
		return response.StatusCode, nil
	}
	return response.StatusCode, s.decode(c, response, into)
}

// maxAnswer bounds what is read of an answer: a page of Azure's is far below it.
const maxAnswer = 16 << 20

func (s *service) decode(c call, response *http.Response, into any) error {
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		// Not the error's own text, which quotes the answer.
		return &Error{
			Doing: c.doing, Place: c.path, Service: s.name, Status: response.StatusCode,
			Message: "the answer is none that this API gives", Cure: "is there a proxy in between?",
		}
	}
	return nil
}

// raw sends a call, or the page of it that a link names, and returns a successful answer.
func (s *service) raw(ctx context.Context, c call, link string) (*http.Response, error) {
	if why := wrongPath(c.path); why != "" {
		return nil, &Error{Doing: c.doing, Place: c.path, Service: s.name, Message: why}
	}
	address := s.endpoint + (&url.URL{Path: c.path}).EscapedPath()
	if len(c.query) > 0 {
		// A plus is a blank in forms only.
		address += "?" + strings.ReplaceAll(c.query.Encode(), "+", "%20")
	}
	if link != "" {
		if !strings.HasPrefix(link, s.endpoint+"/") { // the token would go along
			return nil, &Error{Doing: c.doing, Place: c.path, Service: s.name, Message: "the next page is said to be on another host"}
		}
		address = link
	}
	request, err := runtime.NewRequest(ctx, c.method, address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.doing, err)
	}
	if c.body != nil {
		if err := runtime.MarshalAsJSON(request, c.body); err != nil {
			return nil, fmt.Errorf("%s: %w", c.doing, err)
		}
	}
	request.Raw().Header.Set("Accept", "application/json")
	if err := begin(ctx, c.method); err != nil {
		return nil, err
	}
	response, err := s.pipeline.Do(request)
	if err != nil {
		return nil, s.unanswered(c, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		defer func() { _ = response.Body.Close() }() // nothing is written to it
		return nil, s.refused(c, response)
	}
	return response, nil
}

// page is a list as Azure gives it.
type page[T any] struct {
	Value []T    `json:"value"`
	Next  string `json:"nextLink"`
	// OData is the next page's link of Graph.
	OData string `json:"@odata.nextLink"`
}

// maxPages ends a list whose pages name each other for ever.
const maxPages = 1000

// list reads all pages.
func list[T any](ctx context.Context, s *service, c call) ([]T, error) {
	c.method = http.MethodGet
	all := []T{}
	link := ""
	for range maxPages {
		response, err := s.raw(ctx, c, link)
		if err != nil {
			return nil, err
		}
		var p page[T]
		err = s.decode(c, response, &p)
		_ = response.Body.Close() // nothing is written to it
		if err != nil {
			return nil, err
		}
		all = append(all, p.Value...)
		if link = cmp.Or(p.Next, p.OData); link == "" {
			return all, nil
		}
	}
	return nil, &Error{Doing: c.doing, Place: c.path, Service: s.name, Message: "the list does not end"}
}

// long sends a call that Azure works on after it has answered, and waits for the end. It says whether there was anything to do.
func (c *Client) long(ctx context.Context, request call) (bool, error) {
	response, err := c.resources.raw(ctx, request, "")
	if err != nil {
		return false, err
	}
	if response.StatusCode == http.StatusNoContent {
		return false, response.Body.Close()
	}
	poller, err := runtime.NewPoller[json.RawMessage](response, c.resources.pipeline, nil)
	if err == nil {
		_, err = poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: c.poll})
	}
	if err != nil {
		return false, c.resources.unfinished(request, err)
	}
	return true, nil
}

// repeat does what is refused for a while after something else was done, until it is not, at most some times: each wait is
// twice the one before.
func (c *Client) repeat(ctx context.Context, again func(error) bool, do func() error) error {
	const times, first = 8, 2 * time.Second // in all about 4 minutes
	wait := first
	for try := 1; ; try++ {
		err := do()
		if err == nil || try == times || !again(err) {
			return err
		}
		timer := c.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C():
		}
		wait *= 2
	}
}
