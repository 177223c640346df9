package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// A witness is an http.RoundTripper that holds every exchange against the
// contract and notes what it saw.
type witness struct {
	t        testing.TB
	contract *contract
	next     http.RoundTripper
}

// An exchange is a request and its answer, both read to their end.
type exchange struct {
	request  *http.Request
	sent     []byte
	response *http.Response
	received []byte
}

func (e exchange) String() string {
	return fmt.Sprintf("%s %s → %d", e.request.Method, e.request.URL.RequestURI(), e.response.StatusCode)
}

func (w witness) RoundTrip(r *http.Request) (*http.Response, error) {
	e := exchange{request: r}
	if r.Body != nil {
		e.sent, _ = io.ReadAll(r.Body) // a reader of the test's own memory
		length := r.ContentLength
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(e.sent)), length
	}
	var err error
	if e.response, err = w.next.RoundTrip(r); err != nil {
		return nil, err
	}
	defer e.response.Body.Close()
	if e.received, err = io.ReadAll(e.response.Body); err != nil {
		return nil, err
	}
	e.response.Body = io.NopCloser(bytes.NewReader(e.received))
	if err := w.contract.check(e); err != nil {
		w.t.Errorf("%s breaks the contract: %v\nit answered: %.600s", e, err, e.received)
	}
	return e.response, nil
}

// check holds one exchange against the contract.
func (c *contract) check(e exchange) error {
	route, params, reason := c.find(e.request)
	if route == nil {
		return c.checkUnrouted(e, reason)
	}
	response := route.Operation.Responses.Status(e.response.StatusCode)
	if response == nil {
		return fmt.Errorf("%s has no answer %d", route.Operation.OperationID, e.response.StatusCode)
	}
	if err := c.checkResponse(e, route.Operation.OperationID, response); err != nil {
		return err
	}
	return checkRequest(e, route, params)
}

// checkUnrouted holds an exchange for which the contract has no operation
// against what it says of such paths and methods.
func (c *contract) checkUnrouted(e exchange, reason string) error {
	if reason == unknownPath {
		if e.response.StatusCode != http.StatusNotFound {
			return fmt.Errorf("the path is unknown; want 404")
		}
		return c.checkResponse(e, reason, c.doc.Components.Responses["UnknownPath"])
	}
	if e.response.StatusCode != http.StatusMethodNotAllowed {
		return fmt.Errorf("the path does not have this method; want 405")
	}
	if err := c.checkResponse(e, reason, c.doc.Components.Responses["MethodNotAllowed"]); err != nil {
		return err
	}
	return c.checkAllow(e)
}

// checkAllow wants Allow to list the methods that the contract has for the path.
func (c *contract) checkAllow(e exchange) error {
	var want []string
	for _, method := range []string{"DELETE", "GET", "PATCH", "POST", "PUT"} {
		r := e.request.Clone(e.request.Context())
		r.Method = method
		if route, _, _ := c.find(r); route != nil {
			want = append(want, method)
		}
	}
	if i := slices.Index(want, "GET"); i >= 0 {
		want = slices.Insert(want, i+1, "HEAD")
	}
	if got := e.response.Header.Get("Allow"); got != strings.Join(want, ", ") {
		return fmt.Errorf("Allow is %q, want %q", got, strings.Join(want, ", "))
	}
	return nil
}

// checkResponse validates headers and body, and notes that the answer came.
func (c *contract) checkResponse(e exchange, operation string, response *openapi3.ResponseRef) error {
	if err := checkHeaders(e.response.Header, response.Value); err != nil {
		return err
	}
	seen := sighting{operation, e.response.StatusCode, ""}
	if len(response.Value.Content) == 0 && len(e.received) > 0 {
		return fmt.Errorf("it has a body of %d bytes, want none", len(e.received))
	}
	if err := c.validate(e, response); err != nil {
		return err
	}
	if e.request.Method == http.MethodHead {
		return nil // it proves nothing of the body that GET answers
	}
	var err error
	if seen.code, err = checkProblem(e, response.Value); err == nil {
		c.note(seen)
	}
	return err
}

// validate has the library look at headers and body. The response is put up
// as the answer to a GET with a status of no meaning, because the library
// does not look at the answers to HEAD, nor at 304.
func (c *contract) validate(e exchange, response *openapi3.ResponseRef) error {
	const anyStatus = 299
	get := &http.Request{Method: http.MethodGet, URL: e.request.URL}
	route := &routers.Route{Spec: c.doc, Operation: &openapi3.Operation{
		Responses: openapi3.NewResponses(openapi3.WithStatus(anyStatus, response))}}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: get, Route: route},
		Status:                 anyStatus,
		Header:                 e.response.Header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			MultiError:            true,
			ExcludeResponseBody:   e.request.Method == http.MethodHead,
		},
	}
	return openapi3filter.ValidateResponse(e.request.Context(), in.SetBodyBytes(e.received))
}

// checkHeaders reports a header that the contract does not tell of and that
// is not HTTP's own affair.
func checkHeaders(h http.Header, response *openapi3.Response) error {
	own := []string{"Content-Type", "Content-Length", "Content-Encoding", "Accept-Ranges", "Date", "Vary",
		"X-Content-Type-Options", "Connection"}
	documented := map[string]bool{}
	for name := range response.Headers {
		documented[http.CanonicalHeaderKey(name)] = true // ETag and WWW-Authenticate are not as Go writes them
	}
	for name := range h {
		if !documented[name] && !slices.Contains(own, name) {
			return fmt.Errorf("it has a header that the contract does not tell of: %s", name)
		}
	}
	return nil
}

// checkProblem holds a problem document against the status that it came with
// and against the codes documented for it, and returns its code.
func checkProblem(e exchange, response *openapi3.Response) (string, error) {
	codes := problemCodes(response)
	if len(codes) == 0 {
		return "", nil
	}
	var p problem
	if err := json.Unmarshal(e.received, &p); err != nil {
		return "", err
	}
	if p.Status != e.response.StatusCode || p.Title != http.StatusText(p.Status) {
		return "", fmt.Errorf("the problem tells %d %q", p.Status, p.Title)
	}
	if !slices.Contains(codes, p.Code) {
		return "", fmt.Errorf("the problem's code is %q, want one of %q", p.Code, codes)
	}
	return p.Code, nil
}

// checkRequest wants contract and server to agree on whether the request was
// right: what the one refuses, the other must not accept. A request whose
// fault OpenAPI has no words for says so by [beyondOpenAPI].
func checkRequest(e exchange, route *routers.Route, params map[string]string) error {
	if e.request.Context().Value(beyondOpenAPI{}) != nil {
		return nil
	}
	err := openapi3filter.ValidateRequest(e.request.Context(), &openapi3filter.RequestValidationInput{
		Request: replayed(e), PathParams: params, Route: route,
		Options: &openapi3filter.Options{SkipSettingDefaults: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	switch e.response.StatusCode {
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		if err == nil {
			return fmt.Errorf("the request was refused, but openapi.yaml allows it")
		}
	default:
		if err != nil {
			return fmt.Errorf("the request was accepted, but openapi.yaml does not allow it: %w", err)
		}
	}
	return nil
}

// replayed returns the request as it was sent, to be read once more.
func replayed(e exchange) *http.Request {
	r := e.request.Clone(e.request.Context())
	r.Body = io.NopCloser(bytes.NewReader(e.sent))
	return r
}

// unescaped returns path parameters as the server sees them; the router
// leaves them as they were sent.
func unescaped(params map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range params {
		out[name], _ = url.PathUnescape(value)
	}
	return out
}
