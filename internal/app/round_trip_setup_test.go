package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/dpop/dpoptest"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// counted is a whole server on PostgreSQL beside which nothing runs, so that every
// message to the database belongs to a request.
type counted struct {
	*testenv.Env
	t       *testing.T
	app     *app.App
	cfg     app.Config
	db      *db.DB
	browser *testenv.Browser
	trips   atomic.Int64
	moved   time.Duration

	public, basic, post, keyed, keeping, backend *testenv.Client
	// These show a key with each request.
	boundPublic, boundKeyed, boundBackend *testenv.Client
}

const (
	offline = "launch/patient patient/*.rs openid fhirUser offline_access"
	online  = "launch/patient patient/*.rs openid online_access"
)

func oneConnection(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(testdb.PostgreSQL(t))
	must(t, err)
	q := u.Query()
	q.Set("pool_max_conns", "1")
	u.RawQuery = q.Encode()
	return u.String()
}

func newCounted(t *testing.T) *counted {
	t.Helper()
	c := &counted{t: t}
	cfg, err := app.DevConfig(t.TempDir(), "")
	must(t, err)
	c.cfg = cfg
	// One connection: what it has prepared once stays prepared.
	c.db, err = db.Open(t.Context(), db.Config{URL: oneConnection(t), MovableClock: true, OnRoundTrip: func() { c.trips.Add(1) }})
	must(t, err)
	c.app, err = app.OpenOn(t.Context(), c.db, cfg)
	must(t, err)
	t.Cleanup(func() { must(t, c.app.Close()) })
	c.Env = testenv.Inside(t, cfg, c.app.Public(), c.app.Admin())
	c.people()
	c.clients()
	c.browser = c.Browser()
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// people are a patient, the doctor whom the patient names, and somebody who may stand
// for the patient.
func (c *counted) people() {
	c.t.Helper()
	const password = "a quiet morning walk"
	c.Admin(http.MethodPost, "/data?name=all.ndjson", `{"resourceType":"Practitioner","id":"doc","name":[{"family":"Stone"}]}
{"resourceType":"Patient","id":"ben","name":[{"family":"Winter","given":["Ben"]}]}
{"resourceType":"Patient","id":"zoe","name":[{"family":"Winter","given":["Zoe"]}],"birthDate":"1990-01-01","generalPractitioner":[{"reference":"Practitioner/doc"}]}`)
	for name, user := range map[string]string{"zoe": `"patient","fhirUser":"Patient/zoe"`, "doc": `"practitioner","fhirUser":"Practitioner/doc"`, "rep": `"representative","represents":["Patient/zoe"]`} {
		made := c.Admin(http.MethodPost, "/users", `{"username":"`+name+`","password":"`+password+`","role":`+user+`}`)
		if made.Status != http.StatusCreated {
			c.t.Fatalf("making an account: %d %s", made.Status, made.Raw)
		}
	}
	must(c.t, json.Unmarshal([]byte(`{"people":[{"username":"zoe","password":"`+password+`"},{"username":"doc","password":"`+password+`"},{"username":"rep","password":"`+password+`"}]}`), &c.File))
}

// clients are one of each kind.
func (c *counted) clients() {
	c.t.Helper()
	const app = `"redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs user/*.rs openid fhirUser offline_access online_access"`
	c.public = c.Register(`{"token_endpoint_auth_method":"none","application_type":"native",` + app + `}`)
	c.basic = c.Register(`{"token_endpoint_auth_method":"client_secret_basic",` + app + `}`)
	c.post = c.Register(`{"token_endpoint_auth_method":"client_secret_post",` + app + `}`)
	c.post.InBody = true
	const bound = `"dpop_bound_access_tokens":true,`
	c.keyed, c.boundKeyed = c.keyedApp(app), c.keyedApp(bound+app)
	c.boundPublic = c.Register(`{"token_endpoint_auth_method":"none","application_type":"native",` + bound + app + `}`)
	service := map[string]any{"token_endpoint_auth_method": "private_key_jwt", "grant_types": []string{"client_credentials"}, "scope": "system/*.rs"}
	c.backend = c.registerKeyed(service)
	service["dpop_bound_access_tokens"] = true
	c.boundBackend = c.registerKeyed(service)
	for _, client := range []*testenv.Client{c.boundPublic, c.boundKeyed, c.boundBackend} {
		client.Prover = dpoptest.New(c.t)
	}
}

// keyedApp is an app with these members that proves itself by a key.
func (c *counted) keyedApp(members string) *testenv.Client {
	c.t.Helper()
	metadata := map[string]any{}
	must(c.t, json.Unmarshal([]byte(`{"token_endpoint_auth_method":"private_key_jwt",`+members+`}`), &metadata))
	client := c.registerKeyed(metadata)
	client.RedirectURI = c.basic.RedirectURI
	return client
}

func (c *counted) registerKeyed(metadata map[string]any) *testenv.Client {
	c.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(c.t, err)
	key := &jose.JSONWebKey{Key: private, KeyID: "k", Algorithm: "ES384", Use: "sig"}
	metadata["jwks"] = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}
	return c.RegisterKeyed(metadata, key)
}

// move shifts the database's time until the next request has been counted.
func (c *counted) move(by time.Duration) {
	c.t.Helper()
	c.moved += by
	must(c.t, c.db.MoveClock(c.t.Context(), by))
}

// count is how many messages a request costs. The snapshots are fresh before, as they
// are in a running server.
func (c *counted) count(do func() testenv.Answer) (testenv.Answer, int64) {
	c.t.Helper()
	must(c.t, c.app.Follow(c.t.Context()))
	c.trips.Store(0)
	a := do()
	trips := c.trips.Load()
	c.move(-c.moved)
	return a, trips
}

// code is a fresh authorization code.
type code struct {
	testenv.Request
	text string
}

func (c *counted) code(client *testenv.Client, scope, username string, extra ...string) code {
	c.t.Helper()
	must(c.t, c.app.Follow(c.t.Context()))
	r := client.Request(scope, extra...)
	return code{r, c.browser.Code(client, r, username, "zoe")}
}

// tokens is a fresh family.
func (c *counted) tokens(client *testenv.Client, scope string) testenv.Answer {
	c.t.Helper()
	got := c.code(client, scope, "zoe")
	a := client.Exchange(got.Request, got.text)
	if a.Status != http.StatusOK {
		c.t.Fatalf("a first token: %d %s", a.Status, a.Raw)
	}
	return a
}
