package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"configservice/svc/internal/pgtest"
)

// What concurrent clients saw of one configuration can be explained by their
// calls having happened one at a time, each between its start and its end.
func TestReadsWritesAndCompareAndSetAreLinearizable(t *testing.T) {
	p := start(t)
	checkLinearizable(t, []*process{p})
}

// On several replicas a read is as new as its min_revision. With that of the
// newest answer that any client has, a refusal's included, reads are
// linearizable there as well.
func TestReadsWithMinRevisionAreLinearizableOnThreeReplicas(t *testing.T) {
	url := pgtest.New(t).Database(t)
	var replicas []*process
	for range 3 { // all migrate the empty database at once
		replicas = append(replicas, start(t, "--database-url", url))
	}
	checkLinearizable(t, replicas)
}

// checkLinearizable lets clients work on a few configurations through the given
// replicas, each call through another.
func checkLinearizable(t *testing.T, replicas []*process) {
	t.Helper()
	const configurations, clients, calls = 3, 8, 500
	var h history
	ids := createConfigurations(t, replicas[0], configurations)
	var group sync.WaitGroup
	for client := range clients {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(client)))
			seen := map[string]string{} // ETags, for compare-and-set
			for range calls {
				h.call(t, client, replicas[random.IntN(len(replicas))], ids[random.IntN(len(ids))], random, seen)
			}
		})
	}
	group.Wait()
	swaps := 0
	for _, op := range h.operations {
		if out := op.Output.(output); op.Input.(input).match != "" && out.version > 0 {
			swaps++
		}
	}
	if swaps == 0 {
		t.Error("no compare-and-set succeeded; the test would prove little")
	}
	if result := porcupine.CheckOperationsTimeout(registerModel(), h.operations, time.Minute); result != porcupine.Ok {
		t.Errorf("the history of %d calls is not linearizable: %s", len(h.operations), result)
	}
}

func createConfigurations(t *testing.T, p *process, n int) (ids []string) {
	t.Helper()
	application, err := send(p, http.MethodPost, "/applications", fmt.Sprintf(`{"name":%q}`, t.Name()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		c, err := send(p, http.MethodPost, "/configurations", fmt.Sprintf(`{"application_id":%q,"name":"c%d","config":{"n":0}}`, application.ID, i))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
	return ids
}

// An input is a read, or a write of n, which is unconditional or has to match
// an ETag.
type input struct {
	id    string
	write bool
	n     int64
	match string

	minRevision int64 // of a read
}

// An output is what a call saw: the version and what it holds, or no version
// when a compare-and-set was refused.
type output struct {
	version, n, revision int64
	etag                 string
}

// registerModel is one configuration: a register with a version.
func registerModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			byID := map[string][]porcupine.Operation{}
			for _, op := range all {
				id := op.Input.(input).id
				byID[id] = append(byID[id], op)
			}
			var parts [][]porcupine.Operation
			for _, part := range byID {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return output{version: 1} },
		Step: func(state, in, out any) (bool, any) { return step(state.(output), in.(input), out.(output)) },
	}
}

func step(s output, in input, out output) (bool, any) {
	switch {
	case !in.write:
		return out.version == s.version && out.n == s.n && (s.etag == "" || out.etag == s.etag), out
	case out.version == 0: // refused
		return s.etag == "" || in.match != s.etag, s
	}
	matches := in.match == "" || s.etag == "" || in.match == s.etag
	return matches && out.version == s.version+1 && out.n == in.n, out
}

type history struct {
	mu         sync.Mutex
	operations []porcupine.Operation
	newest     int64 // revision of any answer
}

// call makes one call and notes when it began, when it ended and what it saw.
// Both moments are taken along with newest: a call that begins once another has
// ended then asks for what that one saw.
func (h *history) call(t *testing.T, client int, p *process, id string, random *rand.Rand, seen map[string]string) {
	in := input{id: id, write: random.IntN(2) == 0, n: random.Int64N(1 << 40)}
	if in.write && random.IntN(2) == 0 {
		in.match = seen[id]
	}
	h.mu.Lock()
	in.minRevision = h.newest
	began := time.Now().UnixNano()
	h.mu.Unlock()
	out, err := in.do(p)
	if err != nil {
		t.Error(err)
		return
	}
	if out.etag != "" {
		seen[id] = out.etag
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.newest = max(h.newest, out.revision)
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: in, Output: out, Call: began, Return: time.Now().UnixNano()})
}

func (in input) do(p *process) (output, error) {
	method, query, body := http.MethodGet, fmt.Sprint("?min_revision=", in.minRevision), ""
	if in.write {
		method, query, body = http.MethodPut, "", fmt.Sprintf(`{"config":{"n":%d}}`, in.n)
	}
	req, err := http.NewRequest(method, p.url("/api/v1/configurations/"+in.id+query), strings.NewReader(body))
	if err != nil {
		return output{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if in.match != "" {
		req.Header.Set("If-Match", in.match)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return output{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusPreconditionFailed && in.match != "" {
		revision, err := strconv.ParseInt(resp.Header.Get("Config-Revision"), 10, 64)
		return output{revision: revision}, err
	}
	if resp.StatusCode != http.StatusOK {
		return output{}, fmt.Errorf("%s answered %s", method, resp.Status)
	}
	var r record
	err = json.NewDecoder(resp.Body).Decode(&r)
	return output{r.Version, r.Config.N, r.Revision, resp.Header.Get("ETag")}, err
}
