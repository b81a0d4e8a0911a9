package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"unicode/utf8"
)

// Parameters are form-encoded parameters in which no name occurs twice
// (RFC 6749 §3.1, §3.2). The zero value has none.
type Parameters struct {
	values map[string]string
	// repeated are the names that occurred more than once.
	repeated []string
}

// maxParameters bounds the number of parameters of one request.
const maxParameters = 100

// ParseParameters reads form-encoded text. A malformed escape, invalid UTF-8, a
// control character or too many parameters are InvalidRequest. A name that
// occurs twice is InvalidRequest too; the parameters are returned all the same,
// with the first value, so that the authorization endpoint can find out whether
// it may send the error back.
func ParseParameters(raw string) (Parameters, *Error) {
	p := Parameters{values: map[string]string{}}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		if err := p.add(pair); err != nil {
			return Parameters{}, err
		}
	}
	if len(p.repeated) > 0 {
		return p, New(InvalidRequest, "The parameter %s is sent more than once", printable(p.repeated[0])).About(p.repeated[0]).Slugged(SlugRequestRepeated)
	}
	return p, nil
}

func (p *Parameters) add(pair string) *Error {
	encodedName, encodedValue, _ := strings.Cut(pair, "=")
	name, err := unescape(encodedName)
	if err != nil {
		return malformed()
	}
	value, err := unescape(encodedValue)
	if err != nil {
		return malformed()
	}
	if _, again := p.values[name]; again {
		p.repeated = append(p.repeated, name)
		return nil
	}
	if len(p.values) >= maxParameters {
		return New(InvalidRequest, "The request has too many parameters").Slugged(SlugRequestTooLong)
	}
	p.values[name] = value
	return nil
}

var errEscape = errors.New("oauth: malformed form encoding")

// unescape decodes one name or value. A raw semicolon is an error, as it
// separates parameters for some readers and not for others.
func unescape(s string) (string, error) {
	if asIs.holds(s) {
		return s, nil
	}
	if strings.Contains(s, ";") {
		return "", errEscape
	}
	text, err := url.QueryUnescape(s)
	if err != nil || !utf8.ValidString(text) || strings.ContainsFunc(text, isControl) {
		return "", errEscape
	}
	return text, nil
}

// asIs are the characters that stand for themselves.
var asIs = characters(func(c byte) bool { return c >= 0x20 && c < 0x7f && c != ';' && c != '%' && c != '+' })

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

func malformed() *Error {
	return New(InvalidRequest, "The parameters are not well-formed: check percent signs, semicolons, control characters and UTF-8").Slugged(SlugRequestMalformed)
}

// printable keeps a name from outside short and within the characters that a
// description may hold (RFC 6749 §5.2).
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s)
	if len(s) > 40 {
		return s[:40]
	}
	return s
}

// Get returns a value; a parameter without one counts as absent (RFC 6749 §3.1).
func (p Parameters) Get(name string) string { return p.values[name] }

// Has reports whether a parameter was sent with a value.
func (p Parameters) Has(name string) bool { return p.values[name] != "" }

// Repeated reports whether a parameter occurred more than once.
func (p Parameters) Repeated(name string) bool {
	for _, r := range p.repeated {
		if r == name {
			return true
		}
	}
	return false
}

// Names returns the names that were sent, sorted.
func (p Parameters) Names() []string {
	names := make([]string, 0, len(p.values))
	for name := range p.values {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

const formType = "application/x-www-form-urlencoded"

// ParseBody reads the parameters of a POST with a form body of at most limit
// bytes, and of nowhere else: another method is 405, another media type or a
// query string InvalidRequest, a larger body 413 (RFC 6749 §3.2, §2.3.1).
func ParseBody(r *http.Request, limit int64) (Parameters, *Error) {
	if r.Method != http.MethodPost {
		return Parameters{}, &Error{Code: InvalidRequest, Status: http.StatusMethodNotAllowed, Description: "Use POST", Slug: SlugRequestMethod}
	}
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		return Parameters{}, New(InvalidRequest, "Send the parameters in the body, never in the URL").Slugged(SlugRequestMalformed)
	}
	return parseForm(r, limit)
}

func parseForm(r *http.Request, limit int64) (Parameters, *Error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || media != formType || charset != "" && charset != "utf-8" || len(r.Header.Values("Content-Type")) > 1 {
		return Parameters{}, &Error{Code: InvalidRequest, Status: http.StatusBadRequest,
			Description: "Send the parameters as application/x-www-form-urlencoded", Slug: SlugRequestMalformed}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return Parameters{}, &Error{Code: InvalidRequest, Status: http.StatusRequestEntityTooLarge, Description: "The request is too large", Slug: SlugRequestTooLong}
		}
		return Parameters{}, New(InvalidRequest, "The body could not be read").Slugged(SlugRequestMalformed).Because(err)
	}
	return ParseParameters(string(body))
}
