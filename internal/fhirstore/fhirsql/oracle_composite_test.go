package fhirsql_test

import (
	"slices"
	"strings"
)

// composed: at some place of the definition, one element holds all the parts.
func (d definitions) composed(r *thing, code, wanted string) bool {
	def, values := d[r.kind][code], strings.Split(wanted, "$")
	return slices.ContainsFunc(def.places, func(place string) bool {
		return slices.ContainsFunc(interpret(place, r.content), func(element any) bool {
			for i, part := range def.parts {
				held := interpret("X."+part, element.(object))
				if !slices.ContainsFunc(held, func(v any) bool { return compare(shape(v), "", v, values[i]) }) {
					return false
				}
			}
			return true
		})
	})
}

// shape is the kind of a parameter that a value is for.
func shape(v any) string {
	o, _ := v.(object)
	_, isReference := o["reference"]
	_, isConcept := o["coding"]
	switch {
	case isReference:
		return "reference"
	case isConcept || o == nil:
		return "token"
	}
	return "quantity"
}

// identified: some reference carries one of the identifiers.
func identified(references []any, wanted []string) bool {
	return slices.ContainsFunc(references, func(v any) bool {
		identifier, ok := v.(object)["identifier"].(object)
		return ok && slices.ContainsFunc(wanted, func(w string) bool {
			return token(object{"system": identifier["system"], "code": identifier["value"]}, w)
		})
	})
}

// source compares meta.source, name by name where one URL is to lie below the other.
func source(r *thing, modifier, wanted string) bool {
	meta, _ := r.content["meta"].(object)
	have, _ := meta["source"].(string)
	upper, lower := strings.Split(strings.TrimSuffix(have, "/"), "/"), strings.Split(strings.TrimSuffix(wanted, "/"), "/")
	switch modifier {
	case "below":
		upper, lower = lower, upper
		fallthrough
	case "above":
		return have != "" && len(upper) <= len(lower) && slices.Equal(upper, lower[:len(upper)])
	}
	return have == wanted
}
