package sampleapp

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// trend is one test or measurement over time.
type trend struct {
	Title, Unit, Latest, LatestDate, Range string
	Low, High                              float64 // reference range; 0: none
	Outside                                bool    // the latest value lies outside of it
	Points                                 []point // oldest first
}

type point struct {
	Date  string
	Value float64
	Text  string
	// Second is the lower value of a pair, such as of a blood pressure.
	Second float64
}

// trends reads the observations of a category, grouped by what was measured.
func (a *App) trends(ctx context.Context, client *http.Client, patient, category string) ([]trend, error) {
	found, err := a.all(ctx, client, "Observation?patient="+url.QueryEscape(patient)+"&category="+category)
	if err != nil {
		return nil, err
	}
	byCode := map[string]*trend{}
	for _, o := range found {
		p, unit, ok := pointOf(o)
		if !ok {
			continue
		}
		t := byCode[o.Code.code()]
		if t == nil {
			t = &trend{Title: plainTitle(o.Code.String()), Unit: unit}
			byCode[o.Code.code()] = t
		}
		if len(o.Range) > 0 {
			t.Range = o.Range[0].Text
			t.Low, t.High = number(o.Range[0].Low), number(o.Range[0].High)
		}
		t.Points = append(t.Points, p)
	}
	list := make([]trend, 0, len(byCode))
	for _, t := range byCode {
		sort.Slice(t.Points, func(i, j int) bool { return t.Points[i].Date < t.Points[j].Date })
		last := t.Points[len(t.Points)-1]
		t.Latest, t.LatestDate = last.Text, last.Date
		t.Outside = t.High > 0 && (last.Value > t.High || last.Value < t.Low)
		list = append(list, *t)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Title < list[j].Title })
	return list, nil
}

func number(q *quantity) float64 {
	if q == nil {
		return 0
	}
	v, err := q.Value.Float64()
	if err != nil {
		return 0
	}
	return v
}

// pointOf is the value of an observation, or the pair of its components.
func pointOf(o resource) (p point, unit string, ok bool) {
	p.Date = o.Effective
	if len(p.Date) > 10 {
		p.Date = p.Date[:10]
	}
	switch {
	case o.Value != nil:
		p.Value, p.Text = number(o.Value), o.Value.Value.String()
		return p, o.Value.Unit, true
	case len(o.Component) == 2 && o.Component[0].Value != nil && o.Component[1].Value != nil:
		p.Value, p.Second = number(o.Component[0].Value), number(o.Component[1].Value)
		p.Text = o.Component[0].Value.Value.String() + "/" + o.Component[1].Value.Value.String()
		return p, o.Component[0].Value.Unit, true
	}
	return p, "", false
}

// plainTitle leaves out what only laboratories need to know.
func plainTitle(s string) string {
	if i := strings.Index(s, " ["); i > 0 {
		s = s[:i]
	}
	if i := strings.Index(s, "/Hemoglobin"); i > 0 {
		s = s[:i]
	}
	s = strings.TrimSuffix(s, " panel with all children optional")
	return s
}

// Size of a plot, in user units.
const (
	plotWidth  = 220.0
	plotHeight = 56.0
	plotMargin = 5.0
)

// plot draws a trend as SVG: the reference range as a band, the values as a line,
// the latest as a dot. Only numbers go into it.
func plot(t trend) template.HTML {
	low, high := bounds(t)
	y := func(v float64) float64 {
		return plotMargin + (high-v)/(high-low)*(plotHeight-2*plotMargin)
	}
	x := func(i int) float64 {
		if len(t.Points) < 2 {
			return plotWidth / 2
		}
		return plotMargin + float64(i)/float64(len(t.Points)-1)*(plotWidth-2*plotMargin)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="plot" viewBox="0 0 %g %g" role="img" aria-hidden="true" focusable="false">`, plotWidth, plotHeight)
	if t.High > t.Low {
		fmt.Fprintf(&b, `<rect class="band" x="0" width="%g" y="%.1f" height="%.1f"/>`, plotWidth, y(t.High), y(t.Low)-y(t.High))
	}
	draw := func(value func(point) float64) {
		var path strings.Builder
		for i, p := range t.Points {
			letter := "L"
			if i == 0 {
				letter = "M"
			}
			fmt.Fprintf(&path, "%s%.1f %.1f", letter, x(i), y(value(p)))
		}
		last := len(t.Points) - 1
		fmt.Fprintf(&b, `<path class="line" d="%s"/><circle class="dot" cx="%.1f" cy="%.1f" r="3.5"/>`, path.String(), x(last), y(value(t.Points[last])))
	}
	if len(t.Points) > 0 {
		draw(func(p point) float64 { return p.Value })
		if t.Points[0].Second != 0 {
			draw(func(p point) float64 { return p.Second })
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers and constants only
}

// bounds of the vertical axis: all values and the reference range, with some air.
func bounds(t trend) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	include := func(v float64) { low, high = math.Min(low, v), math.Max(high, v) }
	for _, p := range t.Points {
		include(p.Value)
		if p.Second != 0 {
			include(p.Second)
		}
	}
	if t.High > t.Low {
		include(t.Low)
		include(t.High)
	}
	if math.IsInf(low, 0) || math.IsInf(high, 0) || math.IsNaN(low) || math.IsNaN(high) {
		return 0, 1
	}
	if low == high {
		return low - 1, high + 1
	}
	air := (high - low) * 0.08
	return low - air, high + air
}

var functions = template.FuncMap{
	"plot":   plot,
	"anchor": func(i int) string { return "t" + strconv.Itoa(i) },
}
