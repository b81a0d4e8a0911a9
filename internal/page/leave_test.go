package page_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/internal/page"
)

// A link out of a page goes to the web or to an app of a reverse domain name, and
// runs nothing.
//
// attack: AZ-29, RU-81, RU-82
func TestWhereAPageMayLead(t *testing.T) {
	for to, want := range map[string]bool{
		"https://app.example.org/cb?error=x": true, "http://127.0.0.1:5/cb": true, "org.example.app:/cb": true,
		"javascript:alert(1)": false, "JaVaScRiPt:alert(1)": false, "data:text/html,x": false, "vbscript:x": false, "file:///etc/passwd": false,
		"": false, "//evil.test": false, "/cb": false, "https://a b": false,
	} {
		if got := string(page.Leave{URL: to}.Href()); got != to && want || got != "" && !want {
			t.Errorf("%q: link to %q", to, got)
		}
	}
}
