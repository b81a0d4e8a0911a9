package introspect

import (
	"mime"
	"strconv"
	"strings"
)

// signedType is the media type of a signed answer (RFC 9701 §4, §5).
const signedType = "application/token-introspection+jwt"

// wantsSigned reports whether a caller asks for a signed answer: it names that type,
// and does not like JSON better (RFC 9701 §4; RFC 9110 §12.5.1). What takes anything
// takes JSON.
func wantsSigned(accept []string) bool {
	signed, plain := 0.0, 0.0
	for _, element := range strings.Split(strings.Join(accept, ","), ",") {
		kind, parameters, err := mime.ParseMediaType(element)
		if err != nil {
			continue
		}
		switch q := weight(parameters["q"]); kind {
		case signedType:
			signed = max(signed, q)
		case "application/json":
			plain = max(plain, q)
		}
	}
	return signed > 0 && signed >= plain
}

// weight is a quality value; what is none counts for nothing.
func weight(text string) float64 {
	if text == "" {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
