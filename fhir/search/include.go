package search

import (
	"net/url"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Include is one _include or _revinclude (FHIR R4 search §3.1.1.5.4).
type Include struct {
	Source    fhir.ResourceType
	Parameter Parameter         // the zero value: every reference parameter of Source
	Target    fhir.ResourceType // empty: any
	// Iterate: what has come along counts as a match in turn.
	Iterate bool
}

// String prints Source:parameter[:Target].
func (i Include) String() string {
	s := string(i.Source) + ":" + i.Parameter.Code
	if i.Every() {
		s += "*"
	}
	if i.Target != "" {
		s += ":" + string(i.Target)
	}
	return s
}

// Every reports whether all reference parameters are meant.
func (i Include) Every() bool { return i.Parameter.Code == "" }

// Parameters are the reference parameters that are followed.
func (i Include) Parameters() []Parameter {
	if !i.Every() {
		return []Parameter{i.Parameter}
	}
	var list []Parameter
	for _, p := range index()[i.Source].sorted {
		if p.Type == TypeReference {
			list = append(list, p)
		}
	}
	return list
}

func (i Include) encode(name string) string {
	if i.Iterate {
		name += ":iterate"
	}
	return url.QueryEscape(name) + "=" + url.QueryEscape(i.String())
}

// include reads Source:parameter[:Target] and Source:*.
func include(name, value string) (Include, error) {
	parts := strings.Split(value, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return Include{}, refuse("not-supported", name, name+" is Type:parameter, Type:parameter:Target or Type:*, one each.")
	}
	source, known := fhir.ParseResourceType(parts[0])
	if parts[1] == "*" && known && len(parts) == 2 {
		return Include{Source: source}, nil
	}
	p, found := Lookup(source, parts[1])
	if !known || !found || p.Type != TypeReference {
		return Include{}, refuse("invalid", name, clip(value)+" does not name a reference parameter.")
	}
	i := Include{Source: source, Parameter: p}
	if len(parts) == 3 {
		target, known := fhir.ParseResourceType(parts[2])
		if !known || !p.CanPointTo(target) {
			return Include{}, refuse("invalid", name, clip(value)+" names a type that the parameter cannot point to.")
		}
		i.Target = target
	}
	return i, nil
}

func (q *Query) addInclude(value string, iterate bool) error {
	if value == "*" && !iterate {
		value = string(q.Type) + ":*"
	}
	i, err := include("_include", value)
	if err != nil {
		return err
	}
	if i.Source != q.Type && !iterate {
		return refuse("invalid", "_include", "_include starts at the type that is searched, "+string(q.Type)+"; further steps are _include:iterate.")
	}
	i.Iterate = iterate
	q.Include = append(q.Include, i)
	return nil
}

func (q *Query) addRevInclude(value string, iterate bool) error {
	i, err := include("_revinclude", value)
	if err != nil {
		return err
	}
	i.Iterate = iterate
	if !iterate && !i.canPointTo(q.Type) {
		return refuse("invalid", "_revinclude", clip(value)+" cannot point to "+string(q.Type)+".")
	}
	q.RevInclude = append(q.RevInclude, i)
	return nil
}

// canPointTo reports whether a type is among the targets.
func (i Include) canPointTo(t fhir.ResourceType) bool {
	if i.Target != "" && i.Target != t {
		return false
	}
	for _, p := range i.Parameters() {
		if p.CanPointTo(t) {
			return true
		}
	}
	return false
}
