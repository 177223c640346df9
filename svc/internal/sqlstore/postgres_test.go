package sqlstore

import (
	"os"
	"testing"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
	"configservice/svc/internal/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestStoreConformsOnPostgreSQL(t *testing.T) {
	storetest.Run(t, func(t *testing.T) conf.Store {
		return openURL(t, pgtest.Database(t), Options{MaxConnections: 2}) // many tests at once share the server's connections
	})
}

func openURL(t *testing.T, url string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
