package testenv_test

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

var revocations = flag.Int("revocations", 1000, "how many tokens are revoked under load")

// grace is what a revocation may take to reach every process.
const grace = time.Second

// revocable is an access token with what ends it, and when that was acknowledged.
type revocable struct {
	access string
	client *testenv.Client
	ends   string       // what is sent to /revoke; "": the client is suspended
	ended  atomic.Int64 // in nanoseconds; 0: not yet
}

// late reports whether a request that began at a moment came after the grace.
func (h *revocable) late(began time.Time) bool {
	at := h.ended.Load()
	return at != 0 && began.Sub(time.Unix(0, at)) > grace
}

// Under load at both processes, nothing is answered with data when more than a second
// has passed since the revocation was acknowledged: of access tokens, of refresh tokens
// with their grants, and of all that a suspended client holds.
//
// spec: RT-27, REVOKE-10, RS-10
// attack: B.112
func TestNothingIsAnsweredASecondAfterItsEnd(t *testing.T) {
	nodes := testenv.Nodes(t, 2)
	all := holdings(t, nodes, *revocations)
	var reads, leaks, refused atomic.Int64
	read := func(h *revocable, node *testenv.Env) {
		began := time.Now()
		late := h.late(began)
		switch got := node.Get(h.access, "Patient/zoe"); {
		case got.Status == http.StatusOK && late:
			leaks.Add(1)
			t.Errorf("a request was answered %s after the revocation", began.Sub(time.Unix(0, h.ended.Load())))
		case got.Status == http.StatusOK:
		case got.Status == http.StatusUnauthorized && h.ended.Load() != 0:
			refused.Add(1)
		case got.Status == http.StatusUnauthorized: // revoked, and not acknowledged yet
		default:
			t.Errorf("%d %s", got.Status, got.Raw)
		}
		reads.Add(1)
	}
	stop := make(chan struct{})
	var load sync.WaitGroup
	for n := range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					read(all[rand.IntN(len(all))], nodes[n%2]) //nolint:gosec // which is read is no secret
				}
			}
		})
	}
	end(nodes, all, read, t)
	close(stop)
	load.Wait()
	t.Logf("%d revocations, %d reads, %d refused, %d answered too late", len(all), reads.Load(), refused.Load(), leaks.Load())
	if refused.Load() < int64(2*len(all)) {
		t.Errorf("%d reads were refused; each token is asked for at both processes", refused.Load())
	}
}

// holdings makes tokens of services, of grants of a person, and of a client that will be
// suspended.
func holdings(t *testing.T, nodes []*testenv.Env, n int) []*revocable {
	t.Helper()
	k := newKey(t, "ES256", "k")
	metadata := service("system/Patient.rs", "jwks", keySetOf(k), "emberlatch_data", everybody)
	kept, suspended := nodes[0].RegisterKeyed(metadata, k), nodes[0].RegisterKeyed(metadata, k)
	person := nodes[0].Register(`{"redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid offline_access"}`)
	eventually(t, "the clients are known at the other process", func() bool {
		return kept.At(nodes[1]).Service("system/Patient.rs").Status == http.StatusOK && suspended.At(nodes[1]).Service("system/Patient.rs").Status == http.StatusOK
	})
	all := make([]*revocable, n)
	b := nodes[0].Browser()
	for i := range min(5, n) { // grants, each ended by its refresh token
		r := person.Request("launch/patient patient/Patient.rs openid offline_access")
		a := person.Exchange(r, b.Code(person, r, "zoe", ""))
		all[i] = &revocable{access: a.String("access_token"), client: person, ends: a.String("refresh_token")}
	}
	var wait sync.WaitGroup
	for part := range 8 {
		wait.Go(func() {
			for i := 5 + part; i < n; i += 8 {
				c, ends := kept, true
				if i%20 == 0 {
					c, ends = suspended, false
				}
				h := &revocable{client: c, access: c.At(nodes[i%2]).Service("system/Patient.rs").String("access_token")}
				if ends {
					h.ends = h.access
				}
				all[i] = h
			}
		})
	}
	wait.Wait()
	return all
}

// end revokes everything, a token at either process, and asks for each at both of them
// when its grace is over.
func end(nodes []*testenv.Env, all []*revocable, read func(*revocable, *testenv.Env), t *testing.T) {
	t.Helper()
	var wait, probes sync.WaitGroup
	over := func(h *revocable) {
		h.ended.Store(time.Now().UnixNano())
		probes.Go(func() {
			time.Sleep(grace + 20*time.Millisecond)
			read(h, nodes[0])
			read(h, nodes[1])
		})
	}
	for part := range 4 {
		wait.Go(func() {
			for i := part; i < len(all); i += 4 {
				h := all[i]
				if h.ends == "" {
					continue
				}
				if got := h.client.At(nodes[i%2]).Post("/revoke", url.Values{"token": {h.ends}}); got.Status != http.StatusOK {
					t.Errorf("revocation: %d %s", got.Status, got.Raw)
				}
				over(h)
			}
		})
	}
	wait.Wait()
	var id string
	for _, h := range all {
		if h.ends == "" {
			id = h.client.ID
		}
	}
	if got := nodes[0].Admin(http.MethodPost, "/clients/"+id+"/suspend", `{"reason":"it was stolen"}`); got.Status != http.StatusOK {
		t.Errorf("suspension: %d %s", got.Status, got.Raw)
	}
	for _, h := range all {
		if h.ends == "" {
			over(h)
		}
	}
	probes.Wait()
}
