package oauth

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep JSON from outside may be (security E-12).
const maxDepth = 32

var errDeep = errors.New("oauth: JSON is too deep")

// ReadJSON reads one JSON value with each member once, in exact case, valid UTF-8,
// not too deep, and nothing behind it (security E-12): what two readers could
// understand differently is an error. Members that are not known are ignored.
func ReadJSON(raw []byte, into any) error {
	tokens := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(false))
	for {
		_, err := tokens.ReadToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if tokens.StackDepth() > maxDepth {
			return errDeep
		}
	}
	return json.Unmarshal(raw, into, jsontext.AllowDuplicateNames(false))
}

// latest is the last second that is taken for a time.
const latest = 1 << 40

// NumericDate reads a time (RFC 7519 §2), fractions too. A missing one is none.
func NumericDate(v jsontext.Value) (time.Time, bool) {
	if v.Kind() != '0' {
		return time.Time{}, false
	}
	var seconds float64
	if err := json.Unmarshal(v, &seconds); err != nil || seconds <= 0 || seconds > latest {
		return time.Time{}, false
	}
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e9)), true
}
