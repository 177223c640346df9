package instrument

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"configservice/svc/internal/histogram"
)

const (
	// unmatched is the route of requests that no pattern matched: a path is
	// the client's to choose and must not become a label.
	unmatched = "unmatched"

	// otherMethod is the conventions' name for every method they do not know.
	otherMethod = "_OTHER"

	// maxSeries bounds the series of one histogram well below the SDK's own
	// limit of 2000. Past it, routes count as unmatched, which keeps the other
	// labels true; past the SDK's, all of them would be lost.
	maxSeries = 1000
)

// A seriesKey is all that tells one series of a request's histograms from
// another.
type seriesKey struct {
	pattern string // as ServeMux gives it
	method  string // known or otherMethod
	https   bool
	status  int
	waits   bool
}

// A series is what its key comes to, computed once.
type series struct {
	duration, requestSize, responseSize *histogram.Series

	spanName       string
	spanAttributes []attribute.KeyValue
	spanStatus     codes.Code
}

func (s *server) seriesOf(k seriesKey) *series {
	if is, ok := s.series.load(k); ok {
		return is
	}
	if s.series.full() {
		k.pattern = ""
	}
	is := s.newSeries(k)
	s.series.store(k, is)
	return is
}

func (s *server) newSeries(k seriesKey) *series {
	status := semconv.HTTPResponseStatusCode(k.status)
	is := &series{
		spanName:       spanMethod(k.method),
		spanAttributes: []attribute.KeyValue{status},
	}
	route, matched := routeOf(k.pattern)
	if k.waits && matched {
		route += "?wait"
	}
	labels := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(k.method),
		semconv.HTTPRoute(route),
		semconv.URLScheme(scheme(k.https)),
		status,
	}
	if matched {
		// The conventions forbid a made-up route on a span, where its absence
		// costs nothing.
		is.spanName += " " + route
		is.spanAttributes = append(is.spanAttributes, semconv.HTTPRoute(route))
	}
	if k.status >= http.StatusInternalServerError {
		is.spanStatus = codes.Error
		errorType := semconv.ErrorTypeKey.String(strconv.Itoa(k.status))
		labels = append(labels, errorType)
		is.spanAttributes = append(is.spanAttributes, errorType)
	}
	attributes := attribute.NewSet(labels...)
	is.duration, is.requestSize, is.responseSize = s.duration.Series(attributes), s.requestSize.Series(attributes), s.responseSize.Series(attributes)
	return is
}

// record counts a request that was part of a span.
func (is *series) record(span trace.SpanContext, elapsed time.Duration, read, written int64) {
	is.duration.RecordIn(span, int64(elapsed))
	is.requestSize.RecordIn(span, read)
	is.responseSize.RecordIn(span, written)
}

// routeOf returns the path of a ServeMux pattern "[METHOD ][HOST]/[PATH]", and
// whether it is one that tells anything.
func routeOf(pattern string) (string, bool) {
	i := strings.IndexByte(pattern, '/')
	if i < 0 || pattern[i:] == "/" {
		return unmatched, false
	}
	route := strings.TrimSuffix(pattern[i:], "/{$}")
	if route == "" {
		route = "/"
	}
	return route, true
}

// waits reports whether a request is a long poll. Such a one takes as long as
// its client likes, so that it is counted under a route of its own: in that of
// the other reads it would look like slowness.
func waits(r *http.Request) bool {
	return strings.Contains(r.URL.RawQuery, "wait=") && r.URL.Query().Has("wait")
}

// knownMethod returns method itself or otherMethod. Methods are case-sensitive
// (RFC 9110), and ServeMux takes them so.
func knownMethod(method string) string {
	switch method {
	case http.MethodConnect, http.MethodDelete, http.MethodGet, http.MethodHead,
		http.MethodOptions, http.MethodPatch, http.MethodPost, http.MethodPut,
		http.MethodTrace:
		return method
	}
	return otherMethod
}

// spanMethod is how the conventions name a method in the name of a span.
func spanMethod(method string) string {
	if method == otherMethod {
		return "HTTP"
	}
	return method
}

func scheme(https bool) string {
	if https {
		return "https"
	}
	return "http"
}

// recordOptions and addOptions make the options of a series once: attributes
// given as such would be sorted and copied at each measurement.
func recordOptions(attrs ...attribute.KeyValue) []metric.RecordOption {
	return []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}
}

func addOptions(attrs ...attribute.KeyValue) []metric.AddOption {
	return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}
}
