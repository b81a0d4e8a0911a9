package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/oauth2"
)

// app is the confidential client of the sandbox that the figures use.
const (
	appID     = "sandbox-confidential"
	appSecret = "sandbox-confidential-secret"
	redirect  = "https://companion.example.org/callback"
	scope     = "launch/patient patient/*.rs openid fhirUser offline_access"
)

// answer of the token endpoint.
type answer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

// person is a browser that is signed in and will not be asked again.
type person struct {
	m      *measuring
	client *http.Client
}

// all measures every figure.
func (m *measuring) all(dir string) error {
	p, token, err := m.approve()
	if err != nil {
		return fmt.Errorf("getting a first token: %w", err)
	}
	for _, f := range []struct {
		name, path, body string
	}{
		{"discovery", "/fhir/.well-known/smart-configuration", ""}, {"JWKS", "/jwks.json", ""}, {"userinfo", "/userinfo", ""},
		{"introspection", "/introspect", "token=" + token.AccessToken}, {"FHIR read", "/fhir/Patient/maria", ""},
		{"FHIR search, 50 laboratory values", "/fhir/Observation?category=laboratory&_count=50", ""},
		{"FHIR search, patient and category", "/fhir/Condition?patient=maria&category=problem-list-item", ""},
	} {
		if err := m.endpoint(f.name, f.path, f.body, token.AccessToken); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	fsync, err := m.fsyncs(dir)
	if err != nil {
		return err
	}
	for _, callers := range []int{1, 16} {
		if err := m.refresh(p, callers, fsync); err != nil {
			return fmt.Errorf("refresh: %w", err)
		}
	}
	rs256, es256, err := m.signing()
	if err != nil {
		return err
	}
	m.add(figure{Name: "ES256 signing, all cores", Callers: 2, Rate: es256})
	return m.silent(p, rs256)
}

// endpoint measures one path at 16 callers beside a bare handler.
func (m *measuring) endpoint(name, path, body, token string) error {
	size := 0
	call := func(int) error {
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		req, err := http.NewRequest(method, m.server.base+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.SetBasicAuth(appID, appSecret)
		} else {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		status, answer, err := m.send(req)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		size = len(answer)
		return err
	}
	if err := call(0); err != nil {
		return err
	}
	fixed := size
	rate, err := m.rate(16, func(c int) error { return call(c) })
	if err != nil {
		return err
	}
	ceiling, err := m.bare(16, fixed)
	m.add(figure{name, 16, rate, ceiling, 0, fmt.Sprintf("bare net/http, %d bytes", fixed)})
	return err
}

var input = regexp.MustCompile(`<input[^>]*>`)

func attribute(tag, name string) string {
	m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return strings.NewReplacer("&#43;", "+", "&amp;", "&", "&#34;", `"`).Replace(m[1])
}

// approve signs maria in, shares everything and asks not to be asked again.
func (m *measuring) approve() (*person, answer, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, answer{}, err
	}
	c := *m.client
	c.Jar = jar
	p := &person{m, &c}
	target, verifier := p.request()
	for range 12 {
		body, next, err := p.get(target)
		if err != nil {
			return nil, answer{}, err
		}
		for next == "" {
			values := url.Values{"action": {"sign-in"}, "username": {"maria"}, "password": {"sandbox-pass"}}
			if strings.Contains(body, `value="allow"`) {
				values = url.Values{"decision": {"allow"}, "remember": {"yes"}}
			}
			path := "/login"
			if values.Has("decision") {
				path = "/approve"
			}
			for _, tag := range input.FindAllString(body, -1) {
				kind := attribute(tag, "type")
				if kind == "hidden" && !values.Has(attribute(tag, "name")) || (kind == "checkbox" || kind == "radio") && strings.Contains(tag, " checked") {
					values.Add(attribute(tag, "name"), attribute(tag, "value"))
				}
			}
			if body, next, err = p.post(path, values); err != nil {
				return nil, answer{}, err
			}
		}
		if strings.HasPrefix(next, redirect) {
			a, err := p.exchange(next, verifier)
			return p, a, err
		}
		target = m.server.base + next
	}
	return nil, answer{}, errors.New("no code")
}

func (p *person) request() (target, verifier string) {
	verifier = oauth2.GenerateVerifier()
	v := url.Values{
		"response_type": {"code"}, "client_id": {appID}, "redirect_uri": {redirect}, "scope": {scope}, "state": {"s"}, "aud": {p.m.server.base + "/fhir"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
	}
	return p.m.server.base + "/authorize?" + v.Encode(), verifier
}

func (p *person) get(target string) (body, location string, err error) {
	resp, err := p.client.Get(target)
	if err != nil {
		return "", "", err
	}
	return read(resp)
}

func (p *person) post(path string, v url.Values) (body, location string, err error) {
	resp, err := p.client.PostForm(p.m.server.base+path, v)
	if err != nil {
		return "", "", err
	}
	return read(resp)
}

func read(resp *http.Response) (body, location string, err error) {
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", "", err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return "", "", fmt.Errorf("status %d", resp.StatusCode)
	}
	return string(raw), resp.Header.Get("Location"), nil
}

func (p *person) exchange(back, verifier string) (answer, error) {
	u, err := url.Parse(back)
	if err != nil {
		return answer{}, err
	}
	return p.m.token(url.Values{
		"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {redirect}, "code_verifier": {verifier},
	})
}

func (m *measuring) token(v url.Values) (answer, error) {
	req, err := http.NewRequest(http.MethodPost, m.server.base+"/token", strings.NewReader(v.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(appID, appSecret)
	status, body, err := m.send(req)
	if err != nil || status != http.StatusOK {
		return answer{}, fmt.Errorf("token endpoint: %d %s %w", status, body, err)
	}
	var a answer
	return a, json.Unmarshal(body, &a)
}

// silent is a whole authorization of a person who is not asked: authorize, code,
// token with an RS256 ID token.
func (p *person) silent() (answer, error) {
	target, verifier := p.request()
	_, back, err := p.get(target)
	if err != nil {
		return answer{}, err
	}
	return p.exchange(back, verifier)
}

// refresh measures families that rotate, each caller its own, all state durable.
// Each answer carries a new ID token signed with RS256.
func (m *measuring) refresh(p *person, callers int, fsync float64) error {
	families := make([]answer, callers)
	for i := range families {
		var err error
		if families[i], err = p.silent(); err != nil {
			return err
		}
	}
	// A refresh that narrows to clinical scopes carries no ID token, so that the
	// figure is about the family and not about RS256.
	rate, err := m.rate(callers, func(c int) error {
		a, err := m.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {families[c].RefreshToken}, "scope": {"patient/*.rs"}})
		families[c] = a
		return err
	})
	m.add(figure{"refresh, SQLite", callers, rate, fsync, 0, "one fsync after another"})
	return err
}

func (m *measuring) silent(p *person, rs256 float64) error {
	rate, err := m.rate(16, func(int) error { _, err := p.silent(); return err })
	m.add(figure{"silent authorization, RS256", 16, rate, rs256, 0, "RS256 signing on all cores"})
	return err
}
