package tokens_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

const (
	issuer   = "https://ehr.example.org"
	fhirBase = issuer + "/fhir"
)

var discard = slog.New(slog.DiscardHandler)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type keyStore struct {
	store.Keys
	keys    []store.SigningKey
	secrets map[string]store.ServerSecret
}

func (m *keyStore) ListKeys(context.Context) ([]store.SigningKey, error) { return m.keys, nil }

func (m *keyStore) CreateKeysOnce(_ context.Context, made []store.SigningKey) ([]store.SigningKey, error) {
	m.keys = made
	return made, nil
}

func (m *keyStore) ListSecrets(context.Context) ([]store.ServerSecret, error) {
	list := []store.ServerSecret{}
	for _, s := range m.secrets {
		list = append(list, s)
	}
	return list, nil
}

func (m *keyStore) ChangeKeys(_ context.Context, c store.KeyChange) error {
	m.keys = c.Keys
	if c.ReadSecrets != nil {
		clear(m.secrets)
	}
	for _, s := range c.Secrets {
		m.secrets[s.Name] = s
	}
	return nil
}

func (m *keyStore) CreateSecretOnce(_ context.Context, s store.ServerSecret) (store.ServerSecret, error) {
	if _, ok := m.secrets[s.Name]; !ok {
		m.secrets[s.Name] = s
	}
	return m.secrets[s.Name], nil
}

// world is all that tokens depend on.
type world struct {
	*tokens.Tokens
	ring     *keys.Ring
	keys     *keyStore
	kek      string
	now      time.Time
	ended    map[string]bool
	stale    bool
	grants   map[store.GrantID]store.Grant
	grantErr error
	lookups  int
	looks    int   // second looks
	lookErr  error // of a second look
}

func (w *world) Refresh(ctx context.Context) error {
	w.looks++
	if w.lookErr != nil {
		return w.lookErr
	}
	return w.ring.Reload(ctx)
}

func (w *world) Fresh() bool { return !w.stale }

func (w *world) Ended(g store.GrantID, id string) bool { return w.ended[string(g)] || w.ended[id] }

func (w *world) Grant(_ context.Context, id store.GrantID) (store.Grant, error) {
	w.lookups++
	if g, ok := w.grants[id]; ok {
		return g, nil
	}
	if w.grantErr != nil {
		return store.Grant{}, w.grantErr
	}
	return store.Grant{}, store.ErrNotFound
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{kek: filepath.Join(t.TempDir(), "kek"), keys: &keyStore{secrets: map[string]store.ServerSecret{}}, now: start, ended: map[string]bool{}, grants: map[store.GrantID]store.Grant{}}
	now := func() time.Time { return w.now }
	var err error
	w.ring, err = keys.Open(context.Background(), keys.Deps{
		Store: w.keys, KEKFile: w.kek, Schedule: keys.DefaultSchedule(), Now: now, Log: discard,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Tokens, err = tokens.New(context.Background(), tokens.Deps{Ring: w.ring, Live: w, Grants: w, Issuer: issuer, FHIRBase: fhirBase, AccessLife: 20 * time.Minute, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func grant() store.Grant {
	return store.Grant{
		ID: store.GrantID(base64.RawURLEncoding.EncodeToString([]byte("0123456789abcdef"))), ClientID: "app", UserID: "u1", Username: "maria",
		FHIRUser: "Patient/p1", Patient: "p1", Encounter: "e1", Scopes: []string{"openid", "fhirUser", "patient/*.rs"}, Audience: fhirBase,
		Nonce: "n-1", AuthTime: start.Add(-time.Minute), AMR: []string{"pwd"},
	}
}

func claims(t testing.TB, text string, part int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[part])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (w *world) mint(t testing.TB, g store.Grant) tokens.AccessToken {
	t.Helper()
	a, err := w.MintAccess(g, g.Scopes, dpop.Proof{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// spec: AT-02, AT-03, AT-06
func TestAccessTokenSaysWhatWasGranted(t *testing.T) {
	w := newWorld(t)
	a := w.mint(t, grant())
	if header := claims(t, a.Text, 0); header["typ"] != "at+jwt" || header["alg"] != "ES256" {
		t.Errorf("header %v", header)
	}
	want := map[string]any{
		"iss": issuer, "sub": "u1", "aud": fhirBase, "client_id": "app", "scope": "openid fhirUser patient/*.rs", "jti": a.ID,
		"iat": float64(start.Unix()), "exp": float64(start.Unix() + 1200), "gid": string(grant().ID), "username": "maria",
		"patient": "p1", "encounter": "e1", "fhirUser": "Patient/p1",
	}
	if diff := cmp.Diff(want, claims(t, a.Text, 1)); diff != "" {
		t.Error(diff)
	}
	v, err := w.Verify(context.Background(), a.Text)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{v.GrantID(), v.ClientID(), v.UserID(), v.Username(), v.Scopes(), v.Patient(), v.Encounter(), v.FHIRUser(), v.Audience(), v.TokenID(), v.IssuedAt(), v.ExpiresAt()}
	g := grant()
	if diff := cmp.Diff([]any{g.ID, g.ClientID, g.UserID, "maria", g.Scopes, "p1", "e1", "Patient/p1", fhirBase, a.ID, start, start.Add(20 * time.Minute)}, got); diff != "" {
		t.Error(diff)
	}
	if strings.Trim(a.Text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-") != "" {
		t.Error("AT-02: a character needs escaping")
	}
}

// spec: AT-09
func TestManyScopesAreReadFromTheGrant(t *testing.T) {
	w, g, ctx := newWorld(t), grant(), context.Background()
	for i := range 200 {
		g.Scopes = append(g.Scopes, "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|c"+strings.Repeat("x", i%7))
	}
	a := w.mint(t, g)
	if len(a.Text) >= 4096 || tokens.FitsToken(g.Scopes) || !tokens.FitsToken(grant().Scopes) {
		t.Errorf("the token has %d bytes", len(a.Text))
	}
	if _, err := w.MintAccess(g, g.Scopes[1:], dpop.Proof{}); !errors.Is(err, tokens.ErrTooManyScopes) {
		t.Errorf("a part that does not fit would stand for the whole: %v", err)
	}
	w.grantErr = errors.New("database is away")
	if _, err := w.Verify(ctx, a.Text); !errors.Is(err, tokens.ErrUnavailable) {
		t.Errorf("grant not readable: %v", err)
	}
	w.grantErr = nil
	if _, err := w.Verify(ctx, a.Text); !errors.Is(err, tokens.ErrInvalid) {
		t.Errorf("grant not there: %v", err)
	}
	w.grants[g.ID], w.lookups = g, 0
	for range 3 {
		v, err := w.Verify(ctx, a.Text)
		if err != nil || !slices.Equal(v.Scopes(), g.Scopes) {
			t.Fatalf("%d scopes, %v", len(v.Scopes()), err)
		}
	}
	if w.lookups != 1 {
		t.Errorf("the grant was read %d times", w.lookups)
	}
}

// spec: AT-04, AT-06, AT-07
// attack: JW-01, JW-03, JW-05
func TestSignedButWrongTokensAreRefused(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	good := w.mint(t, grant())
	payload, _, err := w.ring.Verify(keys.UseAccess, "at+jwt", good.Text)
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.MintID(grant(), store.Client{ID: "app", IDTokenAlg: "ES256"}, good.Text)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"JW-01 ID token": id, "JW-01 refresh token": w.RefreshToken(refreshName(grant(), 1)), "JW-01 code": oauth.RandomToken("ac_"), "empty": ""}
	change := func(name string, f func(m map[string]any)) {
		var m map[string]any
		if err := json.Unmarshal(payload, &m); err != nil {
			t.Fatal(err)
		}
		f(m)
		raw, _ := json.Marshal(m)
		texts[name], err = w.ring.Sign(keys.UseAccess, keys.ES256, "at+jwt", raw)
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, claim := range []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "gid"} {
		change("JW-03 without "+claim, func(m map[string]any) { delete(m, claim) })
		change("JW-03 null "+claim, func(m map[string]any) { m[claim] = nil })
	}
	for name, f := range map[string]func(m map[string]any){
		"JW-03 iss with slash": func(m map[string]any) { m["iss"] = issuer + "/" },
		"JW-03 iss upper case": func(m map[string]any) { m["iss"] = "https://EHR.example.org" },
		"JW-03 iss other":      func(m map[string]any) { m["iss"] = "https://evil.test" },
		"JW-03 aud other":      func(m map[string]any) { m["aud"] = "https://other.example/fhir" },
		"JW-03 aud list":       func(m map[string]any) { m["aud"] = []string{fhirBase, "https://evil.test"} },
		"AT-07 from later":     func(m map[string]any) { m["iat"] = start.Unix() + 120 },
		"AT-07 exp before iat": func(m map[string]any) { m["exp"] = start.Unix() - 1 },
		"exp as text":          func(m map[string]any) { m["exp"] = "9999999999" },
	} {
		change(name, f)
	}
	for name, twice := range map[string]string{"JW-05 scope": `,"scope":"system/*.cruds"}`, "JW-05 patient": `,"patient":"p2"}`} {
		texts[name], _ = w.ring.Sign(keys.UseAccess, keys.ES256, "at+jwt", append(slices.Clone(payload[:len(payload)-1]), twice...))
	}
	if _, err := tokens.New(ctx, tokens.Deps{Ring: w.ring, Live: w, Grants: w, Issuer: issuer, AccessLife: time.Minute, Now: time.Now}); err == nil {
		t.Error("JW-03: made without an audience")
	}
	for name, text := range texts {
		if _, err := w.Verify(ctx, text); !errors.Is(err, tokens.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// spec: AT-07, AT-11
// attack: JW-12
func TestAnEndedTokenIsRefusedWarmOrCold(t *testing.T) {
	ctx := context.Background()
	for name, test := range map[string]struct {
		end  func(w *world, a tokens.AccessToken)
		want error
	}{
		"alive":       {func(*world, tokens.AccessToken) {}, nil},
		"last second": {func(w *world, _ tokens.AccessToken) { w.now = start.Add(1199 * time.Second) }, nil},
		"expired":     {func(w *world, _ tokens.AccessToken) { w.now = start.Add(1200 * time.Second) }, tokens.ErrInvalid},
		"grant ended": {func(w *world, _ tokens.AccessToken) { w.ended[string(grant().ID)] = true }, tokens.ErrInvalid},
		"token ended": {func(w *world, a tokens.AccessToken) { w.ended[a.ID] = true }, tokens.ErrInvalid},
		"JW-12 stale": {func(w *world, _ tokens.AccessToken) { w.stale = true }, tokens.ErrUnavailable},
	} {
		for _, warm := range []bool{false, true} {
			w := newWorld(t)
			a := w.mint(t, grant())
			if warm {
				if _, err := w.Verify(ctx, a.Text); err != nil {
					t.Fatal(err)
				}
			}
			test.end(w, a)
			if _, err := w.Verify(ctx, a.Text); !errors.Is(err, test.want) {
				t.Errorf("%s, warm %v: %v", name, warm, err)
			}
		}
	}
	if e := tokens.BearerError(tokens.ErrUnavailable); e.HTTPStatus() != 503 {
		t.Errorf("JW-12: status %d", e.HTTPStatus())
	}
	if e := tokens.BearerError(tokens.ErrInvalid); e.HTTPStatus() != 401 || e.Code != oauth.InvalidToken {
		t.Errorf("%v, status %d", e, e.HTTPStatus())
	}
}

// spec: OIDC-01, OIDC-06, OIDC-09, OIDC-10, OIDC-11, OIDC-12, OIDC-13, OIDC-16, OIDC-17, LOGIN-24
// attack: JW-14
func TestIDTokenHoldsOnlyWhatWasAsked(t *testing.T) {
	w := newWorld(t)
	sum := sha256.Sum256([]byte("access"))
	full := map[string]any{
		"iss": issuer, "sub": "u1", "aud": "app", "azp": "app", "exp": float64(start.Unix() + 600), "iat": float64(start.Unix()),
		"auth_time": float64(start.Unix() - 60), "nonce": "n-1", "amr": []any{"pwd"}, "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "fhirUser": fhirBase + "/Patient/p1",
	}
	for name, test := range map[string]struct {
		change func(g *store.Grant)
		alg    string
		want   func(m map[string]any)
	}{
		"default":           {func(*store.Grant) {}, "", func(map[string]any) {}},
		"ES256":             {func(*store.Grant) {}, "ES256", func(map[string]any) {}},
		"OIDC-16 profile":   {func(g *store.Grant) { g.Scopes = []string{"openid", "profile"} }, "", func(m map[string]any) { m["profile"] = m["fhirUser"] }},
		"OIDC-12 not asked": {func(g *store.Grant) { g.Scopes = []string{"openid"} }, "", func(m map[string]any) { delete(m, "fhirUser") }},
		"no record":         {func(g *store.Grant) { g.FHIRUser = "" }, "", func(m map[string]any) { delete(m, "fhirUser") }},
		"another proof":     {func(g *store.Grant) { g.AMR = []string{"pwd", "otp"} }, "", func(m map[string]any) { m["amr"] = []any{"pwd", "otp"}; delete(m, "acr") }},
		"no nonce":          {func(g *store.Grant) { g.Nonce = "" }, "", func(m map[string]any) { delete(m, "nonce") }},
	} {
		g, want := grant(), map[string]any{}
		for k, v := range full {
			want[k] = v
		}
		test.change(&g)
		test.want(want)
		text, err := w.MintID(g, store.Client{ID: "app", IDTokenAlg: test.alg}, "access")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, claims(t, text, 1)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		algorithm := "RS256"
		if test.alg != "" {
			algorithm = test.alg
		}
		if header := claims(t, text, 0); header["alg"] != algorithm {
			t.Errorf("%s: signed with %v", name, header["alg"])
		}
		if user, ok := w.HintedUser(text); !ok || user != "u1" {
			t.Errorf("%s: as a hint it names %q", name, user)
		}
	}
	if _, ok := w.HintedUser(w.mint(t, grant()).Text); ok {
		t.Error("an access token is taken as a hint")
	}
}

// spec: AT-02
func TestRefreshTokenIsOneTextAndNoOther(t *testing.T) {
	w, g := newWorld(t), grant()
	text := w.RefreshToken(refreshName(g, 7))
	if n, ok := w.ParseRefreshToken(text); n != refreshName(g, 7) || !ok {
		t.Fatalf("read as %+v, %v", n, ok)
	}
	if text != w.RefreshToken(refreshName(g, 7)) || text == w.RefreshToken(refreshName(g, 8)) {
		t.Error("the successor is not one certain text")
	}
	if other := newWorld(t); other.RefreshToken(refreshName(g, 7)) == text {
		t.Error("two servers share the key of refresh tokens")
	}
	for i := range len(text) {
		changed := []byte(text)
		changed[i] ^= 1
		if _, ok := w.ParseRefreshToken(string(changed)); ok {
			t.Errorf("character %d does not matter", i)
		}
		if _, ok := w.ParseRefreshToken(text[:i]); ok {
			t.Errorf("the first %d characters are enough", i)
		}
	}
	for _, bad := range []string{text + "A", text + "=", " " + text, text + "\n", "RT_" + text[3:], text[3:]} {
		if _, ok := w.ParseRefreshToken(bad); ok {
			t.Errorf("%q is read", bad)
		}
	}
	for what, n := range map[string]tokens.RefreshName{
		"a grant id of another size": {GrantID: "short", ClientID: g.ClientID}, "no client": {GrantID: g.ID},
		"a client of 257 bytes": {GrantID: g.ID, ClientID: store.ClientID(strings.Repeat("c", 257))},
	} {
		if w.RefreshToken(n) != "" {
			t.Errorf("%s has a token", what)
		}
	}
	long := tokens.RefreshName{GrantID: g.ID, ClientID: store.ClientID(strings.Repeat("c", 256))}
	if n, ok := w.ParseRefreshToken(w.RefreshToken(long)); n != long || !ok {
		t.Errorf("a client of 256 bytes: %+v, %v", n, ok)
	}
}

// refreshName names one token of a grant.
func refreshName(g store.Grant, generation uint32) tokens.RefreshName {
	return tokens.RefreshName{GrantID: g.ID, ClientID: g.ClientID, Generation: generation}
}

func FuzzParseRefreshToken(f *testing.F) {
	w := newWorld(f)
	f.Add(w.RefreshToken(refreshName(grant(), 0)))
	f.Add("rt_")
	f.Fuzz(func(t *testing.T, text string) {
		if n, ok := w.ParseRefreshToken(text); ok && w.RefreshToken(n) != text {
			t.Fatalf("%q is a second spelling", text)
		}
	})
}

func FuzzVerify(f *testing.F) {
	w := newWorld(f)
	good := w.mint(f, grant()).Text
	f.Add(good)
	f.Add("..")
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := w.Verify(context.Background(), text); err == nil && text != good {
			t.Fatalf("%q is accepted", text)
		}
	})
}

func BenchmarkVerifyWarm(b *testing.B) {
	w, ctx := newWorld(b), context.Background()
	text := w.mint(b, grant()).Text
	for b.Loop() {
		if _, err := w.Verify(ctx, text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMintAccess(b *testing.B) {
	w, g := newWorld(b), grant()
	for b.Loop() {
		w.mint(b, g)
	}
}
