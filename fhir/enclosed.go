package fhir

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// ReadResource reads the next value of a document as a resource, in one pass over
// its bytes: an entry of a Bundle. document is the whole that dec reads from its
// beginning; the resource keeps its part of it. A *ParseError whose reader is still
// in order (inOrder) is about that value alone, and the next one can be read; any
// other error is about the document.
func ReadResource(dec *jsontext.Decoder, document []byte) (r Resource, inOrder bool, err error) {
	start := dec.InputOffset()
	tree, err := decode(dec, dec.StackDepth()+maxDepth)
	if err != nil {
		return Resource{}, false, asParseError(dec, err)
	}
	object, ok := tree.(Object)
	if !ok {
		return Resource{}, true, &ParseError{"", "one JSON object"}
	}
	// Between two values stand blanks and one mark of punctuation.
	raw := bytes.TrimLeft(document[start:dec.InputOffset()], " \t\r\n:,")
	r, err = resourceOf(object, raw)
	return r, true, err
}
