package conf

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// wantSameJSON compares with what encoding/json makes of v.
func wantSameJSON(t *testing.T, v any, got []byte, err error) {
	t.Helper()
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	if failure := enc.Encode(v); (failure == nil) != (err == nil) {
		t.Fatalf("%+v: %v, and encoding/json ends in %v", v, err, failure)
	}
	if err == nil && want.String() != string(got)+"\n" {
		t.Errorf("got\n%s\nwant\n%s", got, want.String())
	}
}

// FuzzJSON holds our forms against encoding/json's.
func FuzzJSON(f *testing.F) {
	f.Add("01ARZ3NDEKTSV4RRFFQ69G5FAV", "name", "comments", []byte(`{"a":1.50}`), int64(1), int64(1790000000123456))
	f.Add("", "\"\\/\b\f\n\r\t\x00\x7f", "<a href='x'>&</a>\u2028é👍\xff", []byte("{ \"a b\" : [ 1 ,\n\"\u2028<&>\" ] }"), int64(0), int64(-1))
	f.Add("x", "", "", []byte(nil), int64(-7), int64(1<<62))
	f.Add("x", "", "", []byte("{"), int64(7), int64(0))
	f.Fuzz(func(t *testing.T, id, name, comments string, config []byte, n, micros int64) {
		at := time.UnixMicro(micros).UTC()
		c := Configuration{ID: id, ApplicationID: name, Name: name, Comments: &comments, Config: config, Version: n, Revision: -n, CreatedAt: at, UpdatedAt: at.Add(time.Microsecond)}
		got, err := c.AppendJSON(nil)
		wantSameJSON(t, c, got, err)
		c.Comments = nil
		got, err = c.AppendJSON([]byte("before"))
		wantSameJSON(t, c, bytes.TrimPrefix(got, []byte("before")), err)

		tx := Transaction{Revision: n}
		for range 3 {
			got, err = tx.AppendJSON(nil)
			wantSameJSON(t, tx, got, err)
			tx.Changes = append(tx.Changes, Change{Operation: name, ApplicationID: id, ConfigurationID: id, Name: name,
				Comments: c.Comments, Config: config, Version: n, ChangedBy: c.Comments, CreatedAt: at, UpdatedAt: at})
			c.Comments, n, config = &comments, 0, nil
		}
	})
}
