package search

import "github.com/emberlatch/emberlatch/fhir"

// MaxSortText is how many characters of a text it sorts by; what is equal up to
// there is ordered by id.
const MaxSortText = 200

// SortValue is what a resource sorts by: Text for strings, tokens, numbers and
// uris, Instant for dates. Missing values come last in either direction; equal
// ones are ordered by id.
type SortValue struct {
	Missing bool
	Text    string
	Instant int64
}

// Of returns the value of a resource for the key.
func (k SortKey) Of(r fhir.Resource, base string) SortValue {
	best := SortValue{Missing: true}
	for _, v := range k.Parameter.Extract(r, base) {
		candidate := k.candidate(v)
		if best.Missing || k.before(candidate, best) {
			best = candidate
		}
	}
	return best
}

func (k SortKey) candidate(v Value) SortValue {
	switch k.Parameter.Type {
	case TypeDate:
		if k.Descending {
			return SortValue{Instant: v.High}
		}
		return SortValue{Instant: v.Low}
	case TypeString:
		return SortValue{Text: beginning(v.Norm)}
	case TypeNumber, TypeQuantity:
		if k.Descending {
			return SortValue{Text: v.To}
		}
		return SortValue{Text: v.From}
	case TypeURI:
		return SortValue{Text: beginning(v.URL)}
	}
	return SortValue{Text: beginning(v.Code)}
}

// beginning is what a text sorts by.
func beginning(s string) string {
	n := 0
	for i := range s {
		if n == MaxSortText {
			return s[:i]
		}
		n++
	}
	return s
}

func (k SortKey) before(a, b SortValue) bool {
	if k.Descending {
		a, b = b, a
	}
	return a.Text < b.Text || a.Text == b.Text && a.Instant < b.Instant
}

// Compare orders two values: negative when a comes first.
func (k SortKey) Compare(a, b SortValue) int {
	switch {
	case a.Missing && b.Missing:
		return 0
	case a.Missing:
		return 1
	case b.Missing:
		return -1
	case k.before(a, b):
		return -1
	case k.before(b, a):
		return 1
	}
	return 0
}
