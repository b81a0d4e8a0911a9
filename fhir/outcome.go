package fhir

import (
	"encoding/json"
	"net/http"
)

// OperationOutcome is an answer that says why not (FHIR R4 operationoutcome).
// It is an error whose text is safe for strangers.
type OperationOutcome struct {
	Status   int    // HTTP status
	Severity string // fatal, error, warning, information
	Code     string // issue-type: not-found, forbidden, invalid, not-supported, …
	Text     string // one sentence for the developer, without data of anybody
	// Expression names the parameter or element at fault, if one is.
	Expression string
	// More are issues beside this one.
	More []*OperationOutcome
}

// NewOutcome makes an outcome with status 400.
func NewOutcome(severity, code, text string) *OperationOutcome {
	return &OperationOutcome{Status: http.StatusBadRequest, Severity: severity, Code: code, Text: text}
}

// Error is the safe text.
func (o *OperationOutcome) Error() string { return o.Code + ": " + o.Text }

// About returns a copy that names the parameter or element at fault.
func (o *OperationOutcome) About(expression string) *OperationOutcome {
	c := *o
	c.Expression = expression
	return &c
}

// JSON is the OperationOutcome resource.
func (o *OperationOutcome) JSON() []byte {
	type issue struct {
		Severity    string   `json:"severity"`
		Code        string   `json:"code"`
		Diagnostics string   `json:"diagnostics"`
		Expression  []string `json:"expression,omitempty"`
	}
	var issues []issue
	for _, one := range append([]*OperationOutcome{o}, o.More...) {
		i := issue{Severity: one.Severity, Code: one.Code, Diagnostics: one.Text}
		if one.Expression != "" {
			i.Expression = []string{one.Expression}
		}
		issues = append(issues, i)
	}
	b, err := json.Marshal(struct {
		ResourceType string  `json:"resourceType"`
		Issue        []issue `json:"issue"`
	}{"OperationOutcome", issues})
	if err != nil { // strings always marshal
		return []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception"}]}`)
	}
	return b
}
