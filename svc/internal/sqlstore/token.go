package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"configservice/svc/internal/conf"
)

var _ conf.Tokens = (*Store)(nil)

// CreateToken implements [conf.Tokens].
func (s *Store) CreateToken(ctx context.Context, t conf.Token) (conf.Token, error) {
	t.CreatedAt = fromMicros(time.Now().UnixMicro())
	if err := t.Validate(); err != nil {
		return conf.Token{}, err
	}
	id, err := ulid.New(ulid.Timestamp(t.CreatedAt), rand.Reader)
	if err != nil {
		return conf.Token{}, err
	}
	t.ID = id.String()
	err = s.transact(ctx, func(tx *transaction) error {
		if err := tx.insertToken(t); err != nil {
			return err
		}
		return tx.tokensChanged()
	})
	if err != nil {
		return conf.Token{}, err
	}
	return t, nil
}

func (tx *transaction) insertToken(t conf.Token) error {
	var applications, expires any
	if t.Applications != nil {
		list, err := json.Marshal(t.Applications)
		if err != nil {
			return err
		}
		applications = string(list)
	}
	if !t.ExpiresAt.IsZero() {
		expires = t.ExpiresAt.UnixMicro()
	}
	err := tx.exec(`
		INSERT INTO tokens (id, name, hash, scope, applications, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		t.ID, t.Name, t.Hash[:], string(t.Scope), applications, t.CreatedAt.UnixMicro(), expires)
	if isUniqueViolation(err) {
		return conf.Errorf(conf.Exists, "a token named %q already exists", t.Name)
	}
	return err
}

// tokensChanged lets the services on this store know. Together with the change
// it is one transaction, so none of them sees the one without the other.
func (tx *transaction) tokensChanged() error {
	return tx.exec(`UPDATE token_changes SET version = version + 1`)
}

const selectToken = `SELECT id, name, hash, scope, applications, created_at, expires_at FROM tokens `

func scanToken(row scanner) (conf.Token, error) {
	var t conf.Token
	var hash []byte
	var applications sql.NullString
	var created int64
	var expires sql.NullInt64
	err := row.Scan(&t.ID, &t.Name, &hash, &t.Scope, &applications, &created, &expires)
	if err != nil {
		return t, err
	}
	if copy(t.Hash[:], hash) != len(t.Hash) {
		return t, fmt.Errorf("the token %s has a hash of %d bytes", t.ID, len(hash))
	}
	t.CreatedAt = fromMicros(created)
	if expires.Valid {
		t.ExpiresAt = fromMicros(expires.Int64)
	}
	if applications.Valid {
		err = json.Unmarshal([]byte(applications.String), &t.Applications)
		if err == nil && t.Applications == nil { // "null" must not come to mean all
			err = fmt.Errorf("the token %s has a list of applications that is none", t.ID)
		}
	}
	return t, err
}

// RevokeToken implements [conf.Tokens].
func (s *Store) RevokeToken(ctx context.Context, idOrName string) (conf.Token, error) {
	var t conf.Token
	err := s.transact(ctx, func(tx *transaction) (err error) {
		// A name can be made to look like an id; the id is meant.
		t, err = scanToken(tx.row(selectToken+`WHERE id = $1 OR name = $1 ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1`, findable(idOrName)))
		if errors.Is(err, sql.ErrNoRows) {
			return conf.Errorf(conf.NotFound, "no token has the id or the name %q", idOrName)
		}
		if err != nil {
			return err
		}
		if err := tx.exec(`DELETE FROM tokens WHERE id = $1`, t.ID); err != nil {
			return err
		}
		return tx.tokensChanged()
	})
	if err != nil {
		return conf.Token{}, err
	}
	return t, nil
}

// Tokens implements [conf.Tokens].
func (s *Store) Tokens(ctx context.Context) (conf.TokenSet, error) {
	var set conf.TokenSet
	err := s.view(ctx, func(ctx context.Context, q querier) (err error) {
		if set.Version, err = tokensVersion(ctx, q); err != nil {
			return err
		}
		rows, err := q.QueryContext(ctx, selectToken+`ORDER BY created_at, id`)
		set.Tokens, err = collect(rows, err, scanToken)
		return err
	})
	return set, err
}

// TokensVersion implements [conf.Tokens].
func (s *Store) TokensVersion(ctx context.Context) (int64, error) {
	var version int64
	err := s.view(ctx, func(ctx context.Context, q querier) (err error) {
		version, err = tokensVersion(ctx, q)
		return err
	})
	return version, err
}

func tokensVersion(ctx context.Context, q querier) (version int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT version FROM token_changes`).Scan(&version)
	return version, err
}
