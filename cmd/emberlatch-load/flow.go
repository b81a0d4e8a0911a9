package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// flow is what a person's app sends again and again, as text.
type flow struct {
	authorize, code string // up to what differs
	host, cookies   string
	form            string // the header of a token request up to its length
}

// flow prepares the requests of a person who is not asked.
func (p *person) flow(scope string) (*flow, error) {
	target, _ := p.request(scope)
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	q.Del("code_challenge")
	var cookies []string
	for _, k := range p.client.Jar.Cookies(u) {
		cookies = append(cookies, k.Name+"="+k.Value)
	}
	return &flow{
		authorize: "GET /authorize?" + q.Encode() + "&code_challenge=",
		code:      "redirect_uri=" + url.QueryEscape(redirect) + "&grant_type=authorization_code&code=",
		host:      " HTTP/1.1\r\nHost: " + u.Host + "\r\n",
		cookies:   "Cookie: " + strings.Join(cookies, "; ") + "\r\n\r\n",
		form: "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(p.app.ID+":"+p.app.Secret)) +
			"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ",
	}, nil
}

// wired is a flow and a connection for each caller.
func (p *person) wired(scope string, callers int) (*flow, []*wire, error) {
	f, err := p.flow(scope)
	if err != nil {
		return nil, nil, err
	}
	wires := make([]*wire, callers)
	for i := range wires {
		if wires[i], err = p.w.dial(); err != nil {
			hangUp(wires)
			return nil, nil, err
		}
	}
	return f, wires, nil
}

// pending is an authorization code that waits to be redeemed.
type pending struct{ code, verifier string }

// ask is one authorization without a question.
func (f *flow) ask(c *wire) (pending, error) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	verifier := base64.RawURLEncoding.EncodeToString(random)
	challenge := sha256.Sum256([]byte(verifier))
	a, err := c.call(f.authorize, base64.RawURLEncoding.EncodeToString(challenge[:]), f.host, f.cookies)
	if err != nil {
		return pending{}, err
	}
	_, code, found := strings.Cut(a.location, "code=")
	if code, _, _ = strings.Cut(code, "&"); !found {
		return pending{}, fmt.Errorf("authorize: %d without a code", a.status)
	}
	return pending{code, verifier}, nil
}

func (f *flow) redeem(c *wire, p pending) (answer, error) {
	return f.token(c, f.code+p.code+"&code_verifier="+p.verifier)
}

func (f *flow) refresh(c *wire, token string) (answer, error) {
	return f.token(c, "grant_type=refresh_token&refresh_token="+url.QueryEscape(token))
}

func (f *flow) token(c *wire, form string) (answer, error) {
	r, err := c.call("POST /token", f.host, f.form, strconv.Itoa(len(form)), "\r\n\r\n", form)
	if err != nil {
		return answer{}, err
	}
	if r.status != http.StatusOK {
		return answer{}, fmt.Errorf("token endpoint: %d %s", r.status, r.body)
	}
	var a answer
	return a, json.Unmarshal(r.body, &a)
}

// silent is authorize, code and token.
func (f *flow) silent(c *wire) (answer, error) {
	p, err := f.ask(c)
	if err != nil {
		return answer{}, err
	}
	return f.redeem(c, p)
}
