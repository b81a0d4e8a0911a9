package testenv_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/live"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/internal/testenv"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

// node is what a server process has of keys and tokens.
type node struct {
	ring   *keys.Ring
	tokens *tokens.Tokens
	facts  *live.Facts
}

const nodeBase = "https://ehr.example.org"

// hasty has the order of the true schedule, in a second.
var hasty = keys.Schedule{Every: time.Second, Ahead: 300 * time.Millisecond, KeepAccess: 3 * time.Second, KeepID: 5 * time.Second}

// newNode opens a node on a database that others use too, with the poll of a server.
func newNode(t *testing.T, database, kek string) node {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	d, err := db.Open(ctx, db.Config{URL: database})
	must(t, err)
	s, log := storesql.New(d), slog.New(slog.DiscardHandler)
	var n node
	n.ring, err = keys.Open(ctx, keys.Deps{Store: s, KEKFile: kek, Schedule: hasty, Now: time.Now, Log: log})
	must(t, err)
	n.facts, err = live.New(ctx, live.Deps{Store: s, Keys: n.ring.Reload, AccessLife: 2 * time.Second, Poll: 200 * time.Millisecond, Now: time.Now, Log: log})
	must(t, err)
	n.tokens, err = tokens.New(ctx, tokens.Deps{
		Ring: n.ring, Live: n.facts, Grants: s, Issuer: nodeBase, FHIRBase: nodeBase + "/fhir", AccessLife: 2 * time.Second, Now: time.Now,
	})
	must(t, err)
	var following sync.WaitGroup
	following.Go(func() { _ = n.facts.Run(ctx) })
	t.Cleanup(func() {
		stop()
		following.Wait()
		_ = d.Close()
	})
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func nodeGrant() store.Grant {
	id := base64.RawURLEncoding.EncodeToString([]byte("0123456789abcdef"))
	return store.Grant{ID: store.GrantID(id), ClientID: "app", UserID: "u", Audience: nodeBase + "/fhir", Scopes: []string{"openid"}}
}

// expiry reads the end of a token.
func expiry(t *testing.T, text string) time.Time {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[1])
	must(t, err)
	var c struct {
		Exp int64 `json:"exp"`
	}
	must(t, json.Unmarshal(raw, &c))
	return time.Unix(c.Exp, 0)
}

// Two nodes on one database mint and verify without a pause while both rotate: each
// token is good on both until it ends. After a theft no token from before is good on
// either, within a second; those minted afterwards are, at once.
//
// attack: F-56, F-71, JW-09, JW-11
func TestRotationOnTwoNodes(t *testing.T) {
	database, kek := testdb.PostgreSQL(t), filepath.Join(t.TempDir(), "kek")
	nodes := []node{newNode(t, database, kek), newNode(t, database, kek)}
	rotations := 8
	if os.Getenv("EMBERLATCH_ROTATIONS") != "" {
		rotations = 1000
	}
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for i := range nodes {
		workers.Go(func() { mintAndVerify(t, nodes, i, stop) })
	}
	signers := map[string]bool{}
	for i := range rotations {
		before := signer(nodes[0])
		if err := nodes[i%2].ring.Rotate(context.Background()); err != nil {
			t.Error(err)
		}
		for deadline := time.Now().Add(20 * time.Second); signer(nodes[0]) == before; {
			if time.Now().After(deadline) {
				t.Fatal("the next keys do not sign")
			}
			time.Sleep(20 * time.Millisecond)
		}
		signers[signer(nodes[0])] = true
		if _, err := nodes[(i+1)%2].ring.Keep(context.Background()); err != nil { // removes what is gone
			t.Error(err)
		}
	}
	close(stop)
	workers.Wait()
	if len(signers) != rotations {
		t.Errorf("%d signers after %d rotations", len(signers), rotations)
	}
	theft(t, nodes)
}

// signer is the key that a node signs access tokens with.
func signer(n node) string {
	for _, k := range n.ring.List() {
		if k.Use == keys.UseAccess && k.State == keys.Signing {
			return k.ID
		}
	}
	return ""
}

// mintAndVerify has one node mint and both verify, now and when the token is older.
func mintAndVerify(t *testing.T, nodes []node, minter int, stop chan struct{}) {
	type minted struct {
		text string
		ends time.Time
	}
	var alive []minted
	for n := 0; ; n++ {
		select {
		case <-stop:
			if n < 100 {
				t.Errorf("only %d tokens were minted", n)
			}
			return
		default:
		}
		a, err := nodes[minter].tokens.MintAccess(nodeGrant(), nodeGrant().Scopes, dpop.Proof{})
		if err != nil {
			t.Error(err)
			return
		}
		alive = append(alive, minted{a.Text, expiry(t, a.Text)})
		for len(alive) > 0 && !time.Now().Before(alive[0].ends) {
			alive = alive[1:]
		}
		if len(alive) == 0 {
			continue
		}
		for i, verifier := range nodes {
			for _, m := range []minted{alive[0], alive[len(alive)-1]} {
				_, err := verifier.tokens.Verify(context.Background(), m.text)
				if err != nil && time.Now().Before(m.ends) {
					t.Errorf("a good token of node %d on node %d: %v", minter, i, err)
				}
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func theft(t *testing.T, nodes []node) {
	ctx := context.Background()
	for round := range 5 {
		thief, other := nodes[round%2], nodes[(round+1)%2]
		a, err := thief.tokens.MintAccess(nodeGrant(), nodeGrant().Scopes, dpop.Proof{})
		must(t, err)
		_, err = other.tokens.Verify(ctx, a.Text)
		must(t, err)
		must(t, thief.ring.Replace(ctx))
		replaced := time.Now()
		if _, err := thief.tokens.Verify(ctx, a.Text); !errors.Is(err, tokens.ErrInvalid) {
			t.Errorf("a stolen key, here: %v", err)
		}
		fresh, err := thief.tokens.MintAccess(nodeGrant(), nodeGrant().Scopes, dpop.Proof{})
		must(t, err)
		if _, err := other.tokens.Verify(ctx, fresh.Text); err != nil {
			t.Errorf("a new key on the node that has not heard of it: %v", err)
		}
		for other.ring.Accepts(kidOf(t, a.Text)) {
			if time.Since(replaced) > 10*time.Second {
				t.Fatal("the other node does not hear of the theft")
			}
			time.Sleep(5 * time.Millisecond)
		}
		if _, err := other.tokens.Verify(ctx, a.Text); !errors.Is(err, tokens.ErrInvalid) {
			t.Errorf("a stolen key, on the other node: %v", err)
		}
		if !bytes.Equal(thief.ring.JWKS(), other.ring.JWKS()) {
			t.Error("the nodes publish other keys")
		}
	}
}

func kidOf(t *testing.T, text string) string {
	t.Helper()
	kid, _ := decode(t, strings.Split(text, ".")[0])["kid"].(string)
	return kid
}

// A rotation in a running flow changes nothing for apps, and after a theft every
// door refuses what the old keys signed while refresh tokens go on.
//
// spec: OIDC-04, OIDC-05, AT-08
func TestRotationInARunningFlow(t *testing.T) {
	env := testenv.Start(t)
	c, a := env.Token("sandbox-confidential", readAll, "maria", "")
	published := func() []string {
		got, set := document(t, env, "/jwks.json")
		if got.Status != http.StatusOK || got.Header.Get("Cache-Control") != "public, max-age=60" || got.Header.Get("ETag") == "" {
			t.Errorf("the key set: %d %v", got.Status, got.Header)
		}
		var kids []string
		list, _ := set["keys"].([]any)
		for _, k := range list {
			kid, _ := k.(map[string]any)["kid"].(string)
			kids = append(kids, kid)
		}
		return kids
	}
	usable := func(access string) [3]bool {
		req, err := http.NewRequest(http.MethodGet, env.URL+"/userinfo", nil)
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+access)
		return [3]bool{
			env.Get(access, "Patient/maria").Status == http.StatusOK, env.Send(req).Status == http.StatusOK,
			c.Post("/introspect", url.Values{"token": {access}}).Body["active"] == true,
		}
	}
	first := published()
	if got := env.Admin(http.MethodPost, "/keys/rotate", ""); got.Status != http.StatusOK {
		t.Fatalf("rotate: %d %s", got.Status, got.Raw)
	}
	if now := published(); len(now) != 6 || strings.Join(now[:3], " ") != strings.Join(first, " ") {
		t.Errorf("published %v after %v", now, first)
	}
	a = c.Refresh(a.String("refresh_token"))
	if kidOf(t, a.String("access_token")) != first[0] && kidOf(t, a.String("access_token")) != first[1] && kidOf(t, a.String("access_token")) != first[2] {
		t.Error("a key signs in the moment when it is published")
	}
	if got := usable(a.String("access_token")); got != [3]bool{true, true, true} {
		t.Errorf("after a rotation: %v", got)
	}
	if got := env.Admin(http.MethodPost, "/keys/replace", ""); got.Status != http.StatusOK {
		t.Fatalf("replace: %d %s", got.Status, got.Raw)
	}
	for _, kid := range published() {
		if strings.Contains(strings.Join(first, " "), kid) {
			t.Errorf("%s is still published", kid)
		}
	}
	if got := usable(a.String("access_token")); got != [3]bool{} {
		t.Errorf("a token of a stolen key: %v", got)
	}
	b := c.Refresh(a.String("refresh_token"))
	if b.Status != http.StatusOK {
		t.Fatalf("refresh after a theft: %d %s", b.Status, b.Raw)
	}
	if got := usable(b.String("access_token")); got != [3]bool{true, true, true} {
		t.Errorf("a token of a new key: %v", got)
	}
}

// After a theft nobody can use a refresh token or a form that the thief could have made:
// a public app asks its people again, one that proves itself goes on, and a page that
// was open is shown anew.
//
// attack: JW-11, RT-18
func TestAfterATheftWhatCouldHaveBeenForgedIsRefused(t *testing.T) {
	env := testenv.Start(t)
	public, p := env.Token("sandbox-native", readAll, "maria", "")
	proving, s := env.Token("sandbox-confidential", readAll, "maria", "")
	browser := env.Browser()
	open := browser.Open(public.Request(readAll).URL())
	if got := env.Admin(http.MethodPost, "/keys/replace", ""); got.Status != http.StatusOK {
		t.Fatalf("replace: %d %s", got.Status, got.Raw)
	}
	if got := public.Refresh(p.String("refresh_token")); got.Status != http.StatusBadRequest || got.String("error") != "invalid_grant" {
		t.Errorf("a public app: %d %s", got.Status, got.Raw)
	}
	if got := public.Refresh(s.String("refresh_token")); got.Status != http.StatusBadRequest || got.String("error") != "invalid_grant" {
		t.Errorf("a public app with a token of another: %d %s", got.Status, got.Raw)
	}
	for n := range 2 {
		if s = proving.Refresh(s.String("refresh_token")); s.Status != http.StatusOK {
			t.Fatalf("an app that proves itself, the %d. time: %d %s", n+1, s.Status, s.Raw)
		}
	}
	if got := public.Post("/revoke", url.Values{"token": {p.String("refresh_token")}}); got.Status != http.StatusOK {
		t.Errorf("what cannot be used can be ended: %d %s", got.Status, got.Raw)
	}
	if page := browser.SignIn(open, "maria"); page.Status != http.StatusForbidden {
		t.Errorf("a form of before: %s", page.Describe())
	}
	again := public.Request(readAll)
	if got := public.Exchange(again, env.Browser().Code(public, again, "maria", "")); got.Status != http.StatusOK {
		t.Errorf("people asked again: %d %s", got.Status, got.Raw)
	}
}
