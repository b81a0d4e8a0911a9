package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Document reads JSON strictly, in one pass over its bytes: jsontext refuses doubled
// names and invalid UTF-8 by itself. What encloses resources, such as a Bundle, is
// read by the embedded decoder, and each resource in it by Resource.
type Document struct {
	*jsontext.Decoder
	raw  []byte
	text string // the same; texts of a tree are parts of it
}

// NewDocument reads a document from its beginning. The bytes are kept, not copied; the
// caller must not change them afterwards.
func NewDocument(b []byte) *Document {
	return &Document{jsontext.NewDecoder(bytes.NewBuffer(b)), b, string(b)}
}

// Resource reads the next value as a resource, which keeps its part of the bytes. A
// *ParseError while the reader is in order (inOrder) is about that value alone, and
// the next one can be read; any other error is about the document.
func (d *Document) Resource() (r Resource, inOrder bool, err error) {
	start := d.InputOffset()
	tree, err := d.value(d.StackDepth() + maxDepth)
	if err != nil {
		return Resource{}, false, d.parseError(err)
	}
	object, ok := tree.(Object)
	if !ok {
		return Resource{}, true, &ParseError{"", "one JSON object"}
	}
	// Between two values stand blanks and one mark of punctuation.
	raw := bytes.TrimLeft(d.raw[start:d.InputOffset()], " \t\r\n:,")
	r, err = resourceOf(object, raw)
	return r, true, err
}

// parseTree decodes one JSON object.
func parseTree(b []byte) (Object, error) {
	if bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
		return nil, &ParseError{"", "JSON without a byte order mark"}
	}
	d := NewDocument(b)
	if d.PeekKind() != '{' {
		return nil, &ParseError{"", "one JSON object"}
	}
	value, err := d.value(maxDepth)
	if err != nil {
		return nil, d.parseError(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, &ParseError{"", "nothing after the resource"}
	}
	tree, _ := value.(Object)
	return tree, nil
}

func (d *Document) parseError(err error) error {
	var known *ParseError
	if errors.As(err, &known) {
		return known
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return &ParseError{string(d.StackPointer()), "every name once in an object"}
	}
	return &ParseError{string(d.StackPointer()), "well-formed JSON in UTF-8"}
}

// value reads one value, down to a depth of the whole document.
func (d *Document) value(deepest int) (any, error) {
	if d.StackDepth() > deepest {
		return nil, &ParseError{string(d.StackPointer()), "at most 64 levels of nesting"}
	}
	switch d.PeekKind() {
	case '{':
		return d.object(deepest)
	case '[':
		return d.array(deepest)
	case '"':
		text, err := d.string()
		if err == nil && strings.IndexByte(text, 0) >= 0 { // R4 datatypes, string: never below U+0009
			err = &ParseError{string(d.StackPointer()), "a text without the character U+0000"}
		}
		return text, err
	case '0':
		number, err := d.scalar()
		return json.Number(number), err
	}
	token, err := d.ReadToken()
	if err != nil || token.Kind() == 'n' {
		return nil, err
	}
	return token.Bool(), nil
}

// scalar is the next value as it stands, a part of the text.
func (d *Document) scalar() (string, error) {
	value, err := d.ReadValue()
	end := d.InputOffset()
	if err != nil {
		return "", err
	}
	return d.text[int(end)-len(value) : end], nil
}

// string is the next text; only one with escapes is made anew.
func (d *Document) string() (string, error) {
	quoted, err := d.scalar()
	if err != nil {
		return "", err
	}
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], nil
	}
	plain, err := jsontext.AppendUnquote(nil, quoted)
	return string(plain), err
}

func (d *Document) object(deepest int) (any, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	object := Object{}
	for d.PeekKind() == '"' {
		name, err := d.string()
		if err != nil {
			return nil, err
		}
		if object[name], err = d.value(deepest); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return object, err
}

func (d *Document) array(deepest int) (any, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	array := []any{}
	for d.PeekKind() != ']' {
		value, err := d.value(deepest)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := d.ReadToken()
	return array, err
}
