package fhirapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

const (
	maxQuery = 16 << 10
	maxBody  = 64 << 10
)

// parameters merges the query and, for POST _search, the form body into one
// multimap, which is all that is looked at from then on (row 30 of the leak
// catalogue). Malformed escapes and invalid UTF-8 are errors.
func parameters(r *http.Request, form bool) (url.Values, error) {
	if len(r.URL.RawQuery) > maxQuery {
		return nil, outcome(http.StatusRequestURITooLong, "too-long",
			"The query is too long. Send the parameters by POST to _search.")
	}
	values, err := parseForm(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	if !form {
		return values, nil
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, outcome(http.StatusUnsupportedMediaType, "not-supported",
			"Send the search as application/x-www-form-urlencoded.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, outcome(http.StatusRequestEntityTooLarge, "too-long", "The form is larger than 64 kB.")
		}
		return nil, outcome(http.StatusBadRequest, "invalid", "The body could not be read.")
	}
	posted, err := parseForm(string(body))
	if err != nil {
		return nil, err
	}
	if posted.Has("access_token") {
		return nil, told(oauth.New(oauth.InvalidRequest, "Send the access token in the Authorization header, never in a form").Slugged(oauth.SlugTokenInURL))
	}
	for name, vs := range posted {
		values[name] = append(values[name], vs...)
	}
	return values, nil
}

func parseForm(text string) (url.Values, error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, outcome(http.StatusBadRequest, "invalid", "The parameters are not form-encoded: check percent signs and semicolons.")
	}
	for name, vs := range values {
		for _, v := range append(vs, name) {
			if !utf8.ValidString(v) || strings.ContainsFunc(v, isControl) {
				return nil, outcome(http.StatusBadRequest, "invalid", "A parameter holds control characters or is not UTF-8.")
			}
		}
	}
	return values, nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// jsonNames are the values of _format and Accept that mean FHIR JSON.
var jsonNames = map[string]bool{
	"json": true, "text/json": true, "application/json": true, "application/fhir+json": true, "*/*": true, "application/*": true,
}

// negotiate refuses every format but JSON (RS-16) and takes _format and _pretty
// out of the parameters.
func negotiate(r *http.Request, values url.Values) error {
	formats := values["_format"]
	delete(values, "_format")
	delete(values, "_pretty")
	for _, f := range formats {
		media, _, _ := strings.Cut(strings.ReplaceAll(f, " ", "+"), ";") // an unescaped + arrives as a blank
		if !jsonNames[strings.TrimSpace(media)] {
			return notAcceptable()
		}
	}
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if len(formats) > 0 || accept == "" {
		return nil
	}
	for _, part := range strings.Split(accept, ",") {
		media, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if jsonNames[strings.ToLower(strings.TrimSpace(media))] && !strings.Contains(params, "q=0;") && strings.TrimSpace(params) != "q=0" {
			return nil
		}
	}
	return notAcceptable()
}

func notAcceptable() error {
	return outcome(http.StatusNotAcceptable, "not-supported", "This server speaks FHIR JSON: ask for application/fhir+json.")
}
