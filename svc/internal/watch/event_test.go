package watch

import (
	"bytes"
	"encoding/json"
	"testing"

	"configservice/svc/internal/conf"
)

// A line break that gets into a frame would end the event, or forge another.
func FuzzTextBreaksOutOfItsEvent(f *testing.F) {
	f.Add("flags", "line\nbreak", "{\n  \"a\": 12.50\n}")
	f.Add("\r\n\r\nevent: bookmark\ndata: {}", "<&>\u2028", `{"text":"a\r\nb"}`)
	f.Fuzz(func(t *testing.T, name, comments, config string) {
		c := conf.Configuration{ApplicationID: "a", Name: name, Comments: &comments, Config: []byte(config)}
		if c.Validate() != nil {
			return // the store does not keep it
		}
		framed := (&Feed{}).event(conf.Transaction{Revision: 7, Changes: []conf.Change{
			{Operation: conf.Update, ApplicationID: "a", ConfigurationID: "c", Name: name, Comments: &comments, Config: c.Config}}}).Frame()
		data, ok := bytes.CutPrefix(framed, []byte("id: 7\nevent: change\ndata: "))
		data, ended := bytes.CutSuffix(data, []byte("\n\n"))
		if !ok || !ended || bytes.ContainsAny(data, "\r\n") {
			t.Fatalf("this is not one event: %q", framed)
		}
		var got conf.Transaction
		if err := json.Unmarshal(data, &got); err != nil || got.Changes[0].Name != name || *got.Changes[0].Comments != comments {
			t.Errorf("%q came out as %q, %v", name, data, err)
		}
	})
}
