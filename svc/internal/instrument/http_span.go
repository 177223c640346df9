package instrument

import (
	"cmp"
	"net"
	"net/http"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// attributes collects those that there is something to say about.
type attributes []attribute.KeyValue

func (a *attributes) add(kv ...attribute.KeyValue) { *a = append(*a, kv...) }

func (a *attributes) text(kv func(string) attribute.KeyValue, value string) {
	if value != "" {
		a.add(kv(value))
	}
}

func (a *attributes) number(kv func(int) attribute.KeyValue, value int) {
	if value > 0 {
		a.add(kv(value))
	}
}

// requestAttributes describes r on a span, which unlike a metric may name what
// the client chose. The query is left out: it can carry what somebody typed.
func requestAttributes(r *http.Request) attributes {
	a := make(attributes, 0, 16) // with room for the answer's
	a.method(r.Method)
	a.server(r.Host, r.TLS != nil)
	a.client(r)
	a.text(semconv.URLPath, r.URL.Path)
	a.text(semconv.NetworkProtocolVersion, strings.TrimPrefix(r.Proto, "HTTP/"))
	a.text(semconv.UserAgentOriginal, r.UserAgent())
	return a
}

func (a *attributes) method(method string) {
	known := knownMethod(method)
	a.add(semconv.HTTPRequestMethodKey.String(known))
	if known != method {
		a.add(semconv.HTTPRequestMethodOriginal(method))
	}
}

// server names the host that the client asked for; the port only when it is not
// the scheme's own.
func (a *attributes) server(host string, https bool) {
	name, port := splitHostPort(host)
	if standard := map[bool]int{false: 80, true: 443}; port == standard[https] {
		port = 0
	}
	a.add(semconv.URLScheme(scheme(https)), semconv.ServerAddress(name))
	a.number(semconv.ServerPort, port)
}

// client names the peer of the connection and the client behind it, who is the
// first that a proxy says it forwarded for.
func (a *attributes) client(r *http.Request) {
	peer, port := splitHostPort(r.RemoteAddr)
	a.text(semconv.NetworkPeerAddress, peer)
	a.number(semconv.NetworkPeerPort, port)
	client, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	a.text(semconv.ClientAddress, cmp.Or(client, peer))
}

// splitHostPort takes apart "host", "host:port", "[v6]" and "[v6]:port". The
// port is 0 when there is none.
func splitHostPort(hostport string) (string, int) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.Trim(hostport, "[]"), 0
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return host, 0
	}
	return host, int(n)
}

// A headerCarrier gives a propagator a request's headers. It knows the names of
// the W3C's headers in the form in which net/http keeps them, which saves the
// allocation that http.Header.Get makes for each of them.
type headerCarrier http.Header

func (c headerCarrier) Get(key string) string {
	if values := c.Values(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (c headerCarrier) Values(key string) []string {
	switch key {
	case "traceparent":
		return c["Traceparent"]
	case "tracestate":
		return c["Tracestate"]
	case "baggage":
		return c["Baggage"]
	}
	return http.Header(c).Values(key)
}

func (c headerCarrier) Set(key, value string) { http.Header(c).Set(key, value) }

func (c headerCarrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}
