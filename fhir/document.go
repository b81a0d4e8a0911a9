package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// reader builds the tree of a resource strictly: jsontext refuses doubled names and
// invalid UTF-8 by itself.
type reader struct {
	*jsontext.Decoder
	text string // of the whole; texts of a tree are parts of it
}

// parseTree decodes one JSON object. What it refuses, scanDocument refuses too; it says
// where.
func parseTree(b []byte) (Object, error) {
	if bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
		return nil, &ParseError{"", "JSON without a byte order mark"}
	}
	d := &reader{jsontext.NewDecoder(bytes.NewBuffer(b)), string(b)}
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

func (d *reader) parseError(err error) error {
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
func (d *reader) value(deepest int) (any, error) {
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
func (d *reader) scalar() (string, error) {
	value, err := d.ReadValue()
	end := d.InputOffset()
	if err != nil {
		return "", err
	}
	return d.text[int(end)-len(value) : end], nil
}

// string is the next text; only one with escapes is made anew.
func (d *reader) string() (string, error) {
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

func (d *reader) object(deepest int) (any, error) {
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

func (d *reader) array(deepest int) (any, error) {
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
