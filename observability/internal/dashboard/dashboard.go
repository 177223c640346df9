// Package dashboard reads and writes the Grafana dashboards of this project, and
// lists what they ask of Prometheus.
//
// For a test or a verifier: [Load] reads the files, [Dashboard.Queries] lists the
// queries with their variables filled in, and [Query.Needs] tells what must be there
// for a query to have data; one that needs nothing must have data under load.
//
//	boards, err := dashboard.Load("observability/grafana/provisioning/dashboards")
//	for _, q := range boards[0].Queries(nil) { ask(q.Expr); q.Needs() … }
//
// The types hold the part of Grafana's schema that this project uses, and no more: a file
// with a field that they do not know is refused, since the viewer would not draw it.
package dashboard

// A Dashboard is one file.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: one crosshair for all panels
	Refresh       string      `json:"refresh"`
	Time          TimeRange   `json:"time"`
	Timezone      string      `json:"timezone"`
	Links         []Link      `json:"links"`
	Templating    Templating  `json:"templating"`
	Annotations   Annotations `json:"annotations"`
	Panels        []Panel     `json:"panels"`
}

// A TimeRange is what a dashboard shows at first, such as from now-15m to now.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// A Link is one of a dashboard, to the dashboards with its tags, or one of a panel, to its URL.
type Link struct {
	Title       string   `json:"title"`
	Type        string   `json:"type,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	URL         string   `json:"url,omitempty"`
	IncludeVars bool     `json:"includeVars,omitempty"`
	KeepTime    bool     `json:"keepTime,omitempty"`
	TargetBlank bool     `json:"targetBlank,omitempty"`
}

// Templating holds the variables, as Grafana nests them.
type Templating struct {
	List []Variable `json:"list"`
}

// A Variable is asked of Prometheus with label_values(…); each has an "All", which stands for
// AllValue.
type Variable struct {
	Name        string        `json:"name"`
	Label       string        `json:"label"`
	Description string        `json:"description"`
	Type        string        `json:"type"`
	Datasource  Datasource    `json:"datasource"`
	Definition  string        `json:"definition"`
	Query       VariableQuery `json:"query"`
	Refresh     int           `json:"refresh"` // 2: whenever the time range changes
	Sort        int           `json:"sort"`    // 1: by name
	Multi       bool          `json:"multi"`
	IncludeAll  bool          `json:"includeAll"`
	AllValue    string        `json:"allValue"`
	Current     Current       `json:"current"`
}

// A VariableQuery is the query of a variable, label_values(SELECTOR, LABEL).
type VariableQuery struct {
	Query string `json:"query"`
	RefID string `json:"refId"`
}

// Current is what a variable is set to at first.
type Current struct {
	Text  []string `json:"text"`
	Value []string `json:"value"`
}

// Annotations holds the annotations, as Grafana nests them.
type Annotations struct {
	List []Annotation `json:"list"`
}

// An Annotation marks the times at which its query has a sample above zero.
type Annotation struct {
	Name        string     `json:"name"`
	Datasource  Datasource `json:"datasource"`
	Enable      bool       `json:"enable"`
	Expr        string     `json:"expr"`
	IconColor   string     `json:"iconColor"`
	Step        string     `json:"step"`
	TitleFormat string     `json:"titleFormat"`
	TextFormat  string     `json:"textFormat"`
	TagKeys     string     `json:"tagKeys"`
}

// A Datasource names one by its type and its pinned uid.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// A Panel is one picture, or a row, the title above the panels that follow it.
type Panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	Collapsed       *bool            `json:"collapsed,omitempty"`
	GridPos         GridPos          `json:"gridPos"`
	Datasource      *Datasource      `json:"datasource,omitempty"`
	Links           []Link           `json:"links,omitempty"`
	FieldConfig     *FieldConfig     `json:"fieldConfig,omitempty"`
	Options         map[string]any   `json:"options,omitempty"`
	Targets         []Target         `json:"targets,omitempty"`
	Transformations []Transformation `json:"transformations,omitempty"`
	Panels          []Panel          `json:"panels,omitempty"` // Grafana's, in collapsed rows
}

// GridPos is the place of a panel on a grid that is 24 wide.
type GridPos struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// FieldConfig says how the values look.
type FieldConfig struct {
	Defaults  Field      `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Field is the look of all values of a panel.
type Field struct {
	Unit       string         `json:"unit,omitempty"`
	Decimals   *int           `json:"decimals,omitempty"`
	Min        *float64       `json:"min,omitempty"`
	Max        *float64       `json:"max,omitempty"`
	NoValue    string         `json:"noValue,omitempty"`
	Color      map[string]any `json:"color,omitempty"`
	Custom     map[string]any `json:"custom,omitempty"`
	Mappings   []Mapping      `json:"mappings,omitempty"`
	Thresholds *Thresholds    `json:"thresholds,omitempty"`
}

// A Mapping shows texts in place of values.
type Mapping struct {
	Type    string                `json:"type"`
	Options map[string]MappedText `json:"options"`
}

// MappedText is what a Mapping shows in place of one value.
type MappedText struct {
	Text  string `json:"text"`
	Color string `json:"color,omitempty"`
}

// Thresholds colour a value by the highest step that it reaches.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// A Step is a colour from a value on; that of the first is null, from minus infinity on.
type Step struct {
	Value *float64 `json:"value"`
	Color string   `json:"color"`
}

// An Override changes the look of the fields that Matcher matches.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// A Matcher matches fields, by name or by a regular expression.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// A Property is one thing that an Override sets.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// A Target is a query of a panel.
type Target struct {
	RefID        string     `json:"refId"`
	Datasource   Datasource `json:"datasource"`
	Expr         string     `json:"expr"`
	LegendFormat string     `json:"legendFormat,omitempty"`
	Format       string     `json:"format,omitempty"` // table or heatmap; else time series
	Instant      bool       `json:"instant,omitempty"`
	Range        bool       `json:"range,omitempty"`
	Exemplar     bool       `json:"exemplar,omitempty"`
}

// A Transformation rearranges the fields of a table.
type Transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}
