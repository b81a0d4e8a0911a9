package fhir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds the nesting of a resource.
const maxDepth = 64

// Object is a JSON object of a resource's tree. Values are Object, []any,
// string, json.Number (the exact text), bool or nil.
type Object = map[string]any

// Resource is one JSON resource: its bytes, where the values stand in them, and its tree
// when somebody asks. It is immutable and safe for concurrent use. The zero value is no
// resource.
type Resource struct {
	kind ResourceType
	id   string
	raw  []byte // nil: as its document has it
	read *reading
}

// reading is what was made of the bytes so far.
type reading struct {
	placed          bool // root was read before the resource was made
	scanned, parsed sync.Once
	root            Node
	tree            Object
}

// ParseError says where a resource is not what was expected.
type ParseError struct {
	Path     string // "Observation.id"; empty for the document
	Expected string
}

func (e *ParseError) Error() string {
	if e.Path == "" {
		return "expected " + e.Expected
	}
	return e.Path + ": expected " + e.Expected
}

// ParseResource reads one resource strictly. The bytes are kept, not copied; the
// caller must not change them afterwards. An id may be absent, a wrong one is an
// error. Errors are *ParseError.
func ParseResource(b []byte) (Resource, error) {
	s, ok := scanDocument(b, maxDepth)
	if ok && s.marks[0].kind == '{' {
		return resourceOf(Node{s, 0})
	}
	if _, err := parseTree(b); err != nil {
		return Resource{}, err
	}
	return Resource{}, &ParseError{"", "one JSON object"}
}

// resourceOf judges an object that was read.
func resourceOf(object Node) (Resource, error) {
	kind, known := object.Member("resourceType").resourceType()
	if !known {
		return Resource{}, &ParseError{"resourceType", "the name of an R4 resource type"}
	}
	id := object.Member("id")
	text := id.Text()
	if id.Kind() != 0 && !ValidID(text) {
		return Resource{}, &ParseError{string(kind) + ".id", "1 to 64 letters, digits, '-' or '.'"}
	}
	// Every resource has a meta of the server's before it leaves (FHIR R4 resource
	// §2.27.4), so what is no object there cannot stand.
	if meta := object.Member("meta"); meta.Kind() != 0 && meta.Kind() != '{' {
		return Resource{}, &ParseError{string(kind) + ".meta", "an object"}
	}
	return Resource{kind, text, nil, &reading{root: object, placed: true}}, nil
}

// Stored makes a resource of bytes that ParseResource accepted before; they
// are read when they are needed.
func Stored(t ResourceType, id string, raw []byte) Resource {
	return Resource{t, id, raw, &reading{}}
}

// IsZero reports whether r is no resource.
func (r Resource) IsZero() bool { return r.read == nil }

// Type is the resource type.
func (r Resource) Type() ResourceType { return r.kind }

// ID is the logical id, empty when the resource has none.
func (r Resource) ID() string { return r.id }

// Reference is Type/id.
func (r Resource) Reference() Reference { return Reference{Type: r.kind, ID: r.id} }

// JSON is the resource as it came; do not change it.
func (r Resource) JSON() []byte {
	if r.raw == nil && r.read != nil {
		return r.read.root.bytes()
	}
	return r.raw
}

// Tree is the parsed content; do not change it. It is nil for the zero value.
func (r Resource) Tree() Object {
	if r.read == nil {
		return nil
	}
	r.read.parsed.Do(func() { r.read.tree, _ = parseTree(r.JSON()) })
	return r.read.tree
}

// Root is the content where it stands in the bytes: quicker than Tree. It is no value
// for the zero value.
func (r Resource) Root() Node {
	if r.read == nil {
		return Node{}
	}
	if r.read.placed {
		return r.read.root
	}
	r.read.scanned.Do(func() {
		if s, ok := scanDocument(r.raw, maxDepth); ok {
			r.read.root = Node{s, 0}
		}
	})
	return r.read.root
}

// VersionID is meta.versionId.
func (r Resource) VersionID() string { return r.meta("versionId") }

// LastUpdated is meta.lastUpdated, an instant.
func (r Resource) LastUpdated() string { return r.meta("lastUpdated") }

func (r Resource) meta(name string) string {
	return r.Root().Member("meta").Member(name).Text()
}

// Member is one member of an object with its value as it came.
type Member struct {
	Name  string
	Value []byte
}

// Append writes the member, its name quoted and its value as it came.
func (m Member) Append(b []byte) []byte {
	b, _ = jsontext.AppendQuote(b, m.Name) // a name that was read is UTF-8
	return append(append(b, ':'), m.Value...)
}

// Members lists the top-level members in their order.
func (r Resource) Members() ([]Member, error) { return Members(r.JSON()) }

// Members lists the members of a JSON object in their order.
func Members(object []byte) ([]Member, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(object))
	if dec.PeekKind() != '{' {
		return nil, &ParseError{"", "one JSON object"}
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	var list []Member
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		text := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		list = append(list, Member{text, bytes.Clone(value)})
	}
	return list, nil
}

// WithMeta returns the resource with id, meta.versionId and meta.lastUpdated
// set; every other byte of every value is kept (FHIR R4 resource §2.27.4).
func (r Resource) WithMeta(id string, version int64, lastUpdated string) (Resource, error) {
	list, err := r.Members()
	if err != nil {
		return Resource{}, err
	}
	var out bytes.Buffer
	out.WriteString(`{"resourceType":` + strconv.Quote(string(r.kind)) + `,"id":` + strconv.Quote(id) + `,"meta":`)
	meta, err := r.metaMembers()
	if err != nil {
		return Resource{}, err
	}
	fmt.Fprintf(&out, `{"versionId":"%d","lastUpdated":%s`, version, strconv.Quote(lastUpdated))
	appendMembers(&out, meta, "versionId", "lastUpdated")
	out.WriteByte('}')
	appendMembers(&out, list, "resourceType", "id", "meta")
	out.WriteByte('}')
	return Resource{r.kind, id, out.Bytes(), &reading{}}, nil
}

// Unstamped returns the resource with an id, or without one, and without what its server
// says in meta of a version: versionId and lastUpdated. Every other byte of every value
// is kept.
func (r Resource) Unstamped(id string) (Resource, error) {
	list, err := r.Members()
	if err != nil {
		return Resource{}, err
	}
	meta, err := r.metaMembers()
	if err != nil {
		return Resource{}, err
	}
	var out, rest bytes.Buffer
	out.WriteString(`{"resourceType":` + strconv.Quote(string(r.kind)))
	if id != "" {
		out.WriteString(`,"id":` + strconv.Quote(id))
	}
	if appendMembers(&rest, meta, "versionId", "lastUpdated"); rest.Len() > 0 {
		out.WriteString(`,"meta":{`)
		out.Write(rest.Bytes()[1:]) // without the first comma
		out.WriteByte('}')
	}
	appendMembers(&out, list, "resourceType", "id", "meta")
	out.WriteByte('}')
	return Resource{r.kind, id, out.Bytes(), &reading{}}, nil
}

// labels are what of a meta says how a resource is to be handled.
var labels = []string{"security", "tag"}

// SameLabels reports whether two resources have the same security labels and tags.
func (r Resource) SameLabels(o Resource) bool {
	own, _ := r.Tree()["meta"].(Object)
	others, _ := o.Tree()["meta"].(Object)
	for _, name := range labels {
		if !reflect.DeepEqual(own[name], others[name]) {
			return false
		}
	}
	return true
}

// WithLabelsOf returns the resource with the security labels and tags of another
// one in place of its own, every other byte of every value as it is.
func (r Resource) WithLabelsOf(o Resource) (Resource, error) {
	if r.SameLabels(o) {
		return r, nil
	}
	list, err := r.Members()
	if err != nil {
		return Resource{}, err
	}
	theirs, err := o.metaMembers()
	if err != nil {
		return Resource{}, err
	}
	own, err := r.metaMembers()
	if err != nil {
		return Resource{}, err
	}
	var meta, out bytes.Buffer
	appendMembers(&meta, own, labels...)
	for _, m := range theirs {
		if slices.Contains(labels, m.Name) {
			appendMembers(&meta, []Member{m})
		}
	}
	appendMembers(&out, list, "meta")
	if meta.Len() > 0 {
		out.WriteString(`,"meta":{`)
		out.Write(meta.Bytes()[1:])
		out.WriteByte('}')
	}
	raw := out.Bytes()
	raw[0] = '{' // in place of the first comma
	return Resource{r.kind, r.id, append(raw, '}'), &reading{}}, nil
}

func (r Resource) metaMembers() ([]Member, error) {
	list, err := r.Members()
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.Name == "meta" {
			return Members(m.Value)
		}
	}
	return nil, nil
}

// appendMembers writes the members except some, each after a comma.
func appendMembers(out *bytes.Buffer, list []Member, except ...string) {
next:
	for _, m := range list {
		for _, name := range except {
			if m.Name == name {
				continue next
			}
		}
		out.WriteByte(',')
		out.Write(m.Append(out.AvailableBuffer()))
	}
}

// Renamed returns the resource with every text that is one of the names replaced by
// what it stands for, and every other byte as it is (FHIR R4 http §3.1.0.11.2: the
// references of a transaction).
func (r Resource) Renamed(names map[string]string) (Resource, error) {
	raw := r.JSON()
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	var out []byte
	copied := 0
	for before := 0; ; before = int(dec.InputOffset()) {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Resource{}, err
		}
		if token.Kind() != '"' {
			continue
		}
		name, known := names[token.String()]
		if !known {
			continue
		}
		start := before + bytes.IndexByte(raw[before:], '"') // commas, colons and blanks stand before it
		if out, err = jsontext.AppendQuote(append(out, raw[copied:start]...), name); err != nil {
			return Resource{}, err
		}
		copied = int(dec.InputOffset())
	}
	if copied == 0 {
		return r, nil
	}
	return Stored(r.kind, r.id, append(out, raw[copied:]...)), nil
}
