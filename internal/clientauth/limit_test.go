package clientauth_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

// crowd is a Limited whose clock and whose callers' address a test sets.
type crowd struct {
	*clientauth.Limited
	now atomic.Int64 // seconds after the start
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	c := &crowd{}
	var err error
	c.Limited, err = clientauth.Limit(authenticator(t), clientauth.Limits{
		Address: func(r *http.Request) string { return r.RemoteAddr },
		Now:     func() time.Time { return now.Add(time.Duration(c.now.Load()) * time.Second) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// try is the status of one authentication; 0: proven.
func (c *crowd) try(t *testing.T, address, client, secret string) (status int, wait time.Duration) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	r.RemoteAddr = address
	r.Header.Set("Authorization", basic(client, secret))
	proven, err := c.Authenticate(r, oauth.Parameters{})
	if err == nil {
		if proven.Client().ID == "" {
			t.Error("proven, and nobody")
		}
		return 0, 0
	}
	return err.HTTPStatus(), err.RetryAfter
}

// A thousand wrong secrets from one address wait; the client works from everywhere
// else, and there again after a minute.
//
// spec: TOK-25
// attack: CA-27
func TestFailuresOfAnAddressAreBounded(t *testing.T) {
	c := newCrowd(t)
	judged := 0
	for range 1000 {
		status, wait := c.try(t, "192.0.2.1", "web", "wrong")
		switch {
		case status == http.StatusUnauthorized && wait == 0:
			judged++
		case status != http.StatusTooManyRequests || wait <= 0 || wait > time.Minute:
			t.Fatalf("status %d, wait %v", status, wait)
		}
	}
	if judged != 300 {
		t.Errorf("%d tries were judged", judged)
	}
	for _, row := range []struct {
		name, address, client, secret string
		want                          int
	}{
		{"the right secret there", "192.0.2.1", "web", "new", 429},
		{"the right secret elsewhere", "192.0.2.2", "web", "new", 0},
		{"a wrong secret elsewhere", "192.0.2.2", "web", "wrong", 401},
		{"another client there", "192.0.2.1", "post", "s", 0},
	} {
		if got, _ := c.try(t, row.address, row.client, row.secret); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
	c.now.Store(60)
	if got, _ := c.try(t, "192.0.2.1", "web", "new"); got != 0 {
		t.Errorf("the right secret after a minute: %d", got)
	}
}

// Many at once are counted before they are judged; successes do not count at all.
//
// spec: TOK-25
func TestSuccessesAreNotCounted(t *testing.T) {
	c := newCrowd(t)
	for range 1000 {
		if got, _ := c.try(t, "192.0.2.1", "web", "new"); got != 0 {
			t.Fatalf("a right secret: %d", got)
		}
	}
	var judged atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 20 {
				if status, _ := c.try(t, "192.0.2.1", "web", "wrong"); status == http.StatusUnauthorized {
					judged.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if judged.Load() != 300 {
		t.Errorf("%d of a thousand at once were judged", judged.Load())
	}
}

// However many addresses and names are made up, one who fails often is not forgotten
// for them.
//
// attack: LG-31
func TestTheMemoryOfFailuresIsBounded(t *testing.T) {
	c := newCrowd(t)
	for range 300 {
		c.try(t, "192.0.2.1", "web", "wrong")
	}
	for i := range 25_000 {
		c.try(t, "198.51.100."+strconv.Itoa(i%200), "made-up-"+strconv.Itoa(i), "x")
	}
	if got, _ := c.try(t, "192.0.2.1", "web", "wrong"); got != http.StatusTooManyRequests {
		t.Errorf("who failed often: %d", got)
	}
	if n := clientauth.Counted(c.Limited); n > 10_000 {
		t.Errorf("%d are kept", n)
	}
}

// Assertions are counted by the client that they say they are of, whether they are
// proven at once or spent later.
//
// spec: TOK-25
// attack: CA-27
func TestFailedAssertionsAreBounded(t *testing.T) {
	k := newKeyed(t)
	l, err := clientauth.Limit(k.Authenticator, clientauth.Limits{Address: func(r *http.Request) string { return r.RemoteAddr }, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	try := func(text string) int {
		p, refused := oauth.ParseParameters(assertionPair + text)
		if refused != nil {
			t.Fatal(refused)
		}
		u, refused := l.Prove(httptest.NewRequest(http.MethodPost, "/token", nil), p)
		switch {
		case refused != nil:
			return refused.HTTPStatus()
		case u.Client().ID == "":
			t.Error("proven, and nobody")
		}
		if err := l.Spend(t.Context(), u); err != nil {
			t.Error(err)
		}
		return 0
	}
	forged := good(makes{key: "p384-evil"}, heading("kid", "p384")).text(t)
	judged := 0
	for range 400 {
		if try(forged) == http.StatusBadRequest {
			judged++
		}
	}
	if judged != 300 {
		t.Errorf("%d forged assertions were judged", judged)
	}
	if got := try(good().text(t)); got != http.StatusTooManyRequests {
		t.Errorf("a good one of the same client: %d", got)
	}
	if got := try(good(of("url")).text(t)); got != 0 {
		t.Errorf("a good one of another client: %d", got)
	}
}

func TestLimitRefusesMissingParts(t *testing.T) {
	address := func(*http.Request) string { return "" }
	for name, make := range map[string]func() (*clientauth.Limited, error){
		"an authenticator": func() (*clientauth.Limited, error) {
			return clientauth.Limit(nil, clientauth.Limits{Address: address, Now: time.Now})
		},
		"an address": func() (*clientauth.Limited, error) {
			return clientauth.Limit(authenticator(t), clientauth.Limits{Now: time.Now})
		},
		"a clock": func() (*clientauth.Limited, error) {
			return clientauth.Limit(authenticator(t), clientauth.Limits{Address: address})
		},
	} {
		if _, err := make(); err == nil {
			t.Errorf("made without %s", name)
		}
	}
}
