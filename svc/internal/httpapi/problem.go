package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"configservice/svc/internal/conf"
)

// Codes of errors that exist at the edge only.
const (
	codeNotJSON              conf.Code = "not_json"
	codeMethodNotAllowed     conf.Code = "method_not_allowed"
	codeTooLarge             conf.Code = "too_large"
	codeUnsupportedMediaType conf.Code = "unsupported_media_type"
)

// status turns an error's code into a status; what it does not know is 500.
func status(code conf.Code) int {
	switch code {
	case codeNotJSON, conf.UnknownApplication:
		return http.StatusBadRequest
	case conf.Unauthenticated:
		return http.StatusUnauthorized
	case conf.Forbidden:
		return http.StatusForbidden
	case conf.NotFound:
		return http.StatusNotFound
	case codeMethodNotAllowed:
		return http.StatusMethodNotAllowed
	case conf.Exists:
		return http.StatusConflict
	case conf.PreconditionFailed:
		return http.StatusPreconditionFailed
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	case codeUnsupportedMediaType:
		return http.StatusUnsupportedMediaType
	case conf.Invalid:
		return http.StatusUnprocessableEntity
	case conf.RateLimited:
		return http.StatusTooManyRequests
	case conf.Unavailable, conf.Overloaded:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// A problem is an error as the caller sees it (RFC 9457).
type problem struct {
	Type    string            `json:"type"` // about:blank: Title says it, Code tells it apart
	Title   string            `json:"title"`
	Status  int               `json:"status"`
	Detail  string            `json:"detail"`
	Code    conf.Code         `json:"code"`
	Errors  []conf.FieldError `json:"errors,omitempty"`
	TraceID string            `json:"trace_id,omitempty"`
}

const internalDetail = "something went wrong here; the service's log tells more"

// statusClientGone marks a request whose client went away before the answer
// (nginx's 499). Nobody reads it but our own telemetry, where such a request
// must not count as a fault of the service.
const statusClientGone = 499

// fail answers with the problem that err is. Only what the caller may not see
// is logged.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		w.WriteHeader(statusClientGone)
		return
	}
	p := problem{Code: conf.CodeOf(err), Detail: internalDetail}
	if p.Status = status(p.Code); p.Status == http.StatusInternalServerError {
		p.Code = conf.Internal // a code that has no status is none of the contract's either
	}
	if e, ok := errors.AsType[*conf.Error](err); ok && p.Status != http.StatusInternalServerError {
		p.Detail, p.Errors = e.Detail, e.Fields
	}
	switch p.Code {
	case conf.Unauthenticated, conf.Forbidden:
		challenge(w.Header(), r, p.Code)
	case codeTooLarge:
		s.Rejected(r.Context(), "body")
	}
	// What is turned away under load is counted; a line for each would add to the load.
	if p.Status >= http.StatusInternalServerError && p.Code != conf.Overloaded {
		s.Logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "route", r.Pattern, "error", err)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	s.writeProblem(w, r, p)
}

// retryAfter is how long to stay away from an unavailable service, in seconds.
const retryAfter = 1

func (s *server) writeProblem(w http.ResponseWriter, r *http.Request, p problem) {
	p.Type, p.Title, p.TraceID = "about:blank", http.StatusText(p.Status), s.TraceID(r.Context())
	if p.Detail == internalDetail && p.TraceID != "" {
		p.Detail += " under this trace id"
	}
	write(w, p.Status, "application/problem+json", p)
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	return write(w, status, "application/json", v)
}

func write(w http.ResponseWriter, status int, mediaType string, v any) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // a configuration's text comes back as it went in
	if err := enc.Encode(v); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(body.Bytes()) // fails only when the client is gone, and then nobody is left to tell
	return nil
}
