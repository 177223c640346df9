package sqlstore

import (
	"fmt"
	"path/filepath"
	"testing"
)

// A connection must not keep every text that it was ever sent, nor give one
// statement to two readers.
func TestKeptStatementsAreBoundedAndHaveOneUserEach(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "store.db"), Options{MaxConnections: 1})
	conn := connection(t, s.reader)
	const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n`
	for range 2 {
		outer, err := conn.QueryContext(t.Context(), numbers)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for outer.Next() {
			var i, j int
			if err := outer.Scan(&i); err != nil {
				t.Fatal(err)
			}
			if err := conn.QueryRowContext(t.Context(), numbers).Scan(&j); err != nil || j != 1 {
				t.Errorf("the inner query starts at %d (%v)", j, err)
			}
			sum += i
		}
		if err := outer.Err(); err != nil || sum != 6 {
			t.Errorf("the outer query's sum is %d (%v)", sum, err)
		}
	}
	for i := range 2 * maxPrepared {
		var got int
		if err := conn.QueryRowContext(t.Context(), fmt.Sprint(`SELECT `, i)).Scan(&got); err != nil || got != i {
			t.Errorf("SELECT %d: %d (%v)", i, got, err)
		}
	}
	err := conn.Raw(func(dc any) error {
		if n := len(dc.(*preparedConn).idle); n > maxPrepared {
			t.Errorf("%d statements are kept", n)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
