package clientauth

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxBasic bounds the Authorization header, in bytes.
const maxBasic = 8 << 10

// basicPairs reads HTTP Basic credentials (RFC 7617 §2). Both parts are
// form-decoded (RFC 6749 §2.3.1); clients that do not encode are understood as
// well, by the raw reading as a second candidate (CAUTH-04).
func basicPairs(header string) ([]pair, bool) {
	scheme, encoded, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Basic") || len(header) > maxBasic {
		return nil, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(encoded, " "))
	if err != nil || !utf8.Valid(raw) {
		return nil, false
	}
	id, secret, ok := strings.Cut(string(raw), ":")
	if !ok || id == "" {
		return nil, false
	}
	list := []pair{{id, secret}}
	decodedID, err1 := url.QueryUnescape(id)
	decodedSecret, err2 := url.QueryUnescape(secret)
	if err1 == nil && err2 == nil && (decodedID != id || decodedSecret != secret) {
		list = append(list, pair{decodedID, decodedSecret})
	}
	return list, true
}
