package httpapi

import (
	"net/url"
	"strconv"
	"testing"
	"time"
)

func FuzzCursorIsTakenForAnother(f *testing.F) {
	for _, text := range []string{"", "0", "7", "-1", "+7", "007", " 7", "7 ", "0x7", "7e0", "9223372036854775807", "9223372036854775808"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q := &query{values: url.Values{"since": {text}, "wait": {text}}}
		n, given := q.revision("since")
		if given == (text == "") {
			t.Errorf("%q is given: %v", text, given)
		}
		if q.err() == nil && given && (n < 0 || strconv.FormatInt(n, 10) != text) {
			t.Errorf("%q is taken for revision %d", text, n)
		}
		q.problems = nil
		if d := q.wait("wait"); q.err() == nil && (d < 0 || d > time.Minute) {
			t.Errorf("%q is waited for %s", text, d)
		}
	})
}
