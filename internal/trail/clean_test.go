package trail_test

import (
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/trail"
)

const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtYXJpYSJ9.c2lnbmF0dXJl"

// A query stays as it was sent, but for what is a credential, however it is spelt.
//
// spec: AUD-05, AUD-07
func TestQueriesAreCleaned(t *testing.T) {
	for sent, want := range map[string]string{
		"":                                  "",
		"code=http://loinc.org|8480-6":      "code=http://loinc.org|8480-6",
		"name=O%27Neil&_count=5&malformed%": "name=O%27Neil&_count=5&malformed%",
		"access_token=abc&patient=1":        "access_token=removed&patient=1",
		"access%5Ftoken=abc":                "access%5Ftoken=removed",
		"ACCESS_TOKEN=abc":                  "ACCESS_TOKEN=removed",
		"access%255Ftoken=abc":              "access%255Ftoken=removed",
		"code=" + jwt:                       "code=removed",
		"_id=x" + strings.ReplaceAll(jwt, "y", "%79"): "_id=removed",
		jwt:                                   "removed",
		"_id=rt_9hAo0-2c8Qm3Vt7xkz5LrwYbN1uJ": "_id=removed",
		"_page=c29tZXRoaW5nIHNlYWxlZA":        "_page=sealed",
		"token=t&client_secret=s&password=p":  "token=removed&client_secret=removed&password=removed",
	} {
		if got := trail.Clean(sent); got != want {
			t.Errorf("%s: %s, want %s", sent, got, want)
		}
	}
	if got := trail.Clean("a=" + strings.Repeat("b", 1<<20)); len(got) > 4<<10 {
		t.Errorf("%d bytes", len(got))
	}
}

// Whatever else is in a query, a token in it does not come through.
func FuzzClean(f *testing.F) {
	f.Add("patient=", "&x=1")
	f.Add("a%", "%2")
	f.Fuzz(func(t *testing.T, before, after string) {
		if got := trail.Clean(before + "&access_token=tok-SECRET-1&" + after); strings.Contains(got, "tok-SECRET-1") {
			t.Error(got)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"who":[{"c":"app","f":"Patient/a"}],"log":[{"t":1,"w":0,"c":"read","r":"Observation/1/_history/2","p":["a"],"s":200}]}`))
	f.Add([]byte(`{"log":[{"w":-1}]}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		_, _ = trail.Read(body)
	})
}
