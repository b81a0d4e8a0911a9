package catalogue_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// row is one row of the catalogue.
type row struct {
	number string
	asks   []ask
	// more is what a table of requests does not say.
	more func(t *testing.T, s *side)
	// apart has the row asked of sides of its own: it writes.
	apart bool
}

// ask is a request with what must come back, from both sides unless it says otherwise.
type ask struct {
	as     string // "": alice
	method string // "": GET
	path   string
	body   string
	header []string // names and values in turn

	status  int
	gateway int // the gateway's status; 0: the same
	// found are the resources of the Bundle; nil: not looked at.
	found []string
	// like is a path whose answer is the same, byte for byte but for the id.
	like  string
	holds []string
	lacks []string
	// silent: nothing reached the upstream.
	silent bool
}

// offeredByTheStore are the statuses with which the gateway says that it does not offer
// an interaction: transactions 501; histories of many and searches over all types 403.
var offeredByTheStore = []int{http.StatusNotImplemented, http.StatusForbidden}

// none is an empty Bundle.
var none = []string{}

func run(t *testing.T, rows []row) {
	t.Helper()
	shared, onPostgres := sides(t), postgres(t)
	var server *side
	for i, r := range rows {
		both := shared
		if r.apart {
			both = sides(t)
		}
		if onPostgres != nil && (i == 0 || r.apart || rows[i-1].apart) {
			server = onPostgres()
		}
		if server != nil {
			both = append(slices.Clone(both), server)
		}
		for _, s := range both {
			t.Run(r.number+"/"+s.name, func(t *testing.T) {
				for _, a := range r.asks {
					s.check(t, a)
				}
				if r.more != nil {
					r.more(t, s)
				}
			})
		}
	}
}

func (a ask) sent(s *side, path string) answer {
	method, as := a.method, a.as
	if method == "" {
		method = http.MethodGet
	}
	if as == "" {
		as = "alice"
	}
	header := a.header
	if a.body != "" && !slices.Contains(header, "Content-Type") {
		header = append([]string{"Content-Type", fhirJSON}, header...)
	}
	return s.send(as, method, path, a.body, header...)
}

func (s *side) check(t *testing.T, a ask) answer {
	t.Helper()
	s.asked()
	got := a.sent(s, a.path)
	what := a.as + " " + a.method + " " + a.path + " " + a.body
	want := a.status
	if s.gateway() && a.gateway != 0 {
		want = a.gateway
	}
	if got.status != want {
		t.Errorf("%s: %d, want %d: %s", what, got.status, want, got.body)
		if s.gateway() && slices.Contains(offeredByTheStore, want) {
			t.Errorf("%s: the gateway answered what it did not offer: have the row judge it as it judges the store", what)
		}
	}
	if a.silent && s.gateway() && len(s.asked()) > 0 {
		t.Errorf("%s: the upstream was asked", what)
	}
	s.keeps(t, what, a.as, got)
	if want == a.status {
		a.tells(t, what, got)
	}
	if a.like != "" {
		other := a.sent(s, a.like)
		theirs, mine := middles(a.like, a.path)
		other.body = strings.ReplaceAll(other.body, theirs, mine)
		if diff := cmp.Diff(other, got, cmp.AllowUnexported(answer{})); diff != "" {
			t.Errorf("%s differs from %s:\n%s", what, a.like, diff)
		}
	}
	return got
}

// tells looks at what an answer holds.
func (a ask) tells(t *testing.T, what string, got answer) {
	t.Helper()
	if a.found != nil && got.status == http.StatusOK {
		if diff := cmp.Diff(a.found, got.bundle(t).ids()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	for _, text := range a.holds {
		if !strings.Contains(got.body, text) {
			t.Errorf("%s: lacks %q: %s", what, text, got.body)
		}
	}
	for _, text := range a.lacks {
		if strings.Contains(got.body, text) {
			t.Errorf("%s: holds %q: %s", what, text, got.body)
		}
	}
}

// middles are where two paths differ.
func middles(a, b string) (string, string) {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if a == "" {
		return "never", "never"
	}
	return a, b
}

// keeps fails when an answer to a token that reaches Alice alone holds what is not
// hers, or anything of the upstream.
func (s *side) keeps(t *testing.T, what, as string, got answer) {
	t.Helper()
	text := got.body
	for name, values := range got.header {
		text += "\n" + name + ": " + strings.Join(values, ",")
	}
	hidden := []string{"upstream=1", ours}
	if s.url != "" {
		hidden = append(hidden, strings.TrimPrefix(s.url, "http://"))
	}
	if !slices.Contains([]string{"bob", "doctor"}, as) {
		hidden = append(hidden, secret)
	}
	for _, h := range hidden {
		if strings.Contains(text, h) {
			t.Errorf("%s: the answer holds %q: %d %s", what, h, got.status, text)
		}
	}
}
