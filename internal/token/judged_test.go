package token_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/token"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

// beside is a store whose records are elsewhere, or in the same database.
type beside struct {
	away
	judged bool
}

func (b beside) RefreshGrant(context.Context, store.Refresh) (store.Refreshed, error) {
	return store.Refreshed{Grant: store.Grant{ID: "g", Patient: "zoe", Scopes: []string{"openid"}}, User: store.User{ID: "u"}, Judged: b.judged}, nil
}

// minting makes tokens of nothing.
type minting struct{ minter }

func (minting) MintAccess(store.Grant, []string, dpop.Proof) (tokens.AccessToken, error) {
	return tokens.AccessToken{Text: "t", ExpiresIn: time.Minute}, nil
}

func (minting) MintID(store.Grant, store.Client, string) (string, error) { return "i", nil }

// Whom a user reaches is asked where the store could not know it, and the grant of who
// has lost the patient ends before the answer; what the store has judged is not asked
// again.
//
// spec: RT-28
func TestWhatTheStoreCouldNotJudgeIsAsked(t *testing.T) {
	for name, row := range map[string]struct {
		judged, entitled bool
		err              error
		asked, ended     int
		status           int
	}{
		"judged":         {judged: true, status: http.StatusOK},
		"still entitled": {entitled: true, asked: 1, status: http.StatusOK},
		"lost":           {asked: 1, ended: 1, status: http.StatusBadRequest},
		"nobody knows":   {err: errors.New("the records are away"), asked: 1, status: http.StatusInternalServerError},
	} {
		asked, revoked, ended := 0, 0, 0
		d := doorOn(t, beside{judged: row.judged}, func(deps *token.Deps) {
			deps.Entitled = func(_ context.Context, u store.User, patient string) (bool, error) {
				if asked++; u.ID != "u" || patient != "zoe" {
					t.Errorf("%s: asked about %s and %s", name, u.ID, patient)
				}
				return row.entitled, row.err
			}
			deps.Revoke = func(_ context.Context, r store.Revocation) (int, error) {
				if revoked++; r != (store.Revocation{GrantID: "g", Reason: "patient out of reach", Actor: "server"}) {
					t.Errorf("%s: %+v", name, r)
				}
				return 1, nil
			}
			deps.Ended = func(id store.GrantID) {
				if ended++; id != "g" || revoked != 1 {
					t.Errorf("%s: %s is told as ended after %d revocations", name, id, revoked)
				}
			}
			deps.Minter = minting{}
		})
		r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader("grant_type=refresh_token&client_id=a&refresh_token=r"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Code != row.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if asked != row.asked || ended != row.ended || revoked != row.ended {
			t.Errorf("%s: asked %d times, %d revoked, %d ended", name, asked, revoked, ended)
		}
	}
}
