package upstream

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/emberlatch/emberlatch/fhir"
)

// bundle is a page of search results as the upstream tells them. Nothing of it is
// believed before it is verified.
type bundle struct {
	entries []entry
	next    string // link, as it came
	total   total
}

// total is a count of the upstream.
type total struct {
	matches int
	given   bool
}

// entry is one resource of a page; broken: it cannot be read as one.
type entry struct {
	resource fhir.Resource
	broken   error
	mode     string
}

// errBundle: the answer is no searchset.
var errBundle = errors.New("it answered a search with what is not a Bundle of the type searchset")

// parseBundle reads a page in one pass over its bytes. A doubled name anywhere makes
// the whole unreadable: two readers would see two documents (row 77).
func parseBundle(document []byte) (bundle, error) {
	var b bundle
	dec := fhir.NewDocument(document)
	var resourceType, kind string
	err := object(dec, func(name string) (err error) {
		switch name {
		case "resourceType":
			resourceType, err = text(dec)
		case "type":
			kind, err = text(dec)
		case "total":
			b.total, err = count(dec)
		case "link":
			err = list(dec, func() error { return b.link(dec) })
		case "entry":
			err = list(dec, func() error { return b.entry(dec) })
		default:
			err = dec.SkipValue()
		}
		return err
	})
	if err != nil {
		return bundle{}, fmt.Errorf("reading a Bundle: %w", err)
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) || resourceType != "Bundle" || kind != "searchset" {
		return bundle{}, errBundle
	}
	return b, nil
}

func (b *bundle) link(dec *fhir.Document) error {
	var relation, url string
	err := object(dec, func(name string) (err error) {
		switch name {
		case "relation":
			relation, err = text(dec)
		case "url":
			url, err = text(dec)
		default:
			err = dec.SkipValue()
		}
		return err
	})
	if relation == "next" {
		b.next = url
	}
	return err
}

func (b *bundle) entry(dec *fhir.Document) error {
	e := entry{broken: errors.New("an entry without a resource")}
	err := object(dec, func(name string) (err error) {
		switch name {
		case "resource":
			var inOrder bool
			e.resource, inOrder, e.broken = dec.Resource()
			if !inOrder {
				err = e.broken
			}
		case "search":
			err = object(dec, func(name string) (err error) {
				if name == "mode" {
					e.mode, err = text(dec)
					return err
				}
				return dec.SkipValue()
			})
		default:
			err = dec.SkipValue()
		}
		return err
	})
	b.entries = append(b.entries, e)
	return err
}

// object reads one object; member reads the value behind each name.
func object(dec *fhir.Document, member func(name string) error) error {
	if dec.PeekKind() != '{' {
		return errBundle
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := member(token.String()); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// list reads one list; item reads each value.
func list(dec *fhir.Document, item func() error) error {
	if dec.PeekKind() != '[' {
		return errBundle
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		if err := item(); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

func text(dec *fhir.Document) (string, error) {
	if dec.PeekKind() != '"' {
		return "", errBundle
	}
	token, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	return token.String(), nil
}

func count(dec *fhir.Document) (total, error) {
	value, err := dec.ReadValue()
	if err != nil {
		return total{}, err
	}
	n, err := strconv.ParseUint(string(value), 10, 31)
	return total{int(n), err == nil}, nil
}
