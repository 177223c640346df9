package conf

// Limits of a list call.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
)

// A Window says which part of a list is wanted.
type Window struct {
	Limit  int // 1 to MaxLimit
	Offset int // from 0
}

// A Page is one window of a list. Its JSON form is the contract's.
type Page[T any] struct {
	Items   []T  `json:"items"` // never null
	Total   int  `json:"total"` // of the whole list
	Limit   int  `json:"limit"`
	Offset  int  `json:"offset"`
	HasMore bool `json:"has_more"`
}

// NewPage returns the page that shows items, found at w in a list of total.
func NewPage[T any](items []T, total int, w Window) Page[T] {
	if items == nil {
		items = []T{}
	}
	return Page[T]{
		Items: items, Total: total, Limit: w.Limit, Offset: w.Offset,
		HasMore: w.Offset+len(items) < total,
	}
}
