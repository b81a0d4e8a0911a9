package fhirsql

import (
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

func direction(k search.SortKey) string {
	if k.Descending {
		return " DESC"
	}
	return " ASC"
}

// sortKey writes the value that a resource sorts by: the lowest going up, the
// highest going down, NULL when there is none. It says what SortKey.Of says.
func (q *query) sortKey(k search.SortKey) {
	value := "MIN(v." + sortColumn(k) + ")"
	if k.Descending {
		value = "MAX(v." + sortColumn(k) + ")"
	}
	if isText(k) {
		value = "substr(" + value + ", 1, " + strconv.Itoa(search.MaxSortText) + ")"
	}
	q.add("(SELECT ", value, " FROM ", tables[k.Parameter.Type], " v WHERE v.rid = m.rid AND v.param = ")
	q.arg(parameterID(k.Parameter))
	q.add(")")
}

// isText: the key is a text from outside, which may be of any length.
func isText(k search.SortKey) bool {
	switch k.Parameter.Type {
	case search.TypeDate, search.TypeNumber, search.TypeQuantity:
		return false
	}
	return true
}

func sortColumn(k search.SortKey) string {
	switch k.Parameter.Type {
	case search.TypeDate, search.TypeNumber, search.TypeQuantity:
		if k.Descending {
			return "high"
		}
		return "low"
	case search.TypeString:
		return "norm"
	case search.TypeURI:
		return "uri"
	}
	return "code"
}

// sortValue is a sort key of one row: a text, an instant, or nothing.
type sortValue struct {
	Text    *string `json:"t,omitempty"`
	Instant *int64  `json:"i,omitempty"`
}

func (v *sortValue) dest(k search.SortKey) any {
	if k.Parameter.Type == search.TypeDate {
		return &v.Instant
	}
	return &v.Text
}

func (v sortValue) value() any {
	if v.Instant != nil {
		return *v.Instant
	}
	if v.Text != nil {
		return *v.Text
	}
	return nil
}

// position names the last match of a page. A door seals it before it leaves.
type position struct {
	Keys []sortValue `json:"k,omitempty"`
	ID   string      `json:"id"`
}

func encodePosition(q search.Query, keys []sortValue, id string) string {
	p := position{ID: id}
	if len(q.Sort) > 0 {
		p.Keys = keys
	}
	b, err := json.Marshal(p)
	if err != nil { // texts and numbers always marshal
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodePosition reads the position of a query; nil on the first page.
func decodePosition(q search.Query) (*position, error) {
	if q.Cursor == "" {
		return nil, nil //nolint:nilnil // no position is no error
	}
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return nil, fhirstore.ErrPosition
	}
	var p position
	if err := json.Unmarshal(b, &p); err != nil || p.ID == "" || len(p.Keys) != len(q.Sort) {
		return nil, fhirstore.ErrPosition
	}
	for i, k := range q.Sort {
		isDate := k.Parameter.Type == search.TypeDate
		if isDate && p.Keys[i].Text != nil || !isDate && p.Keys[i].Instant != nil {
			return nil, fhirstore.ErrPosition
		}
	}
	return &p, nil
}

// after writes the condition for rows behind a position: the first key that
// differs decides; nothing comes after everything, equal keys by id.
func (q *query) after(keys []search.SortKey, p position) {
	q.add("(")
	for i, k := range keys {
		q.equalKeys(keys[:i], p)
		n := "k" + strconv.Itoa(i)
		if v := p.Keys[i].value(); v == nil {
			q.add("1=0) OR ")
		} else {
			word := " > "
			if k.Descending {
				word = " < "
			}
			q.add("(", n, word)
			q.arg(v)
			q.add(" OR ", n, " IS NULL)) OR ")
		}
	}
	q.equalKeys(keys, p)
	q.add("id > ")
	q.arg(p.ID)
	q.add("))")
}

// equalKeys opens a parenthesis and writes that the keys are those of p, and AND.
func (q *query) equalKeys(keys []search.SortKey, p position) {
	q.add("(")
	for i := range keys {
		n := "k" + strconv.Itoa(i)
		if v := p.Keys[i].value(); v == nil {
			q.add(n, " IS NULL AND ")
		} else {
			q.add(n, " = ")
			q.arg(v)
			q.add(" AND ")
		}
	}
}
