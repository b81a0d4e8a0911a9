package main

import (
	"log"
	"regexp"
	"strings"
)

var (
	castForm  = regexp.MustCompile(`^\(([\w.]+) as (\w+)\)(.*)$`)
	asForm    = regexp.MustCompile(`^(.*)\.as\((\w+)\)$`)
	whereForm = regexp.MustCompile(`^where\((\w+) ?= ?'([^']*)'\)$`)
	isForm    = regexp.MustCompile(`^where\(resolve\(\) is (\w+)\)$`)
)

// compile turns one alternative of an expression into a path, empty when it
// speaks of another type. Steps: f:name (go into), w:name=value (keep where),
// r:Type (keep references to), x (exists and is not false), and last
// l:key=Type,… (the properties that hold the values).
func (x elementIndex) compile(base, expression string) string {
	if expression == "Patient.deceased.exists() and Patient.deceased != false" {
		return "l:deceasedBoolean=boolean,deceasedDateTime=dateTime x"
	}
	cast, tail := "", ""
	if m := castForm.FindStringSubmatch(expression); m != nil {
		expression, cast, tail = m[1], m[2], strings.TrimPrefix(m[3], ".")
	} else if m := asForm.FindStringSubmatch(expression); m != nil {
		expression, cast = m[1], m[2]
	}
	steps := splitSteps(expression)
	if steps[0] != base && steps[0] != "Resource" && steps[0] != "DomainResource" {
		return ""
	}
	at := base
	if base == "Resource" {
		at = "Resource"
	}
	var out []string
	steps = steps[1:]
	if tail != "" {
		steps[len(steps)-1] += ":" + cast
		steps = append(steps, tail)
		cast = ""
	}
	return x.walk(expression, at, steps, cast, out)
}

func (x elementIndex) walk(expression, at string, steps []string, cast string, out []string) string {
	step := steps[0]
	stepCast := ""
	if name, c, ok := strings.Cut(step, ":"); ok {
		step, stepCast = name, c
	}
	if strings.HasSuffix(step, "[0]") {
		return "" // Bundle.entry[0].resource: Bundles are closed
	}
	keys, ok := x.keys(at, step)
	if !ok {
		log.Fatalf("generate: %s: no element %s below %s", expression, step, at)
	}
	filters := []string{}
	rest := steps[1:]
	for len(rest) > 0 && strings.HasPrefix(rest[0], "where(") {
		filters = append(filters, filter(expression, rest[0]))
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return strings.Join(append(append(out, "l:"+leaf(keys, cast)), filters...), " ")
	}
	var paths []string
	for _, k := range keys {
		if stepCast != "" && k.fhirType != stepCast {
			continue
		}
		next := below(at, step, k.fhirType)
		if _, ok := x.keys(next, strings.Split(rest[0], ":")[0]); !ok {
			continue
		}
		into := append(append([]string{}, out...), append([]string{"f:" + k.name}, filters...)...)
		paths = append(paths, x.walk(expression, next, rest, cast, into))
	}
	if len(paths) == 0 {
		log.Fatalf("generate: %s: nothing below %s.%s", expression, at, step)
	}
	return strings.Join(paths, ";")
}

func leaf(keys []key, cast string) string {
	var list []string
	for _, k := range keys {
		if cast == "" || k.fhirType == cast {
			list = append(list, k.name+"="+k.fhirType)
		}
	}
	return strings.Join(list, ",")
}

func filter(expression, step string) string {
	if m := whereForm.FindStringSubmatch(step); m != nil {
		return "w:" + m[1] + "=" + m[2]
	}
	if m := isForm.FindStringSubmatch(step); m != nil {
		return "r:" + m[1]
	}
	log.Fatalf("generate: %s: unknown step %s", expression, step)
	return ""
}

// splitSteps splits at dots outside of parentheses and quotes.
func splitSteps(s string) []string {
	var steps []string
	depth, quoted, start := 0, false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case quoted:
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth--
		case s[i] == '.' && depth == 0:
			steps = append(steps, s[start:i])
			start = i + 1
		}
	}
	return append(steps, s[start:])
}
