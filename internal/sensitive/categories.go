package sensitive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

const (
	// Unlisted is the category of what has a label that nobody has named.
	Unlisted = "unlisted"
	// System is that of our own codes: a category is said by its name.
	System = "urn:emberlatch:sensitive"
)

// confidentiality is the HL7 scale of how much there is to protect.
const confidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"

// ordinary are its codes that say that there is nothing special.
var ordinary = []string{"U", "L", "M", "N"}

// Definition is one category as the operator defines it.
type Definition struct {
	Name string
	// Words are what people read, by language.
	Words map[string]string
	// Codes that stand in its content; Labels that stand in its meta.security.
	Codes, Labels []Code
	Readers       []access.Reader
}

// Categories are all of them. Nil has none. It is safe for concurrent use.
type Categories struct {
	list     []Definition
	codes    table
	labels   map[Code]string // to the category; empty: to none
	identity string
}

// New makes Categories of definitions that Check has passed, and of labels that mean
// none. Without a definition there are none.
func New(list []Definition, ordinaryLabels []Code) *Categories {
	if len(list) == 0 {
		return nil
	}
	c := &Categories{list: slices.Clone(list), codes: newTable(), labels: map[Code]string{}}
	if !slices.ContainsFunc(list, func(d Definition) bool { return d.Name == Unlisted }) {
		c.list = append(c.list, Definition{Name: Unlisted})
	}
	for _, code := range ordinary {
		c.labels[Code{System: confidentiality, Code: code}] = ""
	}
	for _, label := range ordinaryLabels {
		c.labels[label] = ""
	}
	for _, d := range c.list {
		own := Code{System: System, Code: d.Name}
		c.codes.add(own, d.Name)
		c.labels[own] = d.Name
		for _, code := range d.Codes {
			c.codes.add(code, d.Name)
		}
	}
	for _, d := range c.list {
		for _, label := range d.Labels {
			c.labels[label] = d.Name
		}
	}
	c.identity = identify(c.list, ordinaryLabels)
	return c
}

// identify is what the classification depends on, in short.
func identify(list []Definition, ordinaryLabels []Code) string {
	type part struct {
		Name          string
		Codes, Labels []Code
	}
	all := []part{{Labels: ordinaryLabels}}
	for _, d := range list {
		all = append(all, part{d.Name, d.Codes, d.Labels})
	}
	b, err := json.Marshal(all)
	if err != nil { // texts always marshal
		return ""
	}
	sum := sha256.Sum256(append([]byte("1:"), b...)) // the number is that of the rules of this package
	return hex.EncodeToString(sum[:])
}

// Identity changes with everything that a classification depends on; empty: there is none.
func (c *Categories) Identity() string {
	if c == nil {
		return ""
	}
	return c.identity
}

// Policy is who reads which.
func (c *Categories) Policy() access.Sensitive {
	if c == nil {
		return access.Sensitive{}
	}
	readers := map[string][]access.Reader{}
	for _, d := range c.list {
		readers[d.Name] = d.Readers
	}
	return access.NewSensitive(readers)
}

// WordsForPatients are the words of a category that patients read, in some app; empty: they
// read it in none.
func (c *Categories) WordsForPatients(name, language string) string {
	if c == nil || !c.Policy().ReadByPatients(name) {
		return ""
	}
	return c.Words(name, language)
}

// Words are what people read of a category: in a language, else in any, else its name.
func (c *Categories) Words(name, language string) string {
	if c == nil {
		return name
	}
	for _, d := range c.list {
		if d.Name != name {
			continue
		}
		for _, words := range []string{d.Words[language], d.Words["en"]} {
			if words != "" {
				return words
			}
		}
	}
	return name
}

// Of says which categories the content of a resource holds. Without categories nobody has
// looked.
func (c *Categories) Of(r fhir.Resource) search.Sensitivity {
	if c == nil || r.IsZero() {
		return search.Sensitivity{}
	}
	root := r.Root()
	if root.Kind() != '{' {
		return search.Sensitivity{}
	}
	var found []string
	found = c.labelled(found, root)
	for contained := range root.Member("contained").Values() {
		found = c.labelled(found, contained)
	}
	if compartment.ClassOf(r.Type()) != compartment.Shared || r.Type() == medicine {
		found = c.coded(found, root)
	}
	return search.Classified(found...)
}

// labelled adds what the labels of a resource say.
func (c *Categories) labelled(found []string, resource fhir.Node) []string {
	security := resource.Member("meta").Member("security")
	if security.Absent() {
		return found
	}
	if security.Kind() != '[' {
		return append(found, Unlisted)
	}
	for label := range security.Values() {
		name, named := c.labels[Code{System: label.Member("system").Text(), Code: label.Member("code").Text()}]
		switch {
		case !named:
			found = append(found, Unlisted)
		case name != "":
			found = append(found, name)
		}
	}
	return found
}

// coded adds what codes anywhere in a value say.
func (c *Categories) coded(found []string, value fhir.Node) []string {
	switch value.Kind() {
	case '{':
		if code := value.Member("code"); code.Kind() == '"' {
			found = c.codes.find(found, value.Member("system").Text(), strings.TrimSpace(code.Text()))
		}
	case '[':
	default:
		return found
	}
	for part := range value.Values() {
		found = c.coded(found, part)
	}
	return found
}
