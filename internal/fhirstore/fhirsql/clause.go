package fhirsql

import (
	"strings"
	"unicode/utf8"

	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
)

// clause writes one condition of a parameter as a question to its index.
func (q *query) clause(x variable, c search.Clause) {
	c = c.Asked()
	table := tables[c.Parameter.Type]
	switch {
	case c.Parameter.Type == search.TypeComposite:
		q.composite(x, c)
	case table == "" || len(c.Operands) == 0:
		q.add("1=0")
	case c.Modifier == "missing":
		q.missing(x, c, table)
	case c.Parameter.Code == "_id" && c.Modifier == "":
		q.logicalID(x, c)
	default:
		q.holds(x, c, table)
	}
}

// missing: alternatives true and false together ask nothing.
func (q *query) missing(x variable, c search.Clause, table string) {
	q.add("(")
	for i, o := range c.Operands {
		if i > 0 {
			q.add(" OR ")
		}
		if o.Missing {
			q.add("NOT ")
		}
		q.add("EXISTS (SELECT 1 FROM ", table, " v WHERE v.rid = ", x.alias, ".rid AND v.param = ")
		q.arg(parameterID(c.Parameter))
		q.add(")")
	}
	q.add(")")
}

// logicalID asks the resource itself.
func (q *query) logicalID(x variable, c search.Clause) {
	q.add("(")
	for i, o := range c.Operands {
		if i > 0 {
			q.add(" OR ")
		}
		if !o.HasCode || o.HasSystem && o.System != "" {
			q.add("1=0")
			continue
		}
		q.add(x.alias, ".id = ")
		q.arg(o.Code)
	}
	q.add(")")
}

// holds: some value of the parameter compares, or with :not none does.
func (q *query) holds(x variable, c search.Clause, table string) {
	if c.Negated() {
		q.add("NOT ")
	}
	q.add("EXISTS (SELECT 1")
	if q.dialect == db.PostgreSQL {
		// Asked of each resource by its rid: its plans, made before the values are
		// known, would take the other index and read all that has the same code.
		q.values("v.param + 0", c, table)
		q.add(" AND v.rid = ", x.alias, ".rid OFFSET 0)")
		return
	}
	q.values("v.param", c, table)
	q.add(" AND v.rid = ", x.alias, ".rid)")
}

// values writes FROM and WHERE for the values v of a parameter that compare.
func (q *query) values(param string, c search.Clause, table string) {
	q.add(" FROM ", table, " v WHERE ", param, " = ")
	q.arg(parameterID(c.Parameter))
	q.add(" AND (")
	for i, o := range c.Operands {
		if i > 0 {
			q.add(" OR ")
		}
		q.operand(c, o)
	}
	q.add(")")
}

// operand writes one comparison with a row v of the index.
func (q *query) operand(c search.Clause, o search.Operand) {
	switch c.Parameter.Type {
	case search.TypeToken:
		q.token(o)
	case search.TypeReference:
		q.reference(o)
	case search.TypeDate:
		q.date(o)
	case search.TypeString:
		q.text(c.Modifier, o)
	case search.TypeNumber:
		q.number(o)
	case search.TypeQuantity:
		q.add("(")
		q.unit(o)
		q.number(o)
		q.add(")")
	default:
		q.url(c.Modifier, o)
	}
}

// url says what Clause.comparesURL says.
func (q *query) url(modifier string, o search.Operand) {
	switch modifier {
	case "above":
		q.add("v.uri")
		q.among(o.Ancestors())
	case "below":
		root := strings.TrimSuffix(o.URL, "/")
		q.compare("(v.uri", " = ", root)
		q.compare(" OR v.uri", " >= ", root+"/")
		q.compare(" AND v.uri", " < ", root+"0") // which follows "/"
		q.add(")")
	default:
		q.compare("v.uri", " = ", o.URL)
	}
}

func (q *query) token(o search.Operand) {
	q.add("(")
	if o.HasCode {
		q.add("v.code = ")
		q.arg(o.Code)
	}
	if o.HasSystem {
		if o.HasCode {
			q.add(" AND ")
		}
		q.add("v.system = ")
		q.arg(o.System)
	}
	if !o.HasCode && !o.HasSystem {
		q.add("1=1")
	}
	q.add(")")
}

func (q *query) reference(o search.Operand) {
	if o.URL != "" {
		q.add("v.url = ")
		q.arg(o.URL)
		return
	}
	q.add("(v.ref_id = ")
	q.arg(o.Reference.ID)
	if o.Reference.Type != "" {
		q.add(" AND v.ref_type = ")
		q.arg(string(o.Reference.Type))
	}
	q.add(")")
}

// text: names are found by their beginning, through an index over the first 200
// characters, and compared in full.
func (q *query) text(modifier string, o search.Operand) {
	switch modifier {
	case "exact":
		q.add("v.exact = ")
		q.arg(o.Exact)
		return
	case "contains":
		if q.dialect.String() == "postgres" {
			q.add("strpos(v.norm, ")
		} else {
			q.add("instr(v.norm, ")
		}
		q.arg(o.Norm)
		q.add(") > 0")
		return
	}
	n := utf8.RuneCountInString(o.Norm)
	if n <= 200 {
		q.add("(substr(v.norm, 1, 200) >= ")
		q.arg(o.Norm)
		q.add(" AND substr(v.norm, 1, 200) < ")
		q.arg(o.Norm + string(utf8.MaxRune))
		q.add(" AND substr(v.norm, 1, ")
	} else {
		q.add("(substr(v.norm, 1, ")
	}
	q.arg(int64(n))
	q.add(") = ")
	q.arg(o.Norm)
	q.add(")")
}

// compare writes column word value.
func (q *query) compare(left, word string, value any) {
	q.add(left, word)
	q.arg(value)
}

// date says what Operand.comparesDate says.
func (q *query) date(o search.Operand) {
	q.add("(")
	switch o.Comparator {
	case search.Ne:
		q.compare("v.low", " < ", o.Low)
		q.compare(" OR v.high", " > ", o.High)
	case search.Gt:
		q.compare("v.high", " > ", o.High)
	case search.Lt:
		q.compare("v.low", " < ", o.Low)
	case search.Ge:
		q.compare("v.high", " > ", o.High)
		q.compare(" OR (v.low", " >= ", o.Low)
		q.compare(" AND v.high", " <= ", o.High)
		q.add(")")
	case search.Le:
		q.compare("v.low", " < ", o.Low)
		q.compare(" OR (v.low", " >= ", o.Low)
		q.compare(" AND v.high", " <= ", o.High)
		q.add(")")
	case search.Sa:
		q.compare("v.low", " > ", o.High)
	case search.Eb:
		q.compare("v.high", " < ", o.Low)
	case search.Ap:
		q.compare("v.low", " <= ", o.NearHigh)
		q.compare(" AND v.high", " >= ", o.NearLow)
	default:
		q.compare("v.low", " >= ", o.Low)
		q.compare(" AND v.high", " <= ", o.High)
	}
	q.add(")")
}

// number says what Operand.comparesNumber says; decimals are sortable texts, and a
// range whose ends are the wrong way round is empty.
func (q *query) number(o search.Operand) {
	q.add("(v.low <= v.high AND (")
	switch o.Comparator {
	case search.Ne:
		q.compare("v.low", " < ", o.From)
		q.compare(" OR v.high", " >= ", o.To)
	case search.Gt:
		q.compare("v.high", " > ", o.Value)
	case search.Lt:
		q.compare("v.low", " < ", o.Value)
	case search.Ge:
		q.compare("v.high", " >= ", o.Value)
	case search.Le:
		q.compare("v.low", " <= ", o.Value)
	case search.Sa:
		q.compare("v.low", " > ", o.Value)
	case search.Eb:
		q.compare("v.high", " < ", o.Value)
	case search.Ap:
		q.compare("v.low", " <= ", o.NearTo)
		q.compare(" AND v.high", " >= ", o.NearFrom)
	default:
		q.compare("v.low", " >= ", o.From)
		q.compare(" AND v.low", " < ", o.To) // follows, and ends the way through the index
		q.compare(" AND v.high", " < ", o.To)
	}
	q.add("))")
}

// unit says what Operand.comparesUnit says, followed by AND.
func (q *query) unit(o search.Operand) {
	switch {
	case o.HasSystem && o.HasCode:
		q.compare("v.system", " = ", o.System)
		q.compare(" AND v.code", " = ", o.Code)
		q.add(" AND ")
	case o.HasSystem:
		q.compare("v.system", " = ", o.System)
		q.add(" AND ")
	case o.HasCode:
		q.compare("(v.code", " = ", o.Code)
		q.compare(" OR v.unit", " = ", o.Code)
		q.add(") AND ")
	}
}
