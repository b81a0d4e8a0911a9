package suite

import (
	"context"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// RFC 7517; OpenID Connect Core §10.1.
var keyChecks = []Check{
	{ID: "OIDC-03", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "the key set has bare public keys and nothing private",
		run: ofKeys(func(_ agent.Answer, keys []map[string]any) Verdict {
			for _, k := range keys {
				for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
					if _, there := k[private]; there {
						return fail("a key has the private member %s", private)
					}
				}
				for _, name := range bare[text(k, "kty")] {
					if text(k, name) == "" {
						return fail("a key of type %s has no %s", text(k, "kty"), name)
					}
				}
			}
			return pass("%d keys", len(keys))
		})},
	{ID: "OIDC-05", Level: SHOULD, Section: "OpenID Connect Core §10.1.1",
		Expect: "it is JSON that may be cached for a while",
		run: ofKeys(func(a agent.Answer, _ []map[string]any) Verdict {
			if !strings.HasSuffix(a.MediaType(), "json") || !strings.Contains(a.Header.Get("Cache-Control"), "max-age") {
				return fail("%s, Cache-Control %q", a.MediaType(), a.Header.Get("Cache-Control"))
			}
			return pass("%s, Cache-Control %q", a.MediaType(), a.Header.Get("Cache-Control"))
		})},
	{ID: "JW-11", Level: SHALL, Section: "RFC 7517 §4.5",
		Expect: "no two keys have the same kid",
		run: ofKeys(func(_ agent.Answer, keys []map[string]any) Verdict {
			seen := map[string]bool{}
			for _, k := range keys {
				kid := text(k, "kid")
				if seen[kid] {
					return fail("%q stands for two keys", kid)
				}
				seen[kid] = true
			}
			return pass("%d keys", len(keys))
		})},
}

// bare are the members that a public key has (RFC 7518 §6).
var bare = map[string][]string{"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}

func text(object map[string]any, name string) string {
	s, _ := object[name].(string)
	return s
}

// ofKeys judges the key set and its answer.
func ofKeys(judge func(a agent.Answer, keys []map[string]any) Verdict) check {
	return signsIn(func(ctx context.Context, p *probe.Probe) Verdict {
		a, err := p.Keys(ctx)
		if err != nil {
			return unknown(err)
		}
		values, ok := a.Object["keys"].([]any)
		if !ok || len(values) == 0 {
			return fail("there is no key")
		}
		var keys []map[string]any
		for _, v := range values {
			k, ok := v.(map[string]any)
			if !ok {
				return fail("a key is no object")
			}
			keys = append(keys, k)
		}
		return judge(a, keys)
	})
}
