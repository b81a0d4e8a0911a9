package launch_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/launch"
)

// A style that is edited has a new address, and the old one is not its own any more.
//
// spec: CTX-20
func TestAStyleThatIsEditedHasANewAddress(t *testing.T) {
	first, err := launch.NewStyle([]byte(`{"color_text":"#000"}`))
	if err != nil {
		t.Fatal(err)
	}
	edited, err := launch.NewStyle([]byte(`{"color_text":"#111"}`))
	if err != nil {
		t.Fatal(err)
	}
	same, err := launch.NewStyle([]byte(`{"color_text":"#000"}`))
	if err != nil {
		t.Fatal(err)
	}
	if first.Path() == edited.Path() || first.Path() != same.Path() || !strings.HasPrefix(first.Path(), "/style/") {
		t.Errorf("%s, edited %s, the same again %s", first.Path(), edited.Path(), same.Path())
	}
}

// spec: CTX-20
func TestStyleKeysAreThoseOfTheSpecification(t *testing.T) {
	for _, text := range []string{`{}`, `[]`, `{"color_text":1}`, `{"colour":"#000"}`, `{"color_text":{"x":"y"}}`, ``} {
		if s, err := launch.NewStyle([]byte(text)); err == nil {
			t.Errorf("%s: served at %s", text, s.Path())
		}
	}
	if _, err := launch.OurStyle(); err != nil {
		t.Error(err)
	}
}

func TestStyleIsReadOnly(t *testing.T) {
	s, err := launch.OurStyle()
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]int{http.MethodGet: http.StatusOK, http.MethodHead: http.StatusOK, http.MethodPost: http.StatusMethodNotAllowed} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, s.Path(), nil))
		if w.Code != want {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	if _, err := launch.New(launch.Deps{}); err == nil {
		t.Error("a door without parts")
	}
	if _, err := launch.NewEHR(launch.EHRDeps{}); err == nil {
		t.Error("an endpoint without parts")
	}
}
