package suite

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// RFC 9449, RFC 9700 §2.2.1: what is bound to a key is of no use without it.
var possessionChecks = []Check{
	{ID: "AT-12", Level: SHALL, Section: "RFC 9449 §5",
		Expect: "a token request with a proof gets token_type DPoP",
		run: ofBound(func(_ context.Context, _ *probe.Probe, b *probe.Bound) Verdict {
			if !strings.EqualFold(b.Text("token_type"), "DPoP") {
				return fail("token_type is %q", b.Text("token_type"))
			}
			return pass("token_type is %q", b.Text("token_type"))
		})},
	{ID: "AT-12b", Level: SHALL, Section: "RFC 9449 §7.1",
		Expect: "the token opens the record with a proof of its key",
		run: ofBound(func(ctx context.Context, p *probe.Probe, b *probe.Bound) Verdict {
			path, err := ownRecord(b.Grant)
			if err != nil {
				return unknown(err)
			}
			a, _, err := p.ProvenFHIR(ctx, b.Prover, b.Access(), path, nil)
			return status(a, err, http.StatusOK)
		})},
	{ID: "ERR-35", Level: SHALL, Section: "RFC 9449 §5.2",
		Expect: "an app that is registered for DPoP gets no token without a proof",
		run: ofBound(func(ctx context.Context, p *probe.Probe, _ *probe.Bound) Verdict {
			r, code, err := p.BoundCode(ctx)
			if err != nil {
				return unknown(err)
			}
			a, err := p.Exchange(ctx, r, code)
			return noToken(a, err)
		})},
	{ID: "AT-14", Level: SHALL, Section: "RFC 9449 §7.2",
		Expect: "the token opens nothing as a Bearer token",
		run: ofBoundRead(func(ctx context.Context, p *probe.Probe, b *probe.Bound, path, _ string) (agent.Answer, error) {
			return p.FHIR(ctx, b.Access(), path)
		})},
	{ID: "AT-13", Level: SHALL, Section: "RFC 9449 §4.3",
		Expect: "a proof for another address opens nothing",
		run:    withProof(func(p *probe.Probe) map[string]any { return map[string]any{"htu": p.Base + "/Patient/another"} })},
	{ID: "AT-13b", Level: SHALL, Section: "RFC 9449 §4.3",
		Expect: "a proof for another method opens nothing",
		run:    withProof(func(*probe.Probe) map[string]any { return map[string]any{"htm": http.MethodDelete} })},
	{ID: "AT-13c", Level: SHALL, Section: "RFC 9449 §4.3",
		Expect: "a proof for no access token opens nothing",
		run:    withProof(func(*probe.Probe) map[string]any { return map[string]any{"ath": nil} })},
	{ID: "AT-13d", Level: SHALL, Section: "RFC 9449 §4.3",
		Expect: "a proof of an hour ago opens nothing",
		run:    withProof(func(*probe.Probe) map[string]any { return map[string]any{"iat": time.Now().Add(-time.Hour).Unix()} })},
	{ID: "JW-16", Level: SHALL, Section: "RFC 9449 §7.1",
		Expect: "a proof by another key opens nothing",
		run: ofBoundRead(func(ctx context.Context, p *probe.Probe, b *probe.Bound, path, _ string) (agent.Answer, error) {
			thief, err := probe.NewProver()
			if err != nil {
				return agent.Answer{}, err
			}
			a, _, err := p.ProvenFHIR(ctx, thief, b.Access(), path, nil)
			return a, err
		})},
	{ID: "JW-16b", Level: SHOULD, Section: "RFC 9449 §11.1",
		Expect: "a proof that was used opens nothing",
		run: ofBoundRead(func(ctx context.Context, p *probe.Probe, b *probe.Bound, path, used string) (agent.Answer, error) {
			return p.FHIR(ctx, "", path, "Authorization", "DPoP "+b.Access(), "DPoP", used)
		})},
	{ID: "RT-17", Level: SHALL, Section: "RFC 9449 §5",
		Expect: "the refresh token of a public app is refused with another key",
		run: ofBound(func(ctx context.Context, p *probe.Probe, b *probe.Bound) Verdict {
			if b.Refresh() == "" {
				return unknown(errNoRefresh)
			}
			thief, err := probe.NewProver()
			if err != nil {
				return unknown(err)
			}
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {b.Refresh()}}
			a, err := p.ProvenToken(ctx, thief, b.Request.Client, form)
			return noToken(a, err)
		})},
}

// ofBound judges a launch with proofs. It binds nobody who does not offer them, or has
// no app that is registered for them.
func ofBound(judge func(ctx context.Context, p *probe.Probe, b *probe.Bound) Verdict) check {
	return ofSMARTOrProvider("dpop_signing_alg_values_supported", func(ctx context.Context, p *probe.Probe) Verdict {
		if p.DPoP == nil {
			return absent("no app that is registered for DPoP was given (clients.dpop)")
		}
		b, err := p.BoundLaunch(ctx, false)
		if err != nil {
			return unknown(err)
		}
		return judge(ctx, p, b)
	})
}

// ofSMARTOrProvider runs when one of the documents has a member.
func ofSMARTOrProvider(member string, run check) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		smart, err := p.SMART(ctx)
		if err != nil {
			return unknown(err)
		}
		provider, _ := p.Provider(ctx) // one of the two is enough
		if !smart.Has(member) && !provider.Has(member) {
			return absent("%s is not published", member)
		}
		return run(ctx, p)
	}
}

// ofBoundRead judges that reading the own record is refused with 401, after a good proof
// has opened it; used is that proof.
func ofBoundRead(read func(ctx context.Context, p *probe.Probe, b *probe.Bound, path, used string) (agent.Answer, error)) check {
	return ofBound(func(ctx context.Context, p *probe.Probe, _ *probe.Bound) Verdict {
		b, path, used, err := boundReading(ctx, p)
		if err != nil {
			return unknown(err)
		}
		a, err := read(ctx, p, b, path, used)
		return status(a, err, http.StatusUnauthorized)
	})
}

// boundReading is a launch whose token is proven to read now, as reading is.
func boundReading(ctx context.Context, p *probe.Probe) (b *probe.Bound, path, used string, err error) {
	var a agent.Answer
	for _, anew := range []bool{false, true} {
		if b, err = p.BoundLaunch(ctx, anew); err != nil {
			return nil, "", "", err
		}
		if path, err = ownRecord(b.Grant); err != nil {
			return nil, "", "", err
		}
		if a, used, err = p.ProvenFHIR(ctx, b.Prover, b.Access(), path, nil); err != nil {
			return nil, "", "", err
		}
		if a.Status == http.StatusOK {
			return b, path, used, nil
		}
	}
	return nil, "", "", errors.New("a good proof opens nothing, so a refusal proves nothing: " + probe.Describe(a))
}

// withProof sends a proof with one fault.
func withProof(fault func(p *probe.Probe) map[string]any) check {
	return ofBoundRead(func(ctx context.Context, p *probe.Probe, b *probe.Bound, path, _ string) (agent.Answer, error) {
		a, _, err := p.ProvenFHIR(ctx, b.Prover, b.Access(), path, fault(p))
		return a, err
	})
}
