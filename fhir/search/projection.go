package search

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/emberlatch/emberlatch/fhir"
)

// Projection says which elements of a resource are shown (R4 search
// §3.1.1.5.8, §3.1.1.5.9). It is applied after every check on full content.
type Projection struct {
	Summary  SummaryMode
	Elements []string // _elements; nil: not asked
}

// ParseProjection reads _elements and _summary of a read; any other parameter is
// refused. Errors are *fhir.OperationOutcome.
func ParseProjection(t fhir.ResourceType, params url.Values) (Projection, error) {
	var p Projection
	for name, values := range params {
		for _, value := range values {
			var err error
			switch {
			case name == "_elements":
				err = p.setElements(t, value)
			case name == "_summary" && value != string(SummaryCount):
				err = p.setSummary(value)
			default:
				err = refuse("not-supported", clip(name), "A read takes _elements and _summary only.")
			}
			if err != nil {
				return Projection{}, err
			}
		}
	}
	return p, nil
}

func (p *Projection) setSummary(value string) error {
	switch mode := SummaryMode(value); mode {
	case SummaryTrue, SummaryText, SummaryData, SummaryCount, SummaryFalse:
		p.Summary = mode
		return nil
	}
	return refuse("invalid", "_summary", "_summary is true, text, data, count or false.")
}

func (p *Projection) setElements(t fhir.ResourceType, value string) error {
	for _, name := range strings.Split(value, ",") {
		name = strings.TrimPrefix(name, string(t)+".")
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return refuse("invalid", "_elements", "_elements is a comma list of top-level element names.")
		}
		p.Elements = append(p.Elements, name)
	}
	return nil
}

func (p Projection) encode() []string {
	var parts []string
	if p.Summary != "" {
		parts = append(parts, "_summary="+string(p.Summary))
	}
	if p.Elements != nil {
		parts = append(parts, "_elements="+url.QueryEscape(strings.Join(p.Elements, ",")))
	}
	return parts
}

type elementNames struct{ summary, mandatory []string }

var elements = sync.OnceValue(func() map[fhir.ResourceType]elementNames {
	all := map[fhir.ResourceType]elementNames{}
	for line := range strings.Lines(elementTable) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		all[fhir.ResourceType(f[0])] = elementNames{strings.Split(f[1], ","), strings.Split(f[2], ",")}
	}
	return all
})

// Apply returns the bytes to show: all of them, or the chosen members as they
// came, marked as SUBSETTED.
func (p Projection) Apply(r fhir.Resource) ([]byte, error) {
	keep := p.filter(r.Type())
	if keep == nil {
		return r.JSON(), nil
	}
	list, err := r.Members()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteByte('{')
	marked := false
	for _, m := range list {
		name := strings.TrimPrefix(m.Name, "_") // _birthDate goes with birthDate
		if !keep(name) {
			continue
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		if m.Name == "meta" {
			m.Value, marked = subsetted(m.Value), true
		}
		out.Write(m.Append(out.AvailableBuffer()))
	}
	if !marked {
		out.WriteString(`,"meta":{"tag":[` + subsettedTag + `]}`)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// filter decides by element name; nil keeps everything.
func (p Projection) filter(t fhir.ResourceType) func(name string) bool {
	if p.Elements == nil && (p.Summary == "" || p.Summary == SummaryFalse || p.Summary == SummaryCount) {
		return nil
	}
	names := elements()[t]
	always := func(name string) bool {
		return name == "resourceType" || name == "id" || name == "meta" || isElement(names.mandatory, name)
	}
	switch {
	case p.Elements != nil:
		return func(name string) bool { return always(name) || isElement(p.Elements, name) }
	case p.Summary == SummaryTrue:
		return func(name string) bool { return always(name) || isElement(names.summary, name) }
	case p.Summary == SummaryText:
		return func(name string) bool { return always(name) || name == "text" }
	case p.Summary == SummaryData:
		return func(name string) bool { return name != "text" }
	}
	return nil
}

// isElement also recognises choices: valueQuantity is value, or value[x].
func isElement(list []string, name string) bool {
	return slices.ContainsFunc(list, func(e string) bool {
		if e == name {
			return true
		}
		choice := strings.TrimSuffix(e, "[x]")
		rest, ok := strings.CutPrefix(name, choice)
		return ok && choice != e && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z'
	})
}

const subsettedTag = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}`

// subsetted adds the tag to the bytes of a meta object. What is not an object, or
// no list of tags, holds none.
func subsetted(meta []byte) []byte {
	list, err := fhir.Members(meta)
	if err != nil {
		list = nil
	}
	at := slices.IndexFunc(list, func(m fhir.Member) bool { return m.Name == "tag" })
	if at < 0 {
		at = len(list)
		list = append(list, fhir.Member{Name: "tag"})
	}
	list[at].Value = withTag(list[at].Value)
	out := []byte{'{'}
	for i, m := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = m.Append(out)
	}
	return append(out, '}')
}

// withTag is a list of tags with one more.
func withTag(tags []byte) []byte {
	var others []byte
	if len(tags) > 2 && tags[0] == '[' {
		others = bytes.TrimSpace(tags[1 : len(tags)-1])
	}
	out := append([]byte{'['}, others...)
	if len(others) > 0 {
		out = append(out, ',')
	}
	return append(out, subsettedTag+"]"...)
}
