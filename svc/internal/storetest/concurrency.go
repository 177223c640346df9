package storetest

import (
	"fmt"
	"sync"
	"testing"

	"configservice/svc/internal/conf"
)

func testCompareAndSet(t *testing.T, s *suite) {
	a := s.application(t, "shop")
	c := s.configuration(t, a.ID, "main", `{}`)
	for range 5 {
		seen, err := s.Configuration(t.Context(), c.ID)
		wantCode(t, err, "")
		wins := s.race(t, 16, func() error {
			_, err := s.UpdateConfiguration(t.Context(), c.ID, func(c *conf.Configuration) error {
				if c.Version != seen.Version {
					return conf.Errorf(conf.PreconditionFailed, "changed")
				}
				return nil
			})
			return err
		}, conf.PreconditionFailed)
		wantEqual(t, wins, 1)
	}
	got, err := s.Configuration(t.Context(), c.ID)
	wantCode(t, err, "")
	wantEqual(t, got.Version, int64(6))
}

// race makes n calls at once and returns how many succeeded; the others must
// end in the code lost.
func (s *suite) race(t *testing.T, n int, call func() error, lost conf.Code) (wins int) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = call() })
	}
	wg.Wait()
	for _, err := range errs {
		if err == nil {
			wins++
		} else {
			wantCode(t, err, lost)
		}
	}
	return wins
}

func testConcurrentRevisions(t *testing.T, s *suite) {
	const n = 40
	var mu sync.Mutex
	seen := map[int64]bool{}
	var next int
	s.race(t, n, func() error {
		mu.Lock()
		next++
		name := fmt.Sprint("app", next)
		mu.Unlock()
		a, err := s.CreateApplication(t.Context(), conf.Application{Name: name})
		mu.Lock()
		seen[a.Revision] = true
		mu.Unlock()
		return err
	}, "")
	for r := int64(1); r <= n; r++ {
		if !seen[r] {
			t.Errorf("no write has the revision %d", r)
		}
	}
	wantEqual(t, s.stats(t), conf.Stats{Revision: n, Applications: n})
}
