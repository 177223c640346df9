package sqlstore

import (
	"path/filepath"
	"testing"

	"configservice/svc/internal/conf"
	"configservice/svc/internal/pgtest"
	"configservice/svc/internal/storetest"
)

func TestTokensConform(t *testing.T) {
	storetest.RunTokens(t, func(t *testing.T) conf.Tokens {
		return open(t, filepath.Join(t.TempDir(), "store.db"), Options{})
	})
}

func TestTokensConformOnPostgreSQL(t *testing.T) {
	storetest.RunTokens(t, func(t *testing.T) conf.Tokens {
		return openURL(t, pgtest.Database(t), Options{MaxConnections: 2})
	})
}

// A row that somebody else wrote must not become a token that is good for
// more than was meant.
func TestDamagedTokenIsAnErrorAndNoToken(t *testing.T) {
	for name, values := range map[string]string{
		"a list that is none":   `x'` + zeros + `', 'read', 'null'`,
		"a list that is broken": `x'` + zeros + `', 'read', '["a"'`,
		"a hash too short":      `x'00', 'read', NULL`,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), "store.db"), Options{})
			_, err := s.writer.db.ExecContext(t.Context(),
				`INSERT INTO tokens (id, name, hash, scope, applications, created_at) VALUES ('i', 'n', `+values+`, 0)`)
			if err != nil {
				t.Fatal(err)
			}
			if set, err := s.Tokens(t.Context()); err == nil {
				t.Errorf("read as %+v", set)
			}
		})
	}
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
