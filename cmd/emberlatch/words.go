package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// printable keeps what a stranger wrote from steering a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}

// words shows a JSON value on one line.
func words(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return printable(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = words(v[i])
		}
		return strings.Join(parts, " ")
	case float64:
		return fmt.Sprintf("%.0f", v)
	case bool:
		return fmt.Sprint(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return printable(string(text))
}

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// ends says until when something works.
func ends(t time.Time, over bool) string {
	switch {
	case t.IsZero():
		return "does not end"
	case over:
		return "ended " + date(t)
	}
	return "ends " + date(t)
}
