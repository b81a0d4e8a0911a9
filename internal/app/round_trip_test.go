package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/dpop/dpoptest"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// kind is one kind of token request: made ready, sent, and what it is answered.
type kind struct {
	name  string
	ready func() func() testenv.Answer
	want  string // an error code; empty: tokens
	trips int64
}

// No request of any kind takes more than one message to PostgreSQL: what is consumed,
// what is checked and what is issued is one statement, of every client, and of every
// refusal too.
//
// spec: E-01
func TestATokenRequestIsOneRoundTrip(t *testing.T) {
	c := newCounted(t)
	kinds := append(c.exchanges(), c.refreshes()...)
	kinds = append(append(kinds, c.services()...), c.refusals()...)
	for first := true; ; first = false { // the first time prepares
		for _, k := range kinds {
			send := k.ready()
			a, trips := c.count(send)
			if a.String("error") != k.want || (a.Status == http.StatusOK) != (k.want == "") {
				t.Fatalf("%s: %d %s", k.name, a.Status, a.Raw)
			}
			if !first && trips != k.trips {
				t.Errorf("%s: %d round trips, want %d", k.name, trips, k.trips)
			}
		}
		if !first {
			return
		}
	}
}

// What else an app asks of the server about its tokens.
//
// spec: E-01
func TestIntrospectionIsOneRoundTrip(t *testing.T) {
	c := newCounted(t)
	for first := true; ; first = false { // the first time prepares
		token := c.tokens(c.basic, offline)
		a, trips := c.count(func() testenv.Answer {
			return c.basic.Post("/introspect", url.Values{"token": {token.String("access_token")}})
		})
		if a.Status != http.StatusOK {
			t.Fatalf("introspection: %d %s", a.Status, a.Raw)
		}
		if first {
			continue
		}
		if trips != 1 {
			t.Errorf("introspection: %d round trips", trips)
		}
		return
	}
}

// A proof at the FHIR API costs no message to the database.
//
// spec: AT-13
// attack: E-01
func TestAReadWithAProofCostsNoMore(t *testing.T) {
	c := newCounted(t)
	for first := true; ; first = false { // the first time prepares
		plain, bound := c.tokens(c.public, offline), c.tokens(c.boundPublic, offline)
		_, want := c.count(func() testenv.Answer { return c.Get(plain.String("access_token"), "Patient/zoe") })
		a, trips := c.count(func() testenv.Answer {
			return c.boundPublic.Bound(http.MethodGet, c.FHIR+"/Patient/zoe", bound.String("access_token"))
		})
		if a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
		if first {
			continue
		}
		if trips > want {
			t.Errorf("%d round trips, and %d without a proof", trips, want)
		}
		return
	}
}

// byClient makes a kind for each way of client authentication.
func (c *counted) byClient(name string, ready func(*testenv.Client) func() testenv.Answer) []kind {
	var list []kind
	for how, client := range map[string]*testenv.Client{
		"public": c.public, "basic": c.basic, "post": c.post, "private_key_jwt": c.keyed,
		"public with a proof": c.boundPublic, "private_key_jwt with a proof": c.boundKeyed,
	} {
		list = append(list, kind{name + ", " + how, func() func() testenv.Answer { return ready(client) }, "", 1})
	}
	return list
}

func (c *counted) exchanges() []kind {
	list := c.byClient("code", func(client *testenv.Client) func() testenv.Answer {
		got := c.code(client, offline, "zoe")
		return func() testenv.Answer { return client.Exchange(got.Request, got.text) }
	})
	return append(list, kind{"code of a clinician", func() func() testenv.Answer {
		got := c.clinicianCode()
		return func() testenv.Answer { return c.basic.Exchange(got.Request, got.text) }
	}, "", 1})
}

func (c *counted) refreshes() []kind {
	var list []kind
	for name, scope := range map[string]string{"offline": offline, "online": online} {
		list = append(list, c.byClient("refresh, "+name, func(client *testenv.Client) func() testenv.Answer {
			a := c.tokens(client, scope)
			return func() testenv.Answer { return client.Refresh(a.String("refresh_token")) }
		})...)
	}
	for name, scope := range map[string]string{
		"in its own words": "patient/*.rs openid", "to one type and permission": "patient/Patient.r", "to a condition": "patient/Observation.rs?category=laboratory",
		"to the same": offline,
	} {
		list = append(list, c.byClient("narrowed "+name, func(client *testenv.Client) func() testenv.Answer {
			a := c.tokens(client, offline)
			return func() testenv.Answer { return client.Refresh(a.String("refresh_token"), "scope", scope) }
		})...)
	}
	long := "launch/patient openid offline_access"
	for i := range 40 {
		long += fmt.Sprintf(" patient/Observation.rs?code=http://loinc.org|%s%d", strings.Repeat("x", 20), i)
	}
	list = append(list, c.byClient("all of more than fits into a token", func(client *testenv.Client) func() testenv.Answer {
		a := c.tokens(client, long)
		return func() testenv.Answer { return client.Refresh(a.String("refresh_token"), "scope", long) }
	})...)
	list = append(list, c.byClient("retry within the grace", func(client *testenv.Client) func() testenv.Answer {
		a := c.tokens(client, offline)
		client.Refresh(a.String("refresh_token"))
		return func() testenv.Answer { return client.Refresh(a.String("refresh_token")) }
	})...)
	list = append(list, c.byClient("narrowed to what a condition means", func(client *testenv.Client) func() testenv.Answer {
		a := c.tokens(client, constrained)
		return func() testenv.Answer { return client.Refresh(a.String("refresh_token"), "scope", inside) }
	})...)
	for name, records := range map[string]care{"is named by the patient": named, "is named as a role": asRole, "is in a care team": inTeam, "manages a group": inGroup} {
		list = append(list, kind{"refresh of a clinician who " + name + ", not remembered", func() func() testenv.Answer {
			a := c.clinician()
			c.load(records)
			return func() testenv.Answer { return c.basic.Refresh(a.String("refresh_token")) }
		}, "", 1})
	}
	return append(list, kind{"refresh without a client_id", func() func() testenv.Answer {
		a := c.tokens(c.public, offline)
		return func() testenv.Answer {
			return c.bare("grant_type=refresh_token&refresh_token=" + a.String("refresh_token"))
		}
	}, "", 1})
}

func (c *counted) services() []kind {
	return []kind{{"client_credentials", func() func() testenv.Answer {
		return func() testenv.Answer { return c.backend.Service("system/Patient.rs") }
	}, "", 1}, {"client_credentials with a proof", func() func() testenv.Answer {
		return func() testenv.Answer { return c.boundBackend.Service("system/Patient.rs") }
	}, "", 1}, {"no proof where one is needed", func() func() testenv.Answer {
		return func() testenv.Answer {
			return c.bare("grant_type=authorization_code&code=ac_x&redirect_uri=x&client_id=" + c.boundPublic.ID)
		}
	}, "invalid_dpop_proof", 0}, {"a code for another key", func() func() testenv.Answer {
		got := c.code(c.boundPublic, offline, "zoe", "dpop_jkt", dpoptest.New(c.t).Thumbprint())
		return func() testenv.Answer { return c.boundPublic.Exchange(got.Request, got.text) }
	}, "invalid_grant", 1}}
}

// bare sends a form as it is, by nobody.
func (c *counted) bare(body string) testenv.Answer {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodPost, c.URL+"/token", strings.NewReader(body))
	must(c.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.Send(req)
}

func (c *counted) refusals() []kind {
	return append(append(c.badCodes(), c.badRefreshes()...), c.badClients()...)
}

func (c *counted) badCodes() []kind {
	var list []kind
	for how, client := range map[string]*testenv.Client{"public": c.public, "private_key_jwt": c.keyed} {
		bad := func(name string, change func(*code) *testenv.Client) {
			list = append(list, kind{name + ", " + how, func() func() testenv.Answer {
				got := c.code(client, offline, "zoe")
				sender := change(&got)
				return func() testenv.Answer { return sender.Exchange(got.Request, got.text) }
			}, "invalid_grant", 1})
		}
		bad("unknown code", func(got *code) *testenv.Client { got.text = "ac_unknown"; return client })
		bad("replayed code", func(got *code) *testenv.Client { client.Exchange(got.Request, got.text); return client })
		bad("code a third time", func(got *code) *testenv.Client {
			client.Exchange(got.Request, got.text)
			client.Exchange(got.Request, got.text)
			return client
		})
		bad("wrong verifier", func(got *code) *testenv.Client { got.Verifier = strings.Repeat("v", 43); return client })
		bad("wrong redirect_uri", func(got *code) *testenv.Client {
			got.Values.Set("redirect_uri", "https://app.example.org/other")
			return client
		})
		bad("code of another client", func(*code) *testenv.Client { return c.basic })
		bad("expired code", func(*code) *testenv.Client { c.move(2 * time.Minute); return client })
	}
	return append(list, kind{"no verifier", func() func() testenv.Answer {
		got := c.code(c.public, offline, "zoe")
		got.Verifier = ""
		return func() testenv.Answer { return c.public.Exchange(got.Request, got.text) }
	}, "invalid_request", 1})
}

func (c *counted) badRefreshes() []kind {
	var list []kind
	const life = 100 * 24 * time.Hour
	for how, client := range map[string]*testenv.Client{"public": c.public, "private_key_jwt": c.keyed} {
		bad := func(name, want string, change func(a testenv.Answer) func() testenv.Answer) {
			list = append(list, kind{name + ", " + how, func() func() testenv.Answer { return change(c.tokens(client, offline)) }, want, 1})
		}
		again := func(a testenv.Answer, extra ...string) func() testenv.Answer {
			return func() testenv.Answer { return client.Refresh(a.String("refresh_token"), extra...) }
		}
		bad("reuse after the grace", "invalid_grant", func(a testenv.Answer) func() testenv.Answer {
			client.Refresh(a.String("refresh_token"))
			c.move(time.Minute)
			return again(a)
		})
		bad("reuse with a scope", "invalid_grant", func(a testenv.Answer) func() testenv.Answer {
			client.Refresh(a.String("refresh_token"))
			c.move(time.Minute)
			return again(a, "scope", "user/*.rs")
		})
		bad("revoked grant", "invalid_grant", func(a testenv.Answer) func() testenv.Answer {
			client.Post("/revoke", url.Values{"token": {a.String("refresh_token")}})
			return again(a)
		})
		bad("expired refresh token", "invalid_grant", func(a testenv.Answer) func() testenv.Answer {
			c.move(life)
			return again(a)
		})
		bad("after that", "invalid_grant", func(a testenv.Answer) func() testenv.Answer {
			client.Post("/revoke", url.Values{"token": {a.String("refresh_token")}})
			return again(a)
		})
		bad("refresh token of another client", "invalid_grant", func(a testenv.Answer) func() testenv.Answer {
			return func() testenv.Answer { return c.basic.Refresh(a.String("refresh_token")) }
		})
		bad("a wider scope", "invalid_scope", func(a testenv.Answer) func() testenv.Answer { return again(a, "scope", "patient/*.cruds") })
		bad("a scope of another level", "invalid_scope", func(a testenv.Answer) func() testenv.Answer { return again(a, "scope", "user/Patient.r") })
		list = append(list, kind{"a condition that means more, " + how, func() func() testenv.Answer {
			a := c.tokens(client, constrained)
			return again(a, "scope", "patient/Observation.rs?category=laboratory,vital-signs")
		}, "invalid_scope", 1})
	}
	for name, records := range map[string]care{
		"names nobody": nobody, "named a role that has ended": formerRole, "left the care team": formerTeam, "left the group": formerGone,
	} {
		list = append(list, kind{"refresh of a clinician whose patient " + name, func() func() testenv.Answer {
			a := c.clinician()
			c.load(records)
			return func() testenv.Answer { return c.basic.Refresh(a.String("refresh_token")) }
		}, "invalid_grant", 1})
	}
	return append(list, kind{"refresh of a representative whose time is over", func() func() testenv.Answer {
		c.stand(time.Now().Add(time.Hour))
		got := c.codeOf("rep", offline)
		a := c.basic.Exchange(got.Request, got.text)
		c.stand(time.Now().Add(-time.Hour))
		return func() testenv.Answer { return c.basic.Refresh(a.String("refresh_token")) }
	}, "invalid_grant", 1})
}

// badClients are refused from memory, but for an assertion, which is spent.
func (c *counted) badClients() []kind {
	now := func(do func() testenv.Answer) func() func() testenv.Answer {
		return func() func() testenv.Answer { return do }
	}
	assertion := func(text string) string {
		return "&client_assertion_type=" + url.QueryEscape(testenv.AssertionType) + "&client_assertion=" + text
	}
	return []kind{
		{"unknown client", now(func() testenv.Answer { return c.bare("grant_type=refresh_token&refresh_token=rt_x&client_id=nobody") }), "invalid_client", 0},
		{"wrong secret", now(func() testenv.Answer {
			return c.bare("grant_type=refresh_token&refresh_token=rt_x&client_secret=wrong&client_id=" + c.post.ID)
		}), "invalid_client", 0},
		{"a token that nobody made", now(func() testenv.Answer { return c.public.Refresh("rt_x") }), "invalid_grant", 0},
		{"a token that nobody made, private_key_jwt", now(func() testenv.Answer { return c.keyed.Refresh("rt_x") }), "invalid_grant", 1},
		{"a missing code, private_key_jwt", now(func() testenv.Answer {
			return c.keyed.Post("/token", url.Values{"grant_type": {"authorization_code"}})
		}), "invalid_request", 1},
		{"replayed assertion", func() func() testenv.Answer {
			body := "grant_type=client_credentials&scope=system/Patient.rs" + assertion(c.backend.Assertion())
			c.bare(body)
			return func() testenv.Answer { return c.bare(body) }
		}, "invalid_client", 1},
		{"replayed assertion with a good token", func() func() testenv.Answer {
			body := "grant_type=refresh_token&refresh_token=" + c.tokens(c.keyed, offline).String("refresh_token") + assertion(c.keyed.Assertion())
			c.bare(body)
			return func() testenv.Answer { return c.bare(body) }
		}, "invalid_client", 1},
		{"forged assertion", func() func() testenv.Answer {
			text := c.backend.Assertion()
			body := "grant_type=client_credentials&scope=system/Patient.rs" + assertion(text[:len(text)-8]+"AAAAAAAA")
			return func() testenv.Answer { return c.bare(body) }
		}, "invalid_client", 0},
		{"a scope that is not registered", now(func() testenv.Answer { return c.backend.Service("patient/*.rs") }), "invalid_scope", 1},
		{"a grant type that is not registered", now(func() testenv.Answer { return c.keyed.Service("system/*.rs") }), "unauthorized_client", 1},
	}
}
