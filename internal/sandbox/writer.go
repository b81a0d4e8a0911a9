package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// object is a JSON object under construction; names are written in order.
type object = map[string]any

// writer gathers resources.
type writer struct {
	today     time.Time
	resources [][]byte
	err       error
}

// put adds a resource of a type and id, with the US Core profile if one is named.
func (w *writer) put(kind, id, profile string, body object) {
	body["resourceType"], body["id"] = kind, id
	if profile != "" {
		body["meta"] = object{"profile": []string{profileBase + profile}}
	}
	raw, err := json.Marshal(body)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.resources = append(w.resources, raw)
}

func day(t time.Time) string { return t.Format("2006-01-02") }

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func ref(kind, id string) object { return object{"reference": kind + "/" + id} }

func named(kind, id, display string) object {
	return object{"reference": kind + "/" + id, "display": display}
}

func coding(system, code, display string) object {
	c := object{"system": system, "code": code}
	if display != "" {
		c["display"] = display
	}
	return c
}

func concept(system, code, display string) object {
	c := object{"coding": []object{coding(system, code, display)}}
	if display != "" {
		c["text"] = display
	}
	return c
}

// quantity writes a value with so many digits, as a number of exactly that text.
func quantity(value float64, digits int, unit, code string) object {
	return object{"value": json.Number(strconv.FormatFloat(value, 'f', digits, 64)), "unit": unit, "system": systemUCUM, "code": code}
}

func round(v float64, digits int) float64 {
	f := math.Pow(10, float64(digits))
	return math.Round(v*f) / f
}

func text(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const hl7 = "http://terminology.hl7.org/CodeSystem/"
