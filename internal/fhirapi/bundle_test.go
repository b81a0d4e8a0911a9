package fhirapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// holding takes an answer as a connection of HTTP/2 does whose client breaks it off: it
// holds the bytes, and writes them later.
type holding struct {
	*httptest.ResponseRecorder
	held []byte
}

func (w *holding) Write(b []byte) (int, error) {
	w.held = b
	return 0, errors.New("the stream is closed")
}

// What a connection still holds of an answer that was broken off is never overwritten by
// another one: it would go to the wrong client.
//
// attack: B.1, B.34
func TestAnAnswerThatWasBrokenOffIsNotWrittenOver(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.rs"), "bob": patient("bob", "patient/*.rs")})
	ask := func(w http.ResponseWriter, who string) {
		r := httptest.NewRequest(http.MethodGet, base+"/Observation?_count=50", nil)
		r.Header.Set("Authorization", "Bearer "+who)
		s.door.ServeHTTP(w, r)
	}
	for range 20 { // a sheet is not always taken again
		broken := &holding{ResponseRecorder: httptest.NewRecorder()}
		ask(broken, "alice")
		before := string(broken.held)
		if !strings.Contains(before, "Patient/alice") {
			t.Fatalf("%s", before)
		}
		ask(httptest.NewRecorder(), "bob")
		if now := string(broken.held); now != before {
			t.Fatalf("what goes to Alice is now %s", now)
		}
	}
}
