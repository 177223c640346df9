package sqlstore

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
)

// BenchmarkUpdates tells what a durable update costs a lone writer and many.
func BenchmarkUpdates(b *testing.B) {
	for name, url := range map[string]func(testing.TB) string{
		"SQLite":     func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "store.db") },
		"PostgreSQL": func(t testing.TB) string { return pgtest.Database(t) },
	} {
		for _, writers := range []int{1, 32, 256} {
			b.Run(fmt.Sprint(name, "/", writers), func(b *testing.B) { benchmarkUpdates(b, url(b), writers) })
		}
	}
}

func benchmarkUpdates(b *testing.B, url string, writers int) {
	s, err := Open(b.Context(), url, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	a, err := s.CreateApplication(b.Context(), conf.Application{Name: "shop"})
	if err != nil {
		b.Fatal(err)
	}
	var ids []string
	for i := range writers {
		c, err := s.CreateConfiguration(b.Context(), conf.Configuration{ApplicationID: a.ID, Name: fmt.Sprint("conf", i),
			Config: []byte(`{"feature":"checkout","enabled":true,"hosts":["a.example.com","b.example.com"],"ratio":0.25}`)})
		if err != nil {
			b.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
	var next atomic.Int64
	b.SetParallelism((writers + 1) / 2)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		i := next.Add(1) - 1
		if int(i) >= writers {
			return
		}
		for p.Next() {
			_, err := s.UpdateConfiguration(b.Context(), ids[i], func(*conf.Configuration) error { return nil })
			if err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
