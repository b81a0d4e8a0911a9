package upstream_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/upstream"
)

// Nothing of the caller's request goes on: not its token, its cookies, or any header
// that says who it is, and the upstream is asked for JSON, whole and strictly.
//
// spec: RS-07, RS-08, RS-18
// attack: GW-27, B.8, B.10, B.11, B.13, B.101, B.102
func TestNothingOfTheCallerGoesToTheUpstream(t *testing.T) {
	up := newHonest(t, of(alices[0], alices[1], alices[2]))
	door := doorBefore(t, newGate(t, up.base))
	allowed := map[string]string{
		"Accept": "application/fhir+json", "Authorization": "Bearer " + ours, "Prefer": "handling=strict", "User-Agent": "Emberlatch",
		"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "",
	}
	for _, path := range []string{"/Observation/a1", "/Observation?_elements=id&_summary=true", "/Observation?_id=" + strings.Repeat("x,", 290) + "a1", "/Observation?_include=Observation:subject"} {
		got := get(door, "alice", path, "X-Forwarded-For", "10.0.0.1", "X-User", "bob", "X-Patient", "bob", "Cookie", "session=1", "If-None-Match", "*", "If-Modified-Since", "Mon, 02 Jan 2006 15:04:05 GMT",
			"Range", "bytes=0-10", "Prefer", "respond-async", "X-HTTP-Method-Override", "DELETE", "Forwarded", "for=x", "Accept", "application/fhir+json", "TE", "trailers")
		if got.Code != http.StatusOK && got.Code != http.StatusNotModified {
			t.Fatalf("%s: %d %s", path, got.Code, got.Body)
		}
		calls, forms := up.asked()
		if len(calls) == 0 {
			t.Fatalf("%s: nothing was asked", path)
		}
		for i, r := range calls {
			if r.Method != http.MethodGet && r.Method != http.MethodPost || strings.Contains(r.URL.RawQuery+forms[i], "_elements") || strings.Contains(r.URL.RawQuery+forms[i], "_summary") {
				t.Errorf("%s: asked %s %s", path, r.Method, r.URL)
			}
			for name, values := range r.Header {
				if want, known := allowed[name]; !known || len(values) != 1 || want != "" && values[0] != want {
					t.Errorf("%s: sent %s: %q", path, name, values)
				}
			}
		}
	}
}

// What depends on the server that it is slow, gone or says nonsense is a failure of
// its own kind, and ends in time.
//
// spec: ERR-46, RS-22
// attack: B.114, F-81
func TestAnUpstreamThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   int
	}{
		"silent": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 504},
		"slow body": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+json")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		}, 504},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+json")
			w.Header().Set("Content-Length", "5000")
			_, _ = io.WriteString(w, `{"resourceType":`)
		}, 502},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<p>"+secret)
		}, 502},
		"XML": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+xml")
			_, _ = io.WriteString(w, "<Patient/>")
		}, 502},
		"UTF-16": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+json; charset=utf-16")
			_, _ = io.WriteString(w, alices[1])
		}, 502},
		"packed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/fhir+json")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "bomb")
		}, 502},
		"reset": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 502},
	} {
		t.Run(name, func(t *testing.T) {
			up, want := scripted(t, c.answer), c.want
			g := newGate(t, up.URL+"/fhir", func(c *upstream.Config) {
				if c.Timeout = 10 * time.Second; want == http.StatusGatewayTimeout {
					c.Timeout = 500 * time.Millisecond
				}
			})
			door := doorBefore(t, g)
			for _, path := range []string{"/Observation/a1", "/Observation"} {
				began := time.Now()
				got := get(door, "alice", path)
				if got.Code != want || !strings.Contains(got.Body.String(), `"transient"`) {
					t.Errorf("%s: %d %s, want %d", path, got.Code, got.Body, want)
				}
				clean(t, got, path, up.URL)
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("%s took %s", path, took)
				}
			}
		})
	}
}

// A resource that cannot be read, is another one, or is larger than is read, looks as
// if it were not there: that it is there depends on it alone (row 45 of requirements).
//
// spec: ERR-45
// attack: B.77, B.78, B.115
func TestWhatIsNoSuchResourceIsMissing(t *testing.T) {
	text := ""
	up := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = io.WriteString(w, text)
	})
	g := newGate(t, up.URL+"/fhir", func(c *upstream.Config) { c.MaxAnswer = 10_000 })
	door := doorBefore(t, g)
	missing := get(door, "alice", "/Patient/bob").Body.String()
	for _, text = range append(append([]string{alices[0], strings.Repeat(" ", 20_000), alices[1] + "x"}, bobs...), unreadable...) {
		if got := get(door, "alice", "/Observation/b1"); got.Code != http.StatusNotFound || got.Body.String() != missing {
			t.Errorf("%.120s: %d %s", text, got.Code, got.Body)
		}
	}
	if g.seen.droppedAs("malformed") == 0 {
		t.Error("no alarm")
	}
}

// An upstream that does not answer is left alone for a while, and asked again.
func TestTheBreaker(t *testing.T) {
	t.Parallel() // it waits
	var calls atomic.Int32
	down := true
	up := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = io.WriteString(w, alices[1])
	})
	g := newGate(t, up.URL+"/fhir")
	a1 := fhir.Reference{Type: "Observation", ID: "a1"}
	for range 20 {
		var failed *fhirstore.Failure
		if _, err := read(g, patientToken("alice"), a1); !errors.As(err, &failed) || failed.Status != http.StatusServiceUnavailable {
			t.Fatal(err)
		}
	}
	if n := calls.Load(); n != 5 {
		t.Errorf("%d calls while it is down, want 5", n)
	}
	down = false
	time.Sleep(5100 * time.Millisecond)
	if _, err := read(g, patientToken("alice"), a1); err != nil {
		t.Errorf("it answers again: %v", err)
	}
}

// A caller who gives up, or one resource that makes the upstream fail, does not close
// the way for others.
func TestOneCallerDoesNotTripTheBreaker(t *testing.T) {
	up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/b1") {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = io.WriteString(w, alices[1])
	})
	g := newGate(t, up.URL+"/fhir")
	for range 20 {
		_, _ = read(g, patientToken("alice"), fhir.Reference{Type: "Observation", ID: "b1"})
	}
	if _, err := read(g, patientToken("alice"), fhir.Reference{Type: "Observation", ID: "a1"}); err != nil {
		t.Error(err)
	}
}

// A certificate that nobody vouches for is refused; with the operator's own authority
// the same server is trusted.
//
// spec: TLS-04, TLS-07
func TestCertificatesAreVerified(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/fhir+json")
		if strings.HasSuffix(r.URL.Path, "/metadata") {
			_, _ = io.WriteString(w, capable())
			return
		}
		_, _ = io.WriteString(w, alices[1])
	}))
	up.Config.ErrorLog = log.New(io.Discard, "", 0)
	up.StartTLS()
	defer up.Close()
	a1 := fhir.Reference{Type: "Observation", ID: "a1"}
	var failed *fhirstore.Failure
	if _, err := read(newGate(t, up.URL+"/fhir"), patientToken("alice"), a1); !errors.As(err, &failed) {
		t.Errorf("a certificate of nobody: %v", err)
	}
	authority := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: up.Certificate().Raw})))
	if _, err := read(newGate(t, up.URL+"/fhir", func(c *upstream.Config) { c.CAFile = authority }), patientToken("alice"), a1); err != nil {
		t.Errorf("a certificate of the operator's authority: %v", err)
	}
}

// What is unsafe or makes no sense is refused before anything starts.
//
// spec: TLS-07
func TestConfigurationsThatAreRefused(t *testing.T) {
	good := upstream.Config{URL: "https://fhir.example.org/r4"}
	for name, change := range map[string]func(*upstream.Config){
		"no URL": func(c *upstream.Config) { c.URL = "" }, "http": func(c *upstream.Config) { c.URL = "http://fhir.example.org/r4" },
		"a query": func(c *upstream.Config) { c.URL += "?x=1" }, "a slash": func(c *upstream.Config) { c.URL += "/" },
		"a password": func(c *upstream.Config) { c.URL = "https://u:p@fhir.example.org" }, "a file": func(c *upstream.Config) { c.URL = "file:///etc/passwd" },
		"half a certificate": func(c *upstream.Config) { c.ClientCertFile = "x" }, "a relative name": func(c *upstream.Config) { c.AlsoKnownAs = []string{"/fhir"} },
		"two proofs": func(c *upstream.Config) {
			c.CredentialsFile = "x"
			c.BackendService = upstream.ServiceConfig{TokenEndpoint: "https://a.example", ClientID: "x", Scope: "x", KeyFile: "x"}
		},
		"half a service": func(c *upstream.Config) { c.BackendService.ClientID = "x" }, "no patience": func(c *upstream.Config) { c.Timeout = time.Hour },
		"large": func(c *upstream.Config) { c.MaxAnswer = 2 << 30 }, "many": func(c *upstream.Config) { c.MaxConnections = -1 },
	} {
		c := good
		change(&c)
		if c.Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	loopback := upstream.Config{URL: "http://127.0.0.1:8080/fhir"}
	if err := loopback.Validate(); err != nil {
		t.Error(err)
	}
}

// Credentials come from a file, which is read again when it has changed; what stands
// in it is in no error.
func TestCredentialsOfAFile(t *testing.T) {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("gate:pass word"))
	up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != want {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = io.WriteString(w, alices[1])
	})
	path := file(t, "Basic gate:pass word\n")
	g := newGate(t, up.URL+"/fhir", func(c *upstream.Config) { c.CredentialsFile = path })
	a1 := fhir.Reference{Type: "Observation", ID: "a1"}
	if _, err := read(g, patientToken("alice"), a1); err != nil {
		t.Fatal(err)
	}
	want = "Bearer next"
	var failed *fhirstore.Failure
	if _, err := read(g, patientToken("alice"), a1); !errors.As(err, &failed) || failed.Status != http.StatusBadGateway {
		t.Errorf("our rights are not enough: %v", err)
	}
	if err := os.WriteFile(path, []byte("Bearer next"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Now(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := read(g, patientToken("alice"), a1); err != nil {
		t.Errorf("the file has changed: %v", err)
	}
	for _, text := range []string{"", "hunter2", "Bearer", "Bearer hunter2 x", "Basic hunter2", "Digest hunter2", "Bearer hunter2\nX: y"} {
		_, err := upstream.New(upstream.Deps{Config: upstream.Config{URL: "https://fhir.example.org", CredentialsFile: file(t, text)}, Base: base, Now: time.Now, Log: logNothing()})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// As a backend service we prove ourselves by a key at the token endpoint of the
// upstream, get one token for all who wait, and a new one when it is refused.
func TestABackendServiceOfTheUpstream(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: "k1", Algorithm: "ES384"})
	if err != nil {
		t.Fatal(err)
	}
	var issued atomic.Int32
	good := "token-1"
	var endpoint string
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		proof, err := jwt.ParseSigned(r.PostForm.Get("client_assertion"), []jose.SignatureAlgorithm{jose.ES384})
		var claims jwt.Claims
		if err == nil {
			err = proof.Claims(&key.PublicKey, &claims)
		}
		if err == nil {
			err = claims.Validate(jwt.Expected{Issuer: "gate", Subject: "gate", AnyAudience: jwt.Audience{endpoint}, Time: time.Now()})
		}
		if err != nil || claims.ID == "" || claims.Expiry.Time().After(time.Now().Add(5*time.Minute)) || proof.Headers[0].KeyID != "k1" || r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("scope") != "system/*.rs" {
			t.Errorf("the proof: %v %v", err, r.PostForm)
		}
		issued.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": good, "token_type": "bearer", "expires_in": 300})
	}))
	defer issuer.Close()
	endpoint = issuer.URL + "/token"
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+good {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = io.WriteString(w, alices[1])
	}))
	defer up.Close()
	g := newGate(t, up.URL+"/fhir", func(c *upstream.Config) {
		c.CredentialsFile = ""
		c.BackendService = upstream.ServiceConfig{TokenEndpoint: endpoint, ClientID: "gate", Scope: "system/*.rs", KeyFile: file(t, string(jwk))}
	})
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := read(g, patientToken("alice"), fhir.Reference{Type: "Observation", ID: "a1"})
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := issued.Load(); n != 1 {
		t.Errorf("%d tokens for eight at the same time", n)
	}
	good = "token-2"
	if _, err := read(g, patientToken("alice"), fhir.Reference{Type: "Observation", ID: "a1"}); err != nil || issued.Load() != 2 {
		t.Errorf("a token that was refused: %v, %d issued", err, issued.Load())
	}
}

// Nothing is asked where no answer could be shown, and what is asked names nobody
// outside of the view.
//
// spec: RSP-02, RSP-03, RSP-04, RSG-07
// attack: B.2, B.20, B.21, B.22, B.28, GW-25
func TestWhatIsAsked(t *testing.T) {
	up := newHonest(t, of(alices[0], alices[1], alices[2]))
	g := newGate(t, up.base)
	if err := g.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	lab := patientToken("alice", "patient/Observation.rs?category=http://x|lab")
	for _, c := range []struct {
		who   string
		query string
		want  url.Values // nil: nothing
	}{
		{"alice", "", url.Values{"patient": {"Patient/alice"}, "_count": {"50"}}},
		{"alice", "patient=bob", nil}, {"alice", "patient=alice&patient=bob", nil}, {"alice", "subject=Group/g", nil}, {"alice", "patient=https://other.example/Patient/alice", nil},
		{"alice", "patient=alice,bob&_count=7", url.Values{"patient": {"Patient/alice"}, "_count": {"7"}}},
		{"both", "subject=Patient/bob", url.Values{"patient": {"Patient/bob"}, "_count": {"50"}}},
		{"alice", `code=a\,b|c\|d%26e&_sort=-date`, url.Values{"code": {`a\,b|c\|d&e`}, "_sort": {"-date"}, "patient": {"Patient/alice"}, "_count": {"50"}}},
		{"lab", "category=http://x|lab,vital", url.Values{"category": {"http://x|lab,vital", "http://x|lab"}, "patient": {"Patient/alice"}, "_count": {"50"}}},
		{"alice", "performer=" + url.QueryEscape(base+"/Patient/bob"), url.Values{"performer": {"Patient/bob"}, "patient": {"Patient/alice"}, "_count": {"50"}}},
		{"alice", "_elements=id&_summary=true&_total=accurate", url.Values{"patient": {"Patient/alice"}, "_count": {"50"}}},
	} {
		who := patientToken("alice")
		switch c.who {
		case "both":
			who = userToken("alice", "bob")
		case "lab":
			who = lab
		}
		up.asked()
		if _, err := find(t, g, who, "Observation", c.query); err != nil {
			t.Errorf("%s: %v", c.query, err)
		}
		calls, _ := up.asked()
		if c.want == nil && len(calls) == 0 {
			continue
		}
		if len(calls) != 1 || calls[0].URL.RawQuery != c.want.Encode() {
			t.Errorf("%s of %s: asked %v, want %s", c.query, c.who, calls, c.want.Encode())
		}
	}
}

// A sandbox that starts does not wait for ever for a server that takes its records and
// says nothing.
func TestFillingEndsInTime(t *testing.T) {
	asked := make(chan struct{}, 1)
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer up.Close()
	g := newGate(t, up.URL, func(c *upstream.Config) { c.Timeout = 20 * time.Millisecond })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := g.Fill(ctx, [][]byte{[]byte(`{"resourceType":"Patient","id":"a"}`)})
	var f *fhirstore.Failure
	if !errors.As(err, &f) || f.Status != http.StatusGatewayTimeout || ctx.Err() != nil {
		t.Errorf("%v", err)
	}
	<-asked
}
