package conf

import (
	"encoding/json"
	"time"
)

// A Configuration is a named JSON object that belongs to one application. Its
// JSON form is the contract's.
type Configuration struct {
	ID            string          `json:"id"`             // ULID, assigned by the store
	ApplicationID string          `json:"application_id"` // fixed at creation
	Name          string          `json:"name"`           // 1 to 256 characters, unique in its application
	Comments      *string         `json:"comments"`       // at most 1024 characters, or null
	Config        json.RawMessage `json:"config"`         // an object; numbers keep their exact text
	Version       int64           `json:"version"`        // 1 at creation, one more with each change
	Revision      int64           `json:"revision"`       // the store's revision of its last change
	CreatedAt     time.Time       `json:"created_at"`
	UpdatedAt     time.Time       `json:"updated_at"`

	// Cached tells that this copy was answered from memory.
	Cached bool `json:"-"`

	// Prepared is what was made of this version when it came to be cached, for
	// all who read it from there; nil when there is none.
	Prepared any `json:"-"`
}

// Validate reports every field that breaks a rule of the domain in one error
// of code [Invalid].
func (c Configuration) Validate() error {
	var p problems
	if c.ApplicationID == "" {
		p.add("/application_id", "is required")
	}
	p.name(c.Name)
	p.comments(c.Comments)
	if !isObject(c.Config) {
		p.add("/config", "must be a JSON object in UTF-8")
	}
	return p.err()
}

// ConfigurationQuery selects configurations for a list.
type ConfigurationQuery struct {
	Window
	ApplicationID string   // empty selects those of all applications
	Owners        []string // where it is: only those of these applications; nil selects all
}
