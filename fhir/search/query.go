package search

import (
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Limits of one query.
const (
	DefaultCount = 50
	MaxCount     = 1000
	maxClauses   = 40
	maxOperands  = 300
	maxIncludes  = 10
	maxSortKeys  = 4
)

// TotalMode is the value of _total.
type TotalMode string

// The modes of _total; the zero value leaves it to the server.
const (
	TotalNone     TotalMode = "none"
	TotalEstimate TotalMode = "estimate"
	TotalAccurate TotalMode = "accurate"
)

// SummaryMode is the value of _summary.
type SummaryMode string

// The modes of _summary; the zero value means false.
const (
	SummaryTrue  SummaryMode = "true"
	SummaryText  SummaryMode = "text"
	SummaryData  SummaryMode = "data"
	SummaryCount SummaryMode = "count"
	SummaryFalse SummaryMode = "false"
)

// SortKey is one key of _sort. Ascending order uses the lowest value of a
// resource, descending the highest; resources without one come last.
type SortKey struct {
	Parameter  Parameter
	Descending bool
}

// Query is a parsed search of one resource type.
type Query struct {
	Type       fhir.ResourceType
	Where      []Clause // all of them
	Joins      []Join   // all of them, too
	Count      int      // page size; 0 asks for the total only
	Sort       []SortKey
	Total      TotalMode
	Projection Projection
	Include    []Include
	RevInclude []Include
	// Within is a further condition that did not come as a parameter (the root
	// of a compartment search); nil: none.
	Within Expr
	// Cursor is the position of an earlier page, empty for the first.
	Cursor string

	countText string
}

// Expr is what matches must fulfil.
func (q Query) Expr() Expr {
	all := make(And, 0, len(q.Where)+len(q.Joins)+1)
	for _, c := range q.Where {
		all = append(all, Holds{c})
	}
	for _, j := range q.Joins {
		all = append(all, j.expr)
	}
	if q.Within != nil {
		all = append(all, q.Within)
	}
	return all
}

// CountOnly reports whether no entries are wanted.
func (q Query) CountOnly() bool { return q.Count == 0 || q.Projection.Summary == SummaryCount }

// Project shows a match as the query asks (_elements, _summary).
func (q Query) Project(r fhir.Resource) ([]byte, error) { return q.Projection.Apply(r) }

func refuse(code, parameter, text string) *fhir.OperationOutcome {
	o := fhir.NewOutcome("error", code, text)
	if code == "not-supported" {
		o.Status = http.StatusBadRequest
	}
	return o.About(parameter)
}

// clip keeps a name from outside short and printable in an error text.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}

// Parse reads the parameters of a search; base is the FHIR base whose absolute
// references count as local. What is not understood is refused, never ignored:
// an ignored filter would widen the answer. Errors are *fhir.OperationOutcome
// that name the parameter.
func Parse(t fhir.ResourceType, params url.Values, base string) (Query, error) {
	q := Query{Type: t, Count: DefaultCount}
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, value := range params[name] {
			if err := q.parameter(name, value, base); err != nil {
				return Query{}, err
			}
		}
	}
	if len(q.Where) > maxClauses || len(q.Joins) > maxJoins || len(q.Include)+len(q.RevInclude) > maxIncludes {
		return Query{}, refuse("too-costly", "", "The search has too many conditions, links or includes.")
	}
	return q, nil
}

// parameter adds one name=value.
func (q *Query) parameter(name, value, base string) error {
	set, known := resultParameters[name]
	if known {
		return set(q, value)
	}
	if strings.HasPrefix(name, "_include:") || strings.HasPrefix(name, "_revinclude:") {
		return refuse("not-supported", clip(name), "The only modifier of an include is :iterate.")
	}
	if isJoin(name) {
		return q.addJoin(name, value, base)
	}
	c, err := parseClause(q.Type, name, value, base)
	if err != nil {
		return err
	}
	q.Where = append(q.Where, c)
	return nil
}

var resultParameters map[string]func(q *Query, value string) error

func init() {
	resultParameters = map[string]func(q *Query, value string) error{
		"_count": (*Query).setCount, "_sort": (*Query).setSort, "_total": (*Query).setTotal,
		"_summary": (*Query).setSummary, "_elements": (*Query).setElements,
		"_include":            func(q *Query, v string) error { return q.addInclude(v, false) },
		"_revinclude":         func(q *Query, v string) error { return q.addRevInclude(v, false) },
		"_include:iterate":    func(q *Query, v string) error { return q.addInclude(v, true) },
		"_revinclude:iterate": func(q *Query, v string) error { return q.addRevInclude(v, true) },
	}
}

func (q *Query) setCount(value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || q.countText != "" || value[0] == '+' || len(value) > 6 {
		return refuse("invalid", "_count", "_count is one whole number from 0 to 1000.")
	}
	q.Count, q.countText = min(n, MaxCount), value
	return nil
}

func (q *Query) setTotal(value string) error {
	switch mode := TotalMode(value); mode {
	case TotalNone, TotalEstimate, TotalAccurate:
		q.Total = mode
		return nil
	}
	return refuse("invalid", "_total", "_total is none, estimate or accurate.")
}

func (q *Query) setSummary(value string) error { return q.Projection.setSummary(value) }

func (q *Query) setElements(value string) error { return q.Projection.setElements(q.Type, value) }

func (q *Query) setSort(value string) error {
	for _, key := range strings.Split(value, ",") {
		code, descending := strings.CutPrefix(key, "-")
		p, ok := Lookup(q.Type, code)
		if !ok || !p.Answerable() || p.Type == TypeReference || p.Type == TypeComposite {
			return refuse("not-supported", "_sort", "_sort takes search parameters of "+string(q.Type)+" that are not references, composites or chains: "+clip(code)+" is not one.")
		}
		q.Sort = append(q.Sort, SortKey{p, descending})
	}
	if len(q.Sort) > maxSortKeys {
		return refuse("too-costly", "_sort", "_sort takes at most four keys.")
	}
	return nil
}

// parseClause reads name[:modifier]=value.
func parseClause(t fhir.ResourceType, name, value, base string) (Clause, error) {
	code, modifier, _ := strings.Cut(name, ":")
	p, known := Lookup(t, code)
	switch {
	case isJoin(name):
		return Clause{}, refuse("not-supported", clip(name), "A chain has no place here.")
	case !known:
		return Clause{}, refuse("not-supported", clip(name), clip(code)+" is not a search parameter of "+string(t)+" on this server.")
	case !p.Answerable():
		return Clause{}, refuse("not-supported", clip(name), clip(code)+" is a "+string(p.Type)+" parameter, which this server does not answer.")
	}
	c := Clause{Parameter: p, text: value}
	if err := c.setModifier(modifier, name != code); err != nil {
		return Clause{}, err
	}
	alternatives := splitUnescaped(value, ',')
	if len(alternatives) > maxOperands {
		return Clause{}, refuse("too-costly", clip(name), clip(name)+" has more than 300 alternatives.")
	}
	for _, text := range alternatives {
		if p.Type == TypeComposite {
			if err := c.compose(text, base); err != nil {
				return Clause{}, err
			}
			continue
		}
		o, expected := parseOperand(c, text, base)
		if expected != "" {
			return Clause{}, refuse("invalid", clip(name), clip(name)+": expected "+expected+".")
		}
		c.Operands = append(c.Operands, o)
	}
	return c, nil
}

// modifiers that a kind of parameter takes, besides missing.
var modifiers = map[ParameterType][]string{
	TypeToken: {"not"}, TypeString: {"exact", "contains"}, TypeReference: {"identifier"},
	TypeURI: {"above", "below"},
}

func (c *Clause) setModifier(modifier string, given bool) error {
	if !given {
		return nil
	}
	if modifier == "missing" && c.Parameter.Type != TypeComposite || slices.Contains(modifiers[c.Parameter.Type], modifier) {
		c.Modifier = modifier
		return nil
	}
	if t, known := fhir.ParseResourceType(modifier); known && c.Parameter.CanPointTo(t) {
		c.TypeModifier = t
		return nil
	}
	if c.Parameter.Type == TypeToken && (modifier == "above" || modifier == "below") {
		return refuse("not-supported", c.Parameter.Code, "This server does not know which codes lie above or below others: :above and :below are for uri parameters. List the codes, with commas between them.")
	}
	return refuse("not-supported", c.Parameter.Code, "The modifier :"+clip(modifier)+" is not offered for "+c.Parameter.Code+".")
}

// String prints the query as canonical URL parameters, without the position:
// Parse of it gives the same query.
func (q Query) String() string {
	var parts []string
	for _, c := range q.Where {
		parts = append(parts, c.encode())
	}
	for _, j := range q.Joins {
		parts = append(parts, j.encode())
	}
	for _, i := range q.Include {
		parts = append(parts, i.encode("_include"))
	}
	for _, i := range q.RevInclude {
		parts = append(parts, i.encode("_revinclude"))
	}
	if len(q.Sort) > 0 {
		var keys []string
		for _, k := range q.Sort {
			key := k.Parameter.Code
			if k.Descending {
				key = "-" + key
			}
			keys = append(keys, key)
		}
		parts = append(parts, "_sort="+strings.Join(keys, ","))
	}
	if q.countText != "" {
		parts = append(parts, "_count="+strconv.Itoa(q.Count))
	}
	if q.Total != "" {
		parts = append(parts, "_total="+string(q.Total))
	}
	return strings.Join(append(parts, q.Projection.encode()...), "&")
}
