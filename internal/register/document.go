package register

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// MaxDocument bounds a metadata document, in bytes.
const MaxDocument = 128 << 10

// members are the members of a JSON object as they were sent.
type members map[string]jsontext.Value

// readMembers reads one JSON object, each member once, at every depth.
func readMembers(raw []byte) (members, *oauth.Error) {
	if len(raw) > MaxDocument {
		return nil, oauth.New(oauth.InvalidClientMetadata, "The metadata is larger than 128 KiB").Slugged(oauth.SlugRegistrationMetadata)
	}
	if err := checkShape(raw); err != nil {
		return nil, malformed(err)
	}
	var m members
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		return nil, malformed(err)
	}
	return m, nil
}

// maxDepth bounds how deep a document goes (security E-12).
const maxDepth = 32

var errDeep = errors.New("register: the document is too deep")

// checkShape reads once through everything, what will be ignored too.
func checkShape(raw []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false))
	for {
		if _, err := dec.ReadToken(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if dec.StackDepth() > maxDepth {
			return errDeep
		}
	}
}

func malformed(cause error) *oauth.Error {
	return oauth.New(oauth.InvalidClientMetadata, "The metadata is not one JSON object of known members, each once").Slugged(oauth.SlugRegistrationMetadata).Because(cause)
}

// read turns a document into metadata. Strict: a member that is not known is a
// mistake, since a misspelt one would otherwise be silence. Else it is ignored, as
// RFC 7591 §2 wants of a server that strangers write to.
func read[T any](raw []byte, strict bool) (T, *oauth.Error) {
	var into T
	if _, wrong := readMembers(raw); wrong != nil {
		return into, wrong
	}
	if err := json.Unmarshal(raw, &into, json.RejectUnknownMembers(strict)); err != nil {
		return into, mistyped(err)
	}
	return into, nil
}

// mistyped names the member whose value has the wrong type.
func mistyped(err error) *oauth.Error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return malformed(err)
	}
	member, inside, _ := strings.Cut(strings.TrimPrefix(string(semantic.JSONPointer), "/"), "/")
	switch {
	case member == "":
		return malformed(err)
	case errors.Is(err, json.ErrUnknownName) && inside != "":
		return wrong(member, semantic.JSONPointer.LastToken()+" is not known here").Because(err)
	case errors.Is(err, json.ErrUnknownName):
		return wrong(semantic.JSONPointer.LastToken(), "not a member that is known here").Because(err)
	}
	code, slug := oauth.InvalidClientMetadata, oauth.SlugRegistrationMetadata
	if member == "redirect_uris" {
		code, slug = oauth.InvalidRedirectURI, oauth.SlugRegistrationRedirectURI
	}
	return oauth.New(code, "%s: the value has the wrong type", member).About(member).Slugged(slug).Because(err)
}

// Line is where in a document a mistake stands, counted from 1: the member that it
// names, or where reading ended. 0: not known.
func Line(raw []byte, mistake *oauth.Error) int {
	var (
		syntactic *jsontext.SyntacticError
		semantic  *json.SemanticError
	)
	offset := int64(-1)
	switch {
	case errors.As(mistake.Cause, &syntactic):
		offset = syntactic.ByteOffset
	case errors.As(mistake.Cause, &semantic):
		offset = semantic.ByteOffset
	case mistake.Parameter != "":
		offset = offsetOf(raw, mistake.Parameter)
	}
	if offset < 0 || offset > int64(len(raw)) {
		return 0
	}
	return 1 + bytes.Count(raw[:offset], []byte("\n"))
}

// offsetOf is where a member of the outermost object begins.
func offsetOf(raw []byte, member string) int64 {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if token, err := dec.ReadToken(); err != nil || token.Kind() != '{' {
		return -1
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return -1
		}
		if name.String() == member {
			return dec.InputOffset()
		}
		if dec.SkipValue() != nil {
			return -1
		}
	}
	return -1
}
