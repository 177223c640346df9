package httpapi

import (
	"encoding/json"
	"testing"
	"time"

	"configservice/svc/internal/conf"
)

// A cached configuration has its config in its answer, whatever else is there.
func TestPreparedConfigIsThatOfTheAnswer(t *testing.T) {
	comments := `,"config":{},"version":1`
	for config, want := range map[string]string{
		`{}`:                   `{}`,
		`{"a":1.10,"b":"<&>"}`: `{"a":1.10,"b":"<&>"}`,
		` { "config" : {"version":1} , "version" : 2 } `:     `{"config":{"version":1},"version":2}`,
		`{"text":"\",\"version\":","config":{},"version":3}`: `{"text":"\",\"version\":","config":{},"version":3}`,
	} {
		c := conf.Configuration{ID: "id", ApplicationID: `,"config":`, Name: `"x","config":{}`, Comments: &comments,
			Config: json.RawMessage(config), Version: 7, Revision: 8, CreatedAt: time.Now(), UpdatedAt: time.Now()}
		whole := newAnswer(c.Revision)
		if err := whole.encode(c); err != nil {
			t.Fatal(err)
		}
		before := whole.body
		size := Prepare(&c)
		a := c.Prepared.(*answer)
		if string(c.Config) != want || string(a.body) != string(before) {
			t.Errorf("the config is %s, want %s, of the answer %s, want %s", c.Config, want, a.body, before)
		}
		if _ = append(c.Config, "xx"...); string(a.body) != string(before) {
			t.Error("who appends to the config changes the answer")
		}
		if size < cap(a.body)+answerOverhead {
			t.Errorf("it is said to take %d bytes", size)
		}
	}
}
