package audit

// AuditEvent is FHIR R4 AuditEvent, as far as events fill it.
type AuditEvent struct {
	ResourceType string   `json:"resourceType"`
	ID           string   `json:"id"`
	Meta         *meta    `json:"meta,omitempty"`
	Type         coding   `json:"type"`
	Subtype      []coding `json:"subtype,omitempty"`
	Action       string   `json:"action"`
	Recorded     string   `json:"recorded"`
	Outcome      string   `json:"outcome"`
	OutcomeDesc  string   `json:"outcomeDesc,omitempty"`
	// PurposeOfEvent is BTG where something was done in an emergency.
	PurposeOfEvent []concept `json:"purposeOfEvent,omitempty"`
	Agent          []agent   `json:"agent"`
	Source         source    `json:"source"`
	Entity         []element `json:"entity,omitempty"`
}

type meta struct {
	Profile []string `json:"profile"`
}

type coding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
}

type identifier struct {
	Value string `json:"value"`
}

type reference struct {
	Reference  string      `json:"reference,omitempty"`
	Type       string      `json:"type,omitempty"`
	Identifier *identifier `json:"identifier,omitempty"`
	Display    string      `json:"display,omitempty"`
}

func identified(id string) reference { return reference{Identifier: &identifier{id}} }

type concept struct {
	Coding []coding `json:"coding"`
}

func typed(c coding) *concept { return &concept{[]coding{c}} }

type agent struct {
	Type      *concept  `json:"type,omitempty"`
	Who       reference `json:"who"`
	Requestor bool      `json:"requestor"`
	Policy    []string  `json:"policy,omitempty"`
	Network   *network  `json:"network,omitempty"`
	// PurposeOfUse is for what whoever asks uses it, where it is known.
	PurposeOfUse []concept `json:"purposeOfUse,omitempty"`
}

type network struct {
	Address string `json:"address"`
	Type    string `json:"type"` // 2 an address, 5 a URI
}

type source struct {
	Observer reference `json:"observer"`
	Type     []coding  `json:"type,omitempty"`
}

type detail struct {
	Type        string `json:"type"`
	ValueString string `json:"valueString"`
}

type element struct {
	What *reference `json:"what,omitempty"`
	Type coding     `json:"type"`
	Role *coding    `json:"role,omitempty"`
	// SecurityLabel says what of it is sensitive.
	SecurityLabel []coding `json:"securityLabel,omitempty"`
	Query         []byte   `json:"query,omitempty"` // base64 in JSON
	Detail        []detail `json:"detail,omitempty"`
}
