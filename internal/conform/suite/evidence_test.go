package suite

import (
	"errors"
	"net/url"
	"testing"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
)

func left(t *testing.T, text string) agent.Page {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return agent.Page{Left: u}
}

func shown(status int) agent.Page { return agent.Page{Answer: agent.Answer{Status: status}} }

// What counts as a refusal of an authorization request.
func TestNoCode(t *testing.T) {
	const app = "https://app.example.org/cb"
	for name, c := range map[string]struct {
		page agent.Page
		want Outcome
	}{
		"the error that is expected": {left(t, app+"?error=invalid_request&state=s"), Pass},
		"in the fragment":            {left(t, app+"#error=invalid_request"), Pass},
		"another error":              {left(t, app+"?error=server_error"), Fail},
		"no error":                   {left(t, app+"?state=s"), Fail},
		"a code":                     {left(t, app+"?code=c"), Fail},
		"a code beside an error":     {left(t, app+"?code=c&error=invalid_request"), Fail},
		"a code in the fragment":     {left(t, app+"#code=c&error=invalid_request"), Fail},
		"a token":                    {left(t, app+"?error=invalid_request#access_token=t"), Fail},
		"a page":                     {shown(400), Pass},
		"a page that says all is well, and gives nothing": {shown(200), Pass},
		"too many requests": {shown(429), Skip},
		"a failure":         {shown(500), Fail},
	} {
		if v := noCode(c.page, nil, "invalid_request"); v.Outcome() != c.want {
			t.Errorf("%s: %s %s", name, v.Outcome(), v.Seen())
		}
	}
	if v := noCode(agent.Page{}, errors.New("no network")); v.Outcome() != Skip {
		t.Errorf("no answer: %s", v.Outcome())
	}
}

// Where an error may go when the redirect URI itself is wrong.
func TestOnlyPage(t *testing.T) {
	registered := []string{"https://app.example.org/cb", "https://app.example.org/cb2?keep=1"}
	for text, want := range map[string]Outcome{
		"https://app.example.org/cb?error=invalid_request&state=s&iss=i": Pass,
		"https://app.example.org/cb?error=invalid_request&x=1":           Fail,
		"https://app.example.org/cb?error=invalid_request&code=c":        Fail,
		"https://app.example.org/cb?state=s":                             Fail,
		"https://app.example.org/cb":                                     Fail,
		"https://app.example.org/cb#error=invalid_request":               Fail,
		"https://app.example.org/cb/?error=invalid_request":              Fail,
		"https://evil.test/?error=invalid_request":                       Fail,
		"javascript:alert(1)?error=invalid_request":                      Fail,
	} {
		if v := onlyPage(left(t, text), nil, registered); v.Outcome() != want {
			t.Errorf("%s: %s %s", text, v.Outcome(), v.Seen())
		}
		if v := onlyPage(left(t, text), nil, nil); v.Outcome() != Fail {
			t.Errorf("%s, for an unknown client: %s", text, v.Outcome())
		}
	}
	if v := onlyPage(shown(400), nil, nil); v.Outcome() != Pass {
		t.Errorf("a page: %s", v.Outcome())
	}
}

// What counts as a refusal of the token endpoint.
func TestNoToken(t *testing.T) {
	object := func(pairs ...string) map[string]any {
		m := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for name, c := range map[string]struct {
		answer agent.Answer
		want   Outcome
	}{
		"the error that is expected": {agent.Answer{Status: 400, Object: object("error", "invalid_grant")}, Pass},
		"401":                        {agent.Answer{Status: 401, Object: object("error", "invalid_grant")}, Pass},
		"403":                        {agent.Answer{Status: 403, Object: object("error", "invalid_grant")}, Fail},
		"another error":              {agent.Answer{Status: 400, Object: object("error", "invalid_client")}, Fail},
		"a token":                    {agent.Answer{Status: 200, Object: object("access_token", "t")}, Fail},
		"a token beside an error":    {agent.Answer{Status: 400, Object: object("error", "invalid_grant", "access_token", "t")}, Fail},
		"success without a token":    {agent.Answer{Status: 200, Object: object()}, Fail},
		"no JSON":                    {agent.Answer{Status: 400}, Fail},
		"a failure":                  {agent.Answer{Status: 500, Object: object("error", "invalid_grant")}, Fail},
		"too many requests":          {agent.Answer{Status: 429, Object: object("error", "invalid_grant")}, Skip},
	} {
		if v := noToken(c.answer, nil, "invalid_grant"); v.Outcome() != c.want {
			t.Errorf("%s: %s %s", name, v.Outcome(), v.Seen())
		}
	}
}
