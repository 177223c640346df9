package conf

import (
	"errors"
	"fmt"
)

// A Code tells what kind of error a call ended in. It is stable and
// machine-readable; the edge turns it into a status.
type Code string

// The codes of the domain.
const (
	Invalid            Code = "invalid"             // a field breaks a rule; Fields says which
	UnknownApplication Code = "unknown_application" // the named owner does not exist
	NotFound           Code = "not_found"
	Exists             Code = "already_exists" // the name is taken
	PreconditionFailed Code = "precondition_failed"
	Compacted          Code = "compacted"       // that part of the history is no longer kept
	Unavailable        Code = "unavailable"     // a dependency is down or too slow; worth a retry
	Unauthenticated    Code = "unauthenticated" // who calls is not known, or no longer
	Forbidden          Code = "forbidden"       // who calls may not do this
	RateLimited        Code = "rate_limited"    // too many writes by one caller
	Overloaded         Code = "overloaded"      // too many calls at once; worth a retry
	Internal           Code = "internal"        // everything that nobody foresaw
)

// An Error is what the calls of a [Store] return. Detail is one sentence that
// may be shown to the caller; Err is the cause and may not.
type Error struct {
	Code   Code
	Detail string
	Fields []FieldError
	Err    error
}

// A FieldError names one field at fault by its JSON Pointer (RFC 6901).
type FieldError struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Detail, e.Err)
	}
	return e.Detail
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error whose detail is formatted.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of the first Error in err's chain, [Internal] when
// there is none, and "" when err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
