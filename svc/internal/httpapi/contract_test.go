package httpapi_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// TestContract drives the whole API over HTTP. Every exchange of it is held
// against openapi.yaml in both directions, and at its end every answer that
// openapi.yaml documents must have been seen.
func TestContract(t *testing.T) {
	c := loadContract(t)
	t.Run("api", func(t *testing.T) {
		for name, part := range map[string]func(*testing.T, *contract){
			"application lifecycle":     applicationLifecycle,
			"application refusals":      applicationRefusals,
			"application ownership":     applicationOwnership,
			"configuration lifecycle":   configurationLifecycle,
			"configuration refusals":    configurationRefusals,
			"configuration names":       configurationNames,
			"patch":                     patching,
			"versions":                  versions,
			"history refusals":          historyRefusals,
			"time travel":               timeTravel,
			"diffs":                     diffs,
			"forgotten history":         forgotten,
			"changes are told":          changesAreTold,
			"audits":                    audits,
			"observers":                 observers,
			"pages":                     pages,
			"preconditions on writes":   preconditionsOnWrites,
			"preconditions on reads":    preconditionsOnReads,
			"exactness":                 exactness,
			"sizes":                     sizes,
			"concurrent writers":        concurrentWriters,
			"store faults":              storeFaults,
			"faults without a trace":    noTraceToLookFor,
			"watching":                  watchRequests,
			"long polls":                longPolls,
			"least revisions":           leastRevisions,
			"access and limits":         accessAndLimits,
			"routes":                    routesOfTheContract,
			"operation":                 operation,
			"the contract about itself": contractDocuments,
			"recorded conversation":     recordedConversation,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				part(t, c)
			})
		}
	})
	c.checkAllSeen(t)
}

// A contract is openapi.yaml, and which of its answers have been seen.
type contract struct {
	doc    *openapi3.T
	router routers.Router

	mu   sync.Mutex
	seen map[sighting]bool
}

// A sighting is one documented answer: of an operation, or of the paths and
// methods that have none.
type sighting struct {
	operation string
	status    int
	code      string // of the problem, if it was one
}

func (s sighting) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %d %s", s.operation, s.status, s.code))
}

func loadContract(t *testing.T) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Fatalf("openapi.yaml is not a valid OpenAPI document: %v", err)
	}
	closeSchemas(doc)
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	openapi3filter.RegisterBodyDecoder("application/openmetrics-text", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
	return &contract{doc: doc, router: router, seen: map[sighting]bool{}}
}

// closeSchemas refuses every member of an answer that the contract does not
// name. To clients the contract leaves answers open, so that they may gain
// fields; here a field that it does not tell of is a mistake. Request bodies
// are as strict as the contract says.
func closeSchemas(doc *openapi3.T) {
	closed := false
	for name, s := range doc.Components.Schemas {
		if len(s.Value.Properties) > 0 && !isRequestBody(doc, "#/components/schemas/"+name) {
			s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &closed}
		}
	}
}

func isRequestBody(doc *openapi3.T, ref string) bool {
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.RequestBody == nil {
				continue
			}
			for _, media := range op.RequestBody.Value.Content {
				if media.Schema.Ref == ref {
					return true
				}
			}
		}
	}
	return false
}

// Names under which the answers of no operation are noted.
const (
	unknownPath      = "unknown path"
	methodNotAllowed = "method not allowed"
)

// documented lists the answers that openapi.yaml promises.
func (c *contract) documented() []sighting {
	all := sightings(unknownPath, "404", c.doc.Components.Responses["UnknownPath"])
	all = append(all, sightings(methodNotAllowed, "405", c.doc.Components.Responses["MethodNotAllowed"])...)
	for _, item := range c.doc.Paths.Map() {
		for _, op := range item.Operations() {
			for status, response := range op.Responses.Map() {
				all = append(all, sightings(op.OperationID, status, response)...)
			}
		}
	}
	slices.SortFunc(all, func(a, b sighting) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// sightings lists the answers of one response: one for each problem code that
// it gives an example of, or itself.
func sightings(operation, status string, response *openapi3.ResponseRef) []sighting {
	n, _ := strconv.Atoi(status) // "default" is not used
	codes := problemCodes(response.Value)
	if len(codes) == 0 {
		return []sighting{{operation, n, ""}}
	}
	var all []sighting
	for _, code := range codes {
		all = append(all, sighting{operation, n, code})
	}
	return all
}

// problemCodes lists the codes that a response gives examples of: those that
// it can have.
func problemCodes(r *openapi3.Response) []string {
	media := r.Content.Get("application/problem+json")
	if media == nil {
		return nil
	}
	var codes []string
	for _, example := range media.Examples {
		codes = append(codes, example.Value.Value.(map[string]any)["code"].(string))
	}
	return codes
}

func (c *contract) note(s sighting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[s] = true
}

// checkAllSeen reports the documented answers that the suite never got. It
// has no exceptions: faults of the store are made to happen.
func (c *contract) checkAllSeen(t *testing.T) {
	if strings.Contains(flag.Lookup("test.run").Value.String(), "/") || flag.Lookup("test.skip").Value.String() != "" {
		t.Log("only a part of the suite ran, so which answers it has not seen tells nothing")
		return
	}
	for _, s := range c.documented() {
		if !c.seen[s] {
			t.Errorf("openapi.yaml documents an answer that never came: %s", s)
		}
	}
}

// A path that is written two ways in the contract and the code would pass
// every other test, as long as nobody calls it.
func TestContractLeavesNoOperationWithoutItsID(t *testing.T) {
	seen := map[string]bool{}
	for path, item := range loadContract(t).doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.OperationID == "" || seen[op.OperationID] {
				t.Errorf("%s %s: the operationId %q is empty or taken", method, path, op.OperationID)
			}
			seen[op.OperationID] = true
		}
	}
}

// find returns the operation that a request is for, nil with the name of the
// reason when there is none. HEAD is answered as GET is, and a collection also
// at its path with a slash.
func (c *contract) find(r *http.Request) (*routers.Route, map[string]string, string) {
	r = r.Clone(context.Background())
	if r.Method == http.MethodHead {
		r.Method = http.MethodGet
	}
	if p, ok := strings.CutSuffix(r.URL.Path, "/"); ok && isCollection(p) {
		r.URL.Path, r.URL.RawPath = p, strings.TrimSuffix(r.URL.RawPath, "/")
	}
	route, params, err := c.router.FindRoute(r)
	switch {
	case path.Clean(r.URL.EscapedPath()) != r.URL.EscapedPath():
		return nil, nil, unknownPath // a path is taken for what it says
	case err == nil:
		return route, unescaped(params), ""
	case errors.Is(err, routers.ErrMethodNotAllowed):
		return nil, nil, methodNotAllowed
	}
	return nil, nil, unknownPath
}

func isCollection(path string) bool {
	return slices.ContainsFunc([]string{"/applications", "/configurations", "/versions", "/audit"}, func(name string) bool {
		return strings.HasSuffix(path, name)
	})
}

// golden compares got with the named file under testdata, or with -update
// writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := diffLines(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); if it should, run go test -update:\n%s", file, diff)
	}
}

var update = flag.Bool("update", false, "rewrite the golden files")
