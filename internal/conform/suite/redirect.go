package suite

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// payload is one redirect URI that is not registered. In its text, {S} is the
// scheme of the registered one ({C} in capitals), {H} its host with a port ({U} in
// capitals, {B} and {Y} split), {N} its host name, {D} the domain above it, {T} the
// default port, {P} its path ({R} without the slash, {E} with an encoded letter).
type payload struct {
	id, text string
	// needs is what the registered one must have for this twin to exist: a domain
	// above its host, no port of its own, a letter in its path or host.
	needs string
}

// RFC 9700 §2.1, §4.1: redirect URIs are compared as strings. Each row is one that
// some comparison, parser or browser reads as the registered one.
var payloads = []payload{
	{"RU-01", "{S}://{H}{P}.evil.test", ""},
	{"RU-03", "{S}://{N}.evil.test{P}", ""},
	{"RU-04", "{S}://evil{H}{P}", ""},
	{"RU-06", "{S}://x.{H}{P}", ""},
	{"RU-07", "{S}://{D}{P}", "domain"},
	{"RU-09", "https://evil.test/?{S}://{H}{P}", ""},
	{"RU-10", "https://evil.test/#{S}://{H}{P}", ""},
	{"RU-12", "{S}://{N}:443@evil.test{P}", ""},
	{"RU-13", "{S}://{N}@x@evil.test{P}", ""},
	{"RU-15", "{S}://@{H}{P}", ""},
	{"RU-16", "{S}://{N}%40evil.test{P}", ""},
	{"RU-18", "https://evil.test\\.{H}{P}", ""},
	{"RU-19", "{S}:\\\\{H}{P}", ""},
	{"RU-21", "{S}://{H}{P}%5c..%5cevil", ""},
	{"RU-22", "{S}:///{H}{P}", ""},
	{"RU-24", "{S}:{H}{P}", ""},
	{"RU-25", "//{H}{P}", ""},
	{"RU-27", "{S}://{H}/x/..{P}", ""},
	{"RU-28", "{S}://{H}{P}/../steal", ""},
	{"RU-30", "{S}://{H}{P}/%252e%252e/steal", ""},
	{"RU-31", "{S}://{H}{P}/..;/steal", ""},
	{"RU-33", "{S}://{H}{P}/", ""},
	{"RU-34", "{S}://{H}/{P}", ""},
	{"RU-36", "{S}://{H}%2f{P}", ""},
	{"RU-37", "{S}://{H}{E}", "letter"},
	{"RU-39", "{S}://{U}{P}", "letter-host"},
	{"RU-40", "{C}://{H}{P}", ""},
	{"RU-42", "{S}://{H}:{T}{P}", "port"},
	{"RU-43", "{S}://{H}:{P}", "port"},
	{"RU-45", "{S}://{N}:443.evil.test{P}", ""},
	{"RU-46", "{S}://{H}:0{T}{P}", "port"},
	{"RU-48", "{S}://{H}{P}?x=1", ""},
	{"RU-49", "{S}://{H}{P}?", ""},
	{"RU-51", "{S}://{H}{P}?state=x&iss=y", ""},
	{"RU-52", "{S}://{H}{P}%3fcode=x", ""},
	{"RU-54", "{S}://{H}{P}#", ""},
	{"RU-55", "https://evil.test#@{H}{P}", ""},
	{"RU-57", "https://evil.test?.{H}{P}", ""},
	{"RU-58", " {S}://{H}{P}", ""},
	{"RU-60", "{S}://{H}/\t{R}", ""},
	{"RU-61", "{S}://{B}{P}", ""},
	{"RU-63", "{S}://{H}{P}%0d%0aSet-Cookie:x=1", ""},
	{"RU-64", "{S}://{H}{P}\r\nX: y", ""},
	{"RU-66", "{S}://{H}{P}%00", ""},
	{"RU-67", "{S}://{N}%00.evil.test{P}", ""},
	{"RU-69", "{S}://{N}\u3002evil.test{P}", ""},
	{"RU-70", "https://evil.test\uff0f.{H}{P}", ""},
	{"RU-72", "https://evil.test\u2100.{H}{P}", ""},
	{"RU-73", "{S}://{H}{P}\u212a", ""},
	{"RU-76", "{S}://{Y}{P}", ""},
	{"RU-78", "{S}://{H}/\u202e{R}", ""},
	{"RU-79", "{S}://{H}{P}%ff", ""},
	{"RU-81", "javascript:alert(1)//{H}{P}", ""},
	{"RU-82", "JaVaScRiPt://{H}{P}%0aalert(1)", ""},
	{"RU-84", "vbscript:msgbox(1)", ""},
	{"RU-85", "file:///{H}{P}", ""},
	{"RU-87", "view-source:{S}://{H}{P}", ""},
	{"RU-88", "intent://{H}{P}#Intent;scheme=https;end", ""},
	{"RU-90", "{S}://2130706433{P}", ""},
	{"RU-91", "{S}://[{N}]{P}", ""},
	{"RU-93", "{S}://*.{D}{P}", "domain"},
	{"RU-94", "ftp://{H}{P}", ""},
	{"RU-97", "null", ""},
}

// redirectChecks: each payload gets a page, and the browser is sent nowhere.
func redirectChecks() []Check {
	list := make([]Check, 0, len(payloads)+1)
	for _, one := range payloads {
		list = append(list, Check{
			ID: one.id, Level: SHALL, Section: "RFC 9700 §2.1", Expect: "a page for " + one.example(),
			run: func(ctx context.Context, p *probe.Probe) Verdict { return one.try(ctx, p) },
		})
	}
	return append(list, Check{ID: "AUTHZ-11", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "a page for no redirect URI at all",
		run:    pageFor(func(v url.Values) { v.Del("redirect_uri") })})
}

// example is the payload for the redirect URI that the documentation uses.
func (one payload) example() string {
	text, _ := one.about(&url.URL{Scheme: "https", Host: "app.example.org", Path: "/cb"})
	return strconv.QuoteToASCII(text)
}

func (one payload) try(ctx context.Context, p *probe.Probe) Verdict {
	c, err := p.Primary()
	if err != nil {
		return unknown(err)
	}
	registered, err := url.Parse(pick(c.RedirectURIs))
	if err != nil || registered.Host == "" {
		return absent("no redirect URI with a host was given")
	}
	text, ok := one.about(registered)
	if !ok {
		return absent("the registered redirect URI %s has no such twin", registered)
	}
	return pageFor(func(v url.Values) { v.Set("redirect_uri", text) })(ctx, p)
}

// pick prefers a redirect URI of a host with a name.
func pick(list []string) string {
	for _, text := range list {
		if u, err := url.Parse(text); err == nil && u.Scheme == "https" && !agent.Loopback(u) {
			return text
		}
	}
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// about is the text for a registered redirect URI.
func (one payload) about(r *url.URL) (string, bool) {
	path, name := r.EscapedPath(), r.Hostname()
	_, domain, hasDomain := strings.Cut(name, ".")
	letter := strings.LastIndexFunc(path, isLetter)
	switch {
	case one.needs == "domain" && (!hasDomain || !strings.Contains(domain, ".") || agent.Loopback(r)),
		one.needs == "port" && r.Port() != "",
		one.needs == "letter" && letter < 0,
		one.needs == "letter-host" && !strings.ContainsFunc(name, isLetter):
		return "", false
	}
	encoded := path
	if letter >= 0 {
		encoded = path[:letter] + strings.ToUpper(percent(path[letter])) + path[letter+1:]
	}
	split := func(by string) string { return r.Host[:len(r.Host)/2] + by + r.Host[len(r.Host)/2:] }
	return strings.NewReplacer(
		"{S}", r.Scheme, "{C}", strings.ToUpper(r.Scheme), "{H}", r.Host, "{U}", strings.ToUpper(r.Host), "{N}", name, "{D}", domain,
		"{B}", split("\t"), "{Y}", split("\u00ad"), "{P}", path, "{R}", strings.TrimPrefix(path, "/"), "{E}", encoded, "{T}", map[string]string{"https": "443", "http": "80"}[r.Scheme],
	).Replace(one.text), true
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func percent(b byte) string {
	const hex = "0123456789abcdef"
	return "%" + string(hex[b>>4]) + string(hex[b&15])
}

// pageFor changes the usual request, and expects a page of the server. What is said
// about the redirect URI is wrong, so an error at a registered one is as good.
func pageFor(change func(v url.Values)) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		c, err := p.Primary()
		if err != nil {
			return unknown(err)
		}
		return refusedByPage(ctx, p, c.RedirectURIs, change)
	}
}

// pageOnly expects a page and nothing else: who asks is unknown (RFC 6749 §4.1.2.1).
func pageOnly(change func(v url.Values)) check {
	return func(ctx context.Context, p *probe.Probe) Verdict { return refusedByPage(ctx, p, nil, change) }
}

func refusedByPage(ctx context.Context, p *probe.Probe, registered []string, change func(v url.Values)) Verdict {
	r, err := p.Usual(ctx, "a request that must be refused")
	if err != nil {
		return unknown(err)
	}
	change(r.Values)
	page, err := p.Attempt(ctx, r)
	return onlyPage(page, err, registered)
}
