package search

import (
	"math"
	"strings"
	"time"
)

// Instants are Unix milliseconds; an open end is the end of int64.
const (
	minInstant = math.MinInt64
	maxInstant = math.MaxInt64
)

var dateForms = []struct {
	length int // of the text without its zone
	layout string
	next   func(time.Time) time.Time
}{
	{4, "2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
	{7, "2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{10, "2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{16, "2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{19, "2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }},
}

// parseDate reads a date, dateTime or instant as the milliseconds it covers,
// both ends included (FHIR R4 search §3.1.1.4.7). Without a zone it is UTC.
func parseDate(s string) (low, high int64, ok bool) {
	text, zone := s, ""
	if t := strings.IndexByte(s, 'T'); t >= 0 {
		if i := strings.IndexAny(s[t:], "Z+-"); i >= 0 {
			text, zone = s[:t+i], s[t+i:]
		}
	}
	base, fraction, fractional := strings.Cut(text, ".")
	location := time.UTC
	if zone != "" && zone != "Z" {
		z, err := time.Parse("-07:00", zone)
		if err != nil {
			return 0, 0, false
		}
		location = z.Location()
	}
	for _, form := range dateForms {
		if len(base) != form.length || fractional && form.length != 19 {
			continue
		}
		t, err := time.ParseInLocation(form.layout, base, location)
		if err != nil {
			return 0, 0, false
		}
		if !fractional {
			return t.UnixMilli(), form.next(t).UnixMilli() - 1, true
		}
		return withFraction(t, fraction)
	}
	return 0, 0, false
}

func withFraction(t time.Time, fraction string) (low, high int64, ok bool) {
	if fraction == "" || len(fraction) > 9 || strings.Trim(fraction, "0123456789") != "" {
		return 0, 0, false
	}
	digits := (fraction + "000")[:3]
	ms := int64(digits[0]-'0')*100 + int64(digits[1]-'0')*10 + int64(digits[2]-'0')
	width := map[int]int64{1: 100, 2: 10}[len(fraction)]
	if width == 0 {
		width = 1
	}
	low = t.UnixMilli() + ms
	return low, low + width - 1, true
}
