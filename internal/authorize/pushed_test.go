package authorize_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/authorize"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// push keeps a request as its client's, and returns what a browser brings of it.
func (e *env) push(v url.Values) url.Values {
	e.t.Helper()
	p, refused := oauth.ParseParameters(v.Encode())
	if refused != nil {
		e.t.Fatal(refused)
	}
	q, refused := e.door.Check(p)
	if refused != nil {
		e.t.Fatalf("pushed: %v", refused)
	}
	requestURI, reference := oauth.NewRequestURI()
	hash := oauth.Hash(reference)
	e.store.pushed[string(hash)] = store.PushedRequest{ReferenceHash: hash, Request: q}
	return url.Values{"client_id": {v.Get("client_id")}, "request_uri": {requestURI}}
}

// unused reports how many pushed requests can still begin.
func (e *env) unused() (n int) {
	for _, p := range e.store.pushed {
		if !p.Used {
			n++
		}
	}
	return n
}

func isUnknown(a answer) bool {
	return a.outcome() == "page" && a.status == http.StatusBadRequest && strings.Contains(a.body, "invalid_request_uri") && strings.Contains(a.body, "Go back to web")
}

// However a request came, the same comes of it.
//
// spec: AUTHZ-53
func TestAPushedRequestBeginsLikeAnyOther(t *testing.T) {
	for _, row := range []struct {
		name  string
		user  store.UserID
		pairs []string
		want  string
	}{
		{"nobody is signed in", "", nil, "/login"},
		{"prompt=none, nobody", "", []string{"prompt", "none"}, "login_required"},
		{"remembered", "maria", nil, "code"},
		{"prompt=none, remembered", "maria", []string{"prompt", "none"}, "code"},
		{"prompt=consent", "maria", []string{"prompt", "consent"}, "/approve"},
		{"prompt=login", "maria", []string{"prompt", "login"}, "/login"},
		{"max_age=0", "maria", []string{"max_age", "0"}, "code"}, // signed in at this very moment
		{"a hint at her", "maria", []string{"id_token_hint", "hint-maria"}, "code"},
		{"a hint at somebody else", "maria", []string{"id_token_hint", "hint-anna", "prompt", "none"}, "login_required"},
		{"a choice of patients", "anna", nil, "/choose"},
		{"nobody to share", "lost", nil, "access_denied"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, pushed := range []bool{false, true} {
				e := newEnv(t)
				if row.user != "" {
					e.signIn(row.user)
				}
				e.store.remembered = *before(nil)
				v := e.values("web", patientScopes, row.pairs...)
				if pushed {
					v = e.push(v)
				}
				a := e.begin(v)
				if a.outcome() != row.want {
					t.Fatalf("pushed %t: %s, want %s", pushed, a.outcome(), row.want)
				}
				if back := a.query("code") + a.query("error"); back != "" && (a.query("state") != "st" || a.query("iss") != issuer) {
					t.Errorf("pushed %t: answer %v", pushed, a.location)
				}
				if pushed && (e.unused() != 0 || !isUnknown(e.begin(v)) && row.want[0] != '/') {
					t.Errorf("%d references are unused, and used again it is %s", e.unused(), e.begin(v).outcome())
				}
			}
		})
	}
}

// A launch value is used up when the request begins, not when it is pushed.
//
// spec: AUTHZ-53, CTX-04
func TestALaunchIsPushed(t *testing.T) {
	e := inEHR(t)
	e.signIn("chen")
	v := e.values("web", chartScopes, "launch", value)
	first, second := e.push(v), e.push(v)
	if len(e.store.launches) != 1 {
		t.Fatal("pushing used the launch up")
	}
	for _, p := range e.store.pushed {
		if strings.Contains(string(p.Request.LaunchHash), value) || p.Request.LaunchContext != "" {
			t.Errorf("kept of the launch: %q, %s", p.Request.LaunchHash, p.Request.LaunchContext)
		}
	}
	if a := e.begin(first); a.outcome() != "/approve" || len(e.store.launches) != 0 {
		t.Errorf("%s, %d launches", a.outcome(), len(e.store.launches))
	}
	for _, q := range e.store.requests {
		if q.LaunchContext != chart || q.LaunchUser != "chen" || q.LaunchHash != nil || q.Patient != "maria" {
			t.Errorf("stored: %+v", q)
		}
	}
	if a := e.begin(second); a.outcome() != "invalid_request" {
		t.Errorf("the same launch again: %s", a.outcome())
	}
}

// Loading the page again goes on with what this browser has begun, and begins
// nothing; in another browser the reference is used up.
//
// spec: AUTHZ-54
// attack: AZ-22
func TestAPushedRequestIsLoadedAgain(t *testing.T) {
	e := newEnv(t)
	link := e.push(e.values("web", patientScopes))
	if a := e.begin(link); a.outcome() != "/login" {
		t.Fatal(a.outcome())
	}
	for range 2 {
		if a := e.begin(link); a.outcome() != "/login" || len(e.store.requests) != 1 {
			t.Errorf("again: %s, %d requests", a.outcome(), len(e.store.requests))
		}
	}
	own := e.cookies
	e.cookies = map[string]*http.Cookie{}
	if a := e.begin(link); !isUnknown(a) || len(e.store.requests) != 1 {
		t.Errorf("another browser: %d %s", a.status, a.outcome())
	}
	if a := e.begin(e.push(e.values("browser", "openid user/Patient.rs"))); a.outcome() != "/login" {
		t.Fatal(a.outcome())
	}
	if a := e.begin(link); !isUnknown(a) {
		t.Errorf("a browser with a request of its own: %d %s", a.status, a.outcome())
	}
	e.cookies = own
	for hash := range e.store.requests {
		if err := e.store.AnswerRequest(t.Context(), []byte(hash), nil); err != nil {
			t.Fatal(err)
		}
	}
	if a := e.begin(link); a.outcome() != "page" || a.status != http.StatusBadRequest {
		t.Errorf("after the answer: %d %s", a.status, a.outcome())
	}
}

// A form of another site, without cookies, begins it too, and the first browser
// that follows has it.
//
// spec: AUTHZ-54, AUTHZ-03
func TestAPushedRequestByPost(t *testing.T) {
	e := newEnv(t)
	link := e.push(e.values("web", patientScopes))
	a := e.post(nil, link)
	if a.status != http.StatusSeeOther || a.location.Path != flow.ContinuePath || !a.location.Query().Has("claim") {
		t.Fatalf("%d %v", a.status, a.location)
	}
	if again := e.post(nil, link); !isUnknown(again) {
		t.Errorf("posted again before anybody has it: %d %s", again.status, again.outcome())
	}
	claimed := e.serve(e.door.Continue, httptest.NewRequest(http.MethodGet, issuer+a.location.String(), nil))
	if got := e.continues(claimed.query("request")); got.outcome() != "/login" {
		t.Errorf("claimed: %s", got.outcome())
	}
	if again := e.begin(link); again.outcome() != "/login" {
		t.Errorf("loaded again: %s", again.outcome())
	}
}

// Only client_id and request_uri count; what stands beside them is not read, and
// costs nothing.
//
// spec: AUTHZ-54
func TestWhatStandsBesideAReferenceIsIgnored(t *testing.T) {
	e := newEnv(t)
	link := e.push(e.values("web", patientScopes))
	query := link.Encode() + "&redirect_uri=https%3A%2F%2Fevil.test%2F&redirect_uri=x&scope=openid&state=other&aud=x&prompt=none&request=x&response_type=token&code_challenge=&launch=x"
	a := e.serve(e.door.ServeHTTP, httptest.NewRequest(http.MethodGet, issuer+"/authorize?"+query, nil))
	if a.status != http.StatusSeeOther || a.location.Path != flow.ContinuePath || len(e.store.requests) != 1 {
		t.Fatalf("%d %s", a.status, a.outcome())
	}
	for _, q := range e.store.requests {
		if q.RedirectURI != "https://web.example.org/cb?keep=1" || q.State != "st" || q.Prompt != nil || !sameScopes(q.Scopes, patientScopes) {
			t.Errorf("stored: %+v", q)
		}
	}
}

// What is not a good reference of this client is a page, sends nobody anywhere, and
// uses nothing up; a look by HEAD does not either.
//
// spec: AUTHZ-54
// attack: AZ-22, AZ-33
func TestReferencesThatAreNotGood(t *testing.T) {
	e := newEnv(t)
	e.signIn("maria")
	e.store.remembered = *before(nil)
	link := e.push(e.values("web", patientScopes))
	good := link.Get("request_uri")
	const urn = "urn:ietf:params:oauth:request_uri:"
	for name, v := range map[string]url.Values{
		"of another client":  {"client_id": {"browser"}, "request_uri": {good}},
		"without a client":   {"request_uri": {good}},
		"an unknown client":  {"client_id": {"nobody"}, "request_uri": {good}},
		"two clients":        {"client_id": {"web", "browser"}, "request_uri": {good}},
		"sent twice":         {"client_id": {"web"}, "request_uri": {good, good}},
		"guessed":            {"client_id": {"web"}, "request_uri": {urn + "pr_" + strings.Repeat("A", 43)}},
		"cut":                {"client_id": {"web"}, "request_uri": {good[:len(good)-1]}},
		"another class":      {"client_id": {"web"}, "request_uri": {strings.Replace(good, "pr_", "rq_", 1)}},
		"the handle":         {"client_id": {"web"}, "request_uri": {urn + oauth.PushedHandle(strings.TrimPrefix(good, urn))}},
		"with a redirect":    {"client_id": {"web"}, "request_uri": {urn + "x"}, "redirect_uri": {"https://web.example.org/cb?keep=1"}, "state": {"st"}},
		"a blank in between": {"client_id": {"web"}, "request_uri": {urn + " " + strings.TrimPrefix(good, urn)}},
	} {
		if a := e.begin(v); a.outcome() != "page" || a.status != http.StatusBadRequest || len(e.store.requests)+len(e.store.issued) != 0 {
			t.Errorf("%s: %d %s", name, a.status, a.outcome())
		}
	}
	look := func() answer {
		return e.serve(e.door.ServeHTTP, httptest.NewRequest(http.MethodHead, issuer+"/authorize?"+link.Encode(), nil))
	}
	if head := look(); head.status != http.StatusOK || e.unused() != 1 || len(e.store.issued) != 0 {
		t.Errorf("HEAD: %d, %d unused, %d codes", head.status, e.unused(), len(e.store.issued))
	}
	if a := e.begin(link); a.outcome() != "code" {
		t.Errorf("the right one: %s", a.outcome())
	}
	if a := e.begin(link); !isUnknown(a) || len(e.store.promised) != 1 || len(e.store.issued) != 0 {
		t.Errorf("after the code: %d %s, %d codes", a.status, a.outcome(), len(e.store.promised))
	}
	if head := look(); head.status != http.StatusBadRequest {
		t.Errorf("HEAD after the code: %d", head.status)
	}
}

// What the client has registered when the request begins decides, and a refusal
// does not cost the reference.
//
// spec: AUTHZ-54, AUTHZ-55
// attack: AZ-23
func TestARegistrationThatChangedSince(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*store.Client)
		want   string
		status int
	}{
		{"disabled", func(c *store.Client) { c.Disabled = true }, "page", http.StatusForbidden},
		{"under review again", waits, "page", http.StatusForbidden},
		{"another redirect URI", func(c *store.Client) { c.RedirectURIs = []string{"https://other.example.org/cb"} }, "page", http.StatusBadRequest},
		{"no scope of it", func(c *store.Client) { c.Scope = "user/Patient.rs" }, "invalid_scope", http.StatusSeeOther},
		{"no launch", func(c *store.Client) { c.Scope = "patient/*.rs openid" }, "invalid_request", http.StatusSeeOther},
		{"another grant", func(c *store.Client) { c.GrantTypes = []string{"client_credentials"} }, "unauthorized_client", http.StatusSeeOther},
		{"no leniency", func(c *store.Client) { c.PKCEOptional = false }, "invalid_request", http.StatusSeeOther},
		{"not vouched for, and no scope of it", func(c *store.Client) { c.Trusted, c.Scope = false, "user/Patient.rs" }, "page", http.StatusBadRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := inEHR(t)
			c := e.clients["web"]
			c.PKCEOptional = true
			e.clients["web"] = c
			pairs := []string{"launch", value}
			if row.name == "no leniency" {
				pairs = append(pairs, "code_challenge", "", "code_challenge_method", "")
			}
			link := e.push(e.values("web", "launch patient/*.rs openid", pairs...))
			row.change(&c)
			e.clients["web"] = c
			if a := e.begin(link); a.outcome() != row.want || a.status != row.status || isUnknown(a) {
				t.Errorf("%d %s, want %d %s", a.status, a.outcome(), row.status, row.want)
			}
			if e.unused() != 1 || len(e.store.requests) != 0 || len(e.store.launches) != 1 {
				t.Errorf("%d unused, %d requests, %d launches", e.unused(), len(e.store.requests), len(e.store.launches))
			}
		})
	}
	e := newEnv(t)
	link := e.push(e.values("web", patientScopes))
	c := e.clients["web"]
	c.Scope = "launch/patient openid patient/Condition.rs"
	e.clients["web"] = c
	e.begin(link)
	for _, q := range e.store.requests {
		if !sameScopes(q.Scopes, "launch/patient patient/Condition.rs openid") {
			t.Errorf("narrowed: %v", q.Scopes)
		}
	}
}

// A failure of the store is ours, whether the app can be told or not.
//
// spec: ERR-21
func TestAPushedRequestWithoutAStore(t *testing.T) {
	e := newEnv(t)
	link := e.push(e.values("web", patientScopes))
	e.store.broken = busy{}
	if a := e.begin(link); a.outcome() != "temporarily_unavailable" || a.query("state") != "st" {
		t.Errorf("%d %s", a.status, a.outcome())
	}
	if e.unused() != 1 {
		t.Error("the reference is used up")
	}
}

// Who has to push is told so when it does not, and served when it does; a server
// that takes no pushed requests takes none.
//
// spec: AUTHZ-53
// attack: AZ-21
func TestWhoHasToPush(t *testing.T) {
	for _, row := range []struct {
		name          string
		deps          func(*authorize.Deps)
		client        bool
		plain, pushed string
	}{
		{"offered", nil, false, "/login", "/login"},
		{"required of this client", nil, true, "invalid_request", "/login"},
		{"required of all", func(d *authorize.Deps) { d.RequirePushed = true }, false, "invalid_request", "/login"},
		{"not offered", func(d *authorize.Deps) { d.OfferPushed = false }, false, "/login", "request_uri_not_supported"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			c := e.clients["web"]
			c.RequirePushed = row.client
			e.clients["web"] = c
			e.open(row.deps)
			v := e.values("web", patientScopes)
			if a := e.begin(v); a.outcome() != row.plain {
				t.Errorf("plain: %s, want %s", a.outcome(), row.plain)
			}
			link := e.push(v)
			if row.pushed == "request_uri_not_supported" {
				link = e.values("web", patientScopes, "request_uri", link.Get("request_uri"))
			}
			if a := e.begin(link); a.outcome() != row.pushed {
				t.Errorf("pushed: %s, want %s", a.outcome(), row.pushed)
			}
			// A reference of any other kind is not fetched, whoever has to push.
			if a := e.begin(e.values("web", patientScopes, "request_uri", "https://evil.example.org/r")); a.outcome() != "request_uri_not_supported" {
				t.Errorf("a place to fetch from: %s", a.outcome())
			}
		})
	}
}

// An app that waits for its review pushes nothing: it may not ask people.
//
// spec: REG-06
func TestAnAppUnderReviewPushesNothing(t *testing.T) {
	e := newEnv(t)
	c := e.clients["web"]
	waits(&c)
	e.clients["web"] = c
	p, err := oauth.ParseParameters(e.values("web", "openid user/Patient.rs").Encode())
	if err != nil {
		t.Fatal(err)
	}
	if _, refused := e.door.Check(p); refused == nil || refused.Code != oauth.UnauthorizedClient || refused.Slug != oauth.SlugClientNotEnabled {
		t.Errorf("%v", refused)
	}
}
