package httpapi

import (
	"context"
	"net/http/httptest"
	"testing"

	"configservice/svc/internal/conf"
)

// The audit names an address or nothing, whatever a connection or a header
// claims to come from.
func TestActorComesFromTheConnectionAlone(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:4711":            "192.0.2.7",
		"[2001:db8::7]:4711":        "2001:db8::7",
		"[2001:DB8:0::7]:4711":      "2001:db8::7",
		"[::ffff:192.0.2.7]:4711":   "192.0.2.7",
		"[fe80::1%eth0]:4711":       "fe80::1",
		"":                          "",
		"@":                         "", // a Unix socket's
		"pipe":                      "",
		"192.0.2.7":                 "",
		"client.example:80":         "",
		"192.0.2.7, 192.0.2.8:4711": "",
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = remote
		for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} {
			r.Header.Set(name, "198.51.100.1")
		}
		s := &server{Options: Options{Principal: func(context.Context) string { return "kim" }}}
		if got := s.actor(r); got != (conf.Actor{Name: "kim", Address: want}) {
			t.Errorf("a connection from %q is %+v, want the address %q", remote, got, want)
		}
	}
}
