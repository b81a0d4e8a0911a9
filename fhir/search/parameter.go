package search

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/emberlatch/emberlatch/fhir"
)

// ParameterType is the kind of a search parameter (FHIR R4 search §3.1.1.4).
type ParameterType string

// The kinds. Special parameters are known and refused.
const (
	TypeNumber    ParameterType = "number"
	TypeDate      ParameterType = "date"
	TypeString    ParameterType = "string"
	TypeToken     ParameterType = "token"
	TypeReference ParameterType = "reference"
	TypeComposite ParameterType = "composite"
	TypeQuantity  ParameterType = "quantity"
	TypeURI       ParameterType = "uri"
	TypeSpecial   ParameterType = "special"
)

// Parameter is a search parameter of one resource type. The zero value is none.
type Parameter struct {
	Base fhir.ResourceType // the type it was looked up for
	Code string
	Type ParameterType
	// Targets are the types a reference may point to; nil: any.
	Targets []fhir.ResourceType
	paths   []path
	// compositions are where the parts of a composite stand together.
	compositions []composition
	identifiers  bool // see Identifiers
}

// Name is "Observation.category": stable, unique.
func (p Parameter) Name() string { return string(p.Base) + "." + p.Code }

// CanPointTo reports whether a reference parameter may point to a type.
func (p Parameter) CanPointTo(t fhir.ResourceType) bool {
	return p.Type == TypeReference && (p.Targets == nil || slices.Contains(p.Targets, t))
}

// Answerable reports whether queries may use the parameter.
func (p Parameter) Answerable() bool {
	return p.Code != "" && p.Type != TypeSpecial
}

// Lookup finds a parameter of a type, common ones such as _id included. The
// parameters common to all types are also found for the type "".
func Lookup(t fhir.ResourceType, code string) (Parameter, bool) {
	if t == "" {
		t = "Resource"
	}
	p, ok := index()[t].byCode[code]
	return p, ok
}

// Parameters returns the parameters of a type, sorted by code.
func Parameters(t fhir.ResourceType) []Parameter {
	return slices.Clone(index()[t].sorted)
}

type typeParameters struct {
	byCode map[string]Parameter
	sorted []Parameter
}

// index parses the generated table once.
var index = sync.OnceValue(func() map[fhir.ResourceType]typeParameters {
	byType := map[fhir.ResourceType]map[string]Parameter{}
	for line := range strings.Lines(parameterTable) {
		p := parseLine(strings.TrimSuffix(line, "\n"))
		if byType[p.Base] == nil {
			byType[p.Base] = map[string]Parameter{}
		}
		byType[p.Base][p.Code] = p
	}
	all := map[fhir.ResourceType]typeParameters{}
	for _, t := range append(fhir.ResourceTypes(), "Resource") {
		own := byType[t]
		if own == nil {
			own = map[string]Parameter{}
		}
		for code, p := range byType["Resource"] {
			p.Base = t
			own[code] = p
		}
		list := make([]Parameter, 0, len(own))
		for _, p := range own {
			list = append(list, p)
		}
		sort.Slice(list, func(i, j int) bool { return list[i].Code < list[j].Code })
		all[t] = typeParameters{own, list}
	}
	return all
})

func parseLine(line string) Parameter {
	f := strings.SplitN(line, "|", 5)
	p := Parameter{Base: fhir.ResourceType(f[0]), Code: f[1], Type: ParameterType(f[2])}
	if f[3] != "" && f[3] != "*" {
		for _, t := range strings.Split(f[3], ",") {
			p.Targets = append(p.Targets, fhir.ResourceType(t))
		}
	}
	if p.Type == TypeComposite {
		p.compositions = parseCompositions(p.Base, f[4])
	} else if f[4] != "" {
		for _, text := range strings.Split(f[4], ";") {
			p.paths = append(p.paths, parsePath(text))
		}
	}
	return p
}
