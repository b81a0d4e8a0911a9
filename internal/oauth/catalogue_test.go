package oauth_test

import (
	"regexp"
	"testing"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Every error that has a name is explained as a whole, under a name of its own that
// people can link to, and by a code that is explained too.
//
// spec: ERR-38
func TestTheCatalogueIsWhole(t *testing.T) {
	name := regexp.MustCompile(`^[a-z_]+\.[a-z_]+$`)
	anchors, codes := map[string]bool{}, map[oauth.Code]bool{"": true}
	for _, c := range oauth.Codes() {
		if c.Code == "" || codes[c.Code] || c.Meaning == "" || c.Section == "" {
			t.Errorf("code %+v", c)
		}
		codes[c.Code], anchors[string(c.Code)] = true, true
	}
	for i, e := range oauth.Catalogue() {
		if !name.MatchString(e.Name) || anchors[e.Name] || e.Where == "" || e.Fix == "" || e.Section == "" || !codes[e.Code] {
			t.Errorf("error %d: %+v", i, e)
		}
		anchors[e.Name] = true
		if got := oauth.Slug(i + 1); got.String() != e.Name || got.Explanation() != e {
			t.Errorf("%d is %q, want %q", i+1, got, e.Name)
		}
	}
}

// error_uri holds the characters that it may (RFC 6749 §5.2: %x21, %x23-5B, %x5D-7E),
// and leads to the name of the error, or to its code.
//
// spec: ERR-38
func TestErrorURI(t *testing.T) {
	const issuer = "https://ehr.example.org"
	for _, row := range []struct {
		name string
		err  *oauth.Error
		want string
	}{
		{"named", oauth.New(oauth.InvalidScope, "x").Slugged(oauth.SlugScopeMissing), issuer + "/errors#scope.missing"},
		{"by its code", oauth.New(oauth.InvalidScope, "x"), issuer + "/errors#invalid_scope"},
		{"a name that is none", oauth.New(oauth.InvalidScope, "x").Slugged(-1), issuer + "/errors#invalid_scope"},
		{"a name that is none", oauth.New(oauth.InvalidScope, "x").Slugged(1 << 20), issuer + "/errors#invalid_scope"},
	} {
		if got := row.err.URI(issuer); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	allowed := regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`)
	for i := range oauth.Catalogue() {
		if got := oauth.New(oauth.InvalidRequest, "x").Slugged(oauth.Slug(i + 1)).URI(issuer); !allowed.MatchString(got) {
			t.Errorf("%q holds a character that error_uri may not", got)
		}
	}
}
