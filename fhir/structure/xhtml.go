package structure

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// xhtmlNamespace is that of a narrative's div (FHIR R4 narrative §2.4.0).
const xhtmlNamespace = "http://www.w3.org/1999/xhtml"

// tags are the elements of HTML 4.0 chapters 7 to 11 and 15 that a narrative may
// have, with a and img; neither head, forms, frames, objects nor scripts.
var tags = words(`div p br hr h1 h2 h3 h4 h5 h6 span b i u s em strong small big tt strike font center basefont sub sup ins del q cite code dfn
	kbd samp var abbr acronym address blockquote pre bdo ol ul li dl dt dd dir table caption thead tbody tfoot tr th td col colgroup a img map area`)

// attributes besides these carry events or fetch something.
var attributes = words(`class id title style lang dir align valign width height colspan rowspan border cellspacing cellpadding summary abbr
	axis headers scope span char charoff frame rules href src alt name shape coords bgcolor color size face type start value compact cite
	datetime clear noshade nowrap longdesc tabindex accesskey rel rev target hreflang charset hspace vspace ismap usemap`)

func words(list string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(list) {
		all[w] = true
	}
	return all
}

// harmless: one div of formatting, in which nothing runs and to which nothing is
// fetched but its own images (FHIR R4 narrative §2.4.0).
func harmless(markup string) bool {
	d := xml.NewDecoder(strings.NewReader(markup))
	d.Entity = xml.HTMLEntity
	depth, roots := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return roots == 1 && depth == 0
		}
		if err != nil {
			return false
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
				if t.Name.Local != "div" || roots > 1 {
					return false
				}
			}
			if depth++; !formats(t) {
				return false
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(t)) != "" {
				return false
			}
		case xml.Directive, xml.ProcInst:
			return false
		}
	}
}

func formats(t xml.StartElement) bool {
	if t.Name.Space != xhtmlNamespace || !tags[t.Name.Local] {
		return false
	}
	for _, a := range t.Attr {
		switch {
		case a.Name.Local == "xmlns" && a.Name.Space == "":
		case a.Name.Space == "xml" || a.Name.Space == "http://www.w3.org/XML/1998/namespace":
		case a.Name.Space != "" || !attributes[a.Name.Local]:
			return false
		case !tame(a.Name.Local, a.Value):
			return false
		}
	}
	return true
}

// tame: a link leads to a page, an image is of this resource, and a style fetches
// nothing.
func tame(name, value string) bool {
	lower := strings.ToLower(strings.Join(strings.Fields(value), ""))
	scheme, _, has := strings.Cut(lower, ":")
	switch name {
	case "href", "cite", "longdesc":
		return !has || strings.ContainsAny(scheme, "/?#") || scheme == "http" || scheme == "https" || scheme == "mailto" || scheme == "tel"
	case "src", "usemap":
		return drawn(lower)
	case "style":
		for _, fetched := range strings.Split(lower, "url(")[1:] {
			if !drawn(strings.TrimLeft(fetched, `"'`)) {
				return false
			}
		}
		return !strings.Contains(lower, "expression(") && !strings.Contains(lower, "@import") && !strings.Contains(lower, `\`)
	}
	return true
}

// drawn: an image that stands in the text itself, or beside the resource.
func drawn(place string) bool {
	for _, kind := range []string{"png", "jpeg", "gif"} {
		if strings.HasPrefix(place, "data:image/"+kind) {
			return true
		}
	}
	return !strings.Contains(place, ":") && !strings.HasPrefix(place, "//") && !strings.Contains(place, `\`)
}
