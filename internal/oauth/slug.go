package oauth

// Slug names one error of the catalogue. The zero value names none.
type Slug int

// Explanation is what the catalogue says about one error: all that a developer is
// told beside the sentence of the error itself.
type Explanation struct {
	Name    string // stable: people link to it
	Code    Code   // empty for a page that tells no app anything
	Where   string // which endpoint answers it
	Fix     string // what the developer of the app does about it
	Section string // the rule that was broken
}

// ErrorsPath is where the server explains its errors, below the issuer.
const ErrorsPath = "/errors"

// Explanation returns what the catalogue says; the zero value for no error of it.
func (s Slug) Explanation() Explanation {
	if s <= 0 || int(s) >= len(catalogue) {
		return Explanation{}
	}
	return catalogue[s]
}

// String is the name of the error, as it stands in answers and in the log.
func (s Slug) String() string { return s.Explanation().Name }

// Page is the path of the explanation, empty for no error of the catalogue.
func (s Slug) Page() string {
	if s.String() == "" {
		return ""
	}
	return ErrorsPath + "#" + s.String()
}

// URI is error_uri of an error (RFC 6749 §4.1.2.1, §5.2): the public page of the
// issuer, at the explanation of this error or, when it has no name, of its code.
func (e *Error) URI(issuer string) string {
	if page := e.Slug.Page(); page != "" {
		return issuer + page
	}
	return issuer + ErrorsPath + "#" + string(e.Code)
}

// Catalogue lists the errors that have a name, in the order of their subjects.
func Catalogue() []Explanation { return append([]Explanation(nil), catalogue[1:]...) }

// Codes lists the error codes with their meaning.
func Codes() []CodeMeaning { return append([]CodeMeaning(nil), codes...) }
