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

// attributes collects those that there is something to say about. Each method
// returns what it has been added to, so that it can all be on the stack.
type attributes []attribute.KeyValue

func (a attributes) text(kv func(string) attribute.KeyValue, value string) attributes {
	if value == "" {
		return a
	}
	return append(a, kv(value))
}

func (a attributes) number(kv func(int) attribute.KeyValue, value int) attributes {
	if value <= 0 {
		return a
	}
	return append(a, kv(value))
}

// request describes r on a span, which unlike a metric may name what the client
// chose. The query is left out: it can carry what somebody typed.
func (a attributes) request(r *http.Request) attributes {
	return a.method(r.Method).server(r.Host, r.TLS != nil).client(r).
		text(semconv.URLPath, r.URL.Path).
		text(semconv.NetworkProtocolVersion, strings.TrimPrefix(r.Proto, "HTTP/")).
		text(semconv.UserAgentOriginal, r.UserAgent())
}

// answer describes what became of a request.
func (a attributes) answer(is *series, read, written int64) attributes {
	return append(a, is.spanAttributes...).
		number(semconv.HTTPRequestBodySize, int(read)).
		number(semconv.HTTPResponseBodySize, int(written))
}

func (a attributes) method(method string) attributes {
	known := knownMethod(method)
	a = append(a, semconv.HTTPRequestMethodKey.String(known))
	if known != method {
		a = append(a, semconv.HTTPRequestMethodOriginal(method))
	}
	return a
}

// server names the host that the client asked for; the port only when it is not
// the scheme's own.
func (a attributes) server(host string, https bool) attributes {
	name, port := splitHostPort(host)
	if https && port == 443 || !https && port == 80 {
		port = 0
	}
	return append(a, semconv.URLScheme(scheme(https)), semconv.ServerAddress(name)).
		number(semconv.ServerPort, port)
}

// client names the peer of the connection and the client behind it, who is the
// first that a proxy says it forwarded for.
func (a attributes) client(r *http.Request) attributes {
	peer, port := splitHostPort(r.RemoteAddr)
	client, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	return a.text(semconv.NetworkPeerAddress, peer).
		number(semconv.NetworkPeerPort, port).
		text(semconv.ClientAddress, cmp.Or(client, peer))
}

// splitHostPort takes apart "host", "host:port", "[v6]" and "[v6]:port". The
// port is 0 when there is none.
func splitHostPort(hostport string) (string, int) {
	if !strings.Contains(hostport, ":") {
		return hostport, 0 // without the allocation of an error
	}
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
