package fhirsql_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// Who may see what is derived follows every change of what it derives from: an
// attachment that is gone, and a target whose own owners change later.
//
// attack: B.14, B.44
func TestDerivedOwnersFollowChanges(t *testing.T) {
	const (
		binary   = `{"resourceType":"Binary","id":"b","contentType":"text/plain"}`
		attached = `{"resourceType":"DocumentReference","id":"d","status":"current","subject":{"reference":"Patient/a"},"content":[{"attachment":{"url":"Binary/b"}}]}`
		detached = `{"resourceType":"DocumentReference","id":"d","status":"current","subject":{"reference":"Patient/a"},"content":[{"attachment":{"title":"gone"}}]}`
		second   = `{"resourceType":"DocumentReference","id":"e","status":"current","subject":{"reference":"Patient/z"},"content":[{"attachment":{"url":"Binary/b"}}]}`
		record   = `{"resourceType":"Provenance","id":"p","recorded":"2024-01-01T00:00:00Z","target":[{"reference":"Binary/b"}]}`
	)
	b, p := fhir.Reference{Type: "Binary", ID: "b"}, fhir.Reference{Type: "Provenance", ID: "p"}
	for name, row := range map[string]struct {
		steps []string
		ref   fhir.Reference
		want  bool
	}{
		"attached":                                {[]string{binary, attached}, b, true},
		"no longer attached by anything":          {[]string{binary, attached, detached}, b, false},
		"no longer attached by a second record":   {[]string{binary, attached, second, detached}, b, false},
		"provenance of what is attached later":    {[]string{binary, record, attached}, p, true},
		"provenance of what becomes shared later": {[]string{binary, attached, record, second}, p, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := engines["sqlite"](t)
			for _, step := range row.steps {
				load(t, s, of(step))
			}
			if got := reads(t, s, patientToken("a"), row.ref); got != row.want {
				t.Errorf("%s read: %v, want %v", row.ref, got, row.want)
			}
		})
	}
}
