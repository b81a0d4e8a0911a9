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

const (
	everything = "launch/patient patient/*.rs openid fhirUser offline_access"
	// withoutID is answered without an ID token, so that a figure is about codes or
	// refresh tokens and not about signing.
	withoutID = "launch/patient patient/*.rs offline_access"
)

// answer of the token endpoint.
type answer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

// person is a browser that is signed in and will not be asked again.
type person struct {
	w      *world
	app    app
	client *http.Client
}

var input = regexp.MustCompile(`<input[^>]*>`)

func attribute(tag, name string) string {
	m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return strings.NewReplacer("&#43;", "+", "&amp;", "&", "&#34;", `"`).Replace(m[1])
}

// approve signs the person in, shares everything and asks not to be asked again.
func (w *world) approve(a app) (*person, answer, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, answer{}, err
	}
	c := *w.m.client
	c.Jar = jar
	p := &person{w, a, &c}
	target, verifier := p.request(everything)
	for range 12 {
		body, next, err := p.get(target)
		if err != nil {
			return nil, answer{}, err
		}
		for next == "" {
			if body, next, err = p.fill(body); err != nil {
				return nil, answer{}, err
			}
		}
		if strings.HasPrefix(next, redirect) {
			a, err := p.exchange(code{next, verifier})
			return p, a, err
		}
		target = w.base + next
	}
	return nil, answer{}, errors.New("no code")
}

// fill answers the page of sign-in or of approval.
func (p *person) fill(body string) (page, next string, err error) {
	path, values := "/login", url.Values{"action": {"sign-in"}, "username": {username}, "password": {password}}
	if strings.Contains(body, `value="allow"`) {
		path, values = "/approve", url.Values{"decision": {"allow"}, "remember": {"yes"}}
	}
	for _, tag := range input.FindAllString(body, -1) {
		kind := attribute(tag, "type")
		if kind == "hidden" && !values.Has(attribute(tag, "name")) || (kind == "checkbox" || kind == "radio") && strings.Contains(tag, " checked") {
			values.Add(attribute(tag, "name"), attribute(tag, "value"))
		}
	}
	resp, err := p.client.PostForm(p.w.base+path, values)
	if err != nil {
		return "", "", err
	}
	return read(resp)
}

func (p *person) request(scope string) (target, verifier string) {
	verifier = oauth2.GenerateVerifier()
	v := url.Values{
		"response_type": {"code"}, "client_id": {p.app.ID}, "redirect_uri": {redirect}, "scope": {scope}, "state": {"s"}, "aud": {p.w.base + "/fhir"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
	}
	return p.w.base + "/authorize?" + v.Encode(), verifier
}

func (p *person) get(target string) (body, location string, err error) {
	resp, err := p.client.Get(target)
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

// code is an authorization code that waits to be redeemed.
type code struct{ back, verifier string }

func (p *person) exchange(c code) (answer, error) {
	u, err := url.Parse(c.back)
	if err != nil {
		return answer{}, err
	}
	return p.token(url.Values{
		"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {redirect}, "code_verifier": {c.verifier},
	})
}

func (p *person) token(v url.Values) (answer, error) {
	req, err := http.NewRequest(http.MethodPost, p.w.base+"/token", strings.NewReader(v.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(p.app.ID, p.app.Secret)
	status, body, err := p.w.m.send(req)
	if err != nil {
		return answer{}, err
	}
	if status != http.StatusOK {
		return answer{}, fmt.Errorf("token endpoint: %d %s", status, body)
	}
	var a answer
	return a, json.Unmarshal(body, &a)
}
