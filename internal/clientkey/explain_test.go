package clientkey_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/store"
)

// An operator learns of each key what it is good for, and why it is not; what is
// explained as usable is what an assertion finds.
//
// spec: CAUTH-22, CAUTH-26, CAUTH-27
func TestKeySetsAreExplained(t *testing.T) {
	good := strings.TrimSuffix(strings.TrimPrefix(string(keySet(t, "a", "b", "twice", "twice")), `{"keys":[`), `]}`)
	raw := []byte(`{"keys":[` + good + `,{"kty":"oct","kid":"s","k":"AAAA"},{"kty":"OKP","crv":"Ed25519","kid":"e","x":"AA"},{"kty":"RSA"}]}`)
	fetched := 0
	fetch := func(_ context.Context, asked string, limit int64) ([]byte, http.Header, error) {
		fetched++
		if asked != url || limit < 1000 {
			t.Errorf("fetched %s, at most %d", asked, limit)
		}
		return raw, http.Header{"Cache-Control": {"max-age=120"}}, nil
	}
	want := []clientkey.Explained{
		{ID: "a", Kind: "EC", Algorithms: []string{"ES384"}}, {ID: "b", Kind: "EC", Algorithms: []string{"ES384"}},
		{ID: "twice", Kind: "EC", Algorithms: []string{"ES384"}, Problem: "has the kid and kty of another one"},
		{ID: "twice", Kind: "EC", Algorithms: []string{"ES384"}, Problem: "has the kid and kty of another one"},
		{ID: "s", Kind: "oct", Problem: "is symmetric: use public keys only"},
		{ID: "e", Kind: "OKP", Problem: "is of another kty than RSA or EC"}, {ID: "", Kind: "RSA", Problem: "needs a kid of 1 to 256 bytes"},
	}
	for name, row := range map[string]struct {
		client  store.Client
		source  string
		life    time.Duration
		fetches int
	}{
		"inline": {store.Client{JWKS: json.RawMessage(raw)}, "inline", 0, 0}, "at a URL": {store.Client{JWKSURI: url}, url, 2 * time.Minute, 1},
	} {
		fetched = 0
		got, err := clientkey.Explain(context.Background(), fetch, row.client)
		if err != nil || got.Source != row.source || got.Life != row.life || got.Usable() != 2 || fetched != row.fetches {
			t.Errorf("%s: %+v, %v, fetched %d", name, got, err, fetched)
		}
		if diff := cmp.Diff(want, got.Keys); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestKeySetsThatCannotBeExplained(t *testing.T) {
	gone := errors.New("no such host")
	for name, row := range map[string]struct {
		client store.Client
		body   string
		err    error
		want   string
	}{
		"none":        {store.Client{}, "", nil, "no keys"},
		"unreachable": {store.Client{JWKSURI: url}, "", gone, "no such host"},
		"a page":      {store.Client{JWKSURI: url}, "<html>", nil, "one JSON object"},
		"no list":     {store.Client{JWKS: json.RawMessage(`{}`)}, "", nil, "one JSON object"},
	} {
		got, err := clientkey.Explain(context.Background(), func(context.Context, string, int64) ([]byte, http.Header, error) {
			return []byte(row.body), nil, row.err
		}, row.client)
		if err == nil || !strings.Contains(err.Error(), row.want) || got.Usable() != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
