package sqlstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// BenchmarkReads tells what a read of one configuration costs, on a store that
// is much larger than what a connection keeps of it.
func BenchmarkReads(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{
		"SQLite":     func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "store.db") },
		"PostgreSQL": func(t testing.TB) string { return pgtest.Database(t) },
	} {
		b.Run(name, func(b *testing.B) { benchmarkReads(b, url(b)) })
	}
}

func benchmarkReads(b *testing.B, url string) {
	s, err := Open(b.Context(), url, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ids := fillForReads(b, s, 20_000)
	b.Run("by id", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			// Requests' contexts can end, which a driver has to watch.
			ctx, cancel := context.WithCancel(b.Context())
			if _, err := s.Configuration(ctx, ids[rand.IntN(len(ids))]); err != nil {
				b.Fatal(err)
			}
			cancel()
		}
	})
	b.Run("by names", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.ConfigurationByName(b.Context(), "shop", fmt.Sprint("conf", rand.IntN(len(ids)))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// fillForReads makes n configurations in one transaction and returns their ids.
func fillForReads(b *testing.B, s *Store, n int) (ids []string) {
	err := s.Atomically(b.Context(), func(s conf.Store) error {
		a, err := s.CreateApplication(b.Context(), conf.Application{Name: "shop"})
		for i := 0; err == nil && i < n; i++ {
			var c conf.Configuration
			c, err = s.CreateConfiguration(b.Context(), conf.Configuration{ApplicationID: a.ID, Name: fmt.Sprint("conf", i),
				Config: []byte(`{"feature":"checkout","enabled":true,"hosts":["a.example.com","b.example.com"],"ratio":0.25}`)})
			ids = append(ids, c.ID)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return ids
}
