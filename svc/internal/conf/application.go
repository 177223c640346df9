package conf

import "time"

// An Application owns configurations. Its JSON form is the contract's.
type Application struct {
	ID        string    `json:"id"`       // ULID, assigned by the store
	Name      string    `json:"name"`     // 1 to 256 characters, unique
	Comments  *string   `json:"comments"` // at most 1024 characters, or null
	Revision  int64     `json:"revision"` // of the last change to it or to its set of configurations
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// ConfigurationIDs lists what it owns in order of creation; empty, never
	// null, when it owns nothing.
	ConfigurationIDs []string `json:"configuration_ids"`
}

// Validate reports every field that breaks a rule of the domain in one error
// of code [Invalid].
func (a Application) Validate() error {
	var p problems
	p.name(a.Name)
	p.comments(a.Comments)
	return p.err()
}

// ApplicationQuery selects applications for a list.
type ApplicationQuery struct {
	Window
	Name string   // exact; empty selects all
	IDs  []string // only these; nil selects all
}
