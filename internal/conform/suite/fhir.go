package suite

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, app launch: access FHIR API; RFC 6750.
var fhirChecks = []Check{
	{ID: "RS-01", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "without a token nothing is read",
		run: ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			path, err := ownRecord(g)
			if err != nil {
				return unknown(err)
			}
			a, err := p.FHIR(ctx, "", path)
			return status(a, err, http.StatusUnauthorized)
		})},
	{ID: "ERR-40", Level: SHALL, Section: "RFC 6750 §3",
		Expect: "the answer says WWW-Authenticate: Bearer, without an error",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.FHIR(ctx, "", "Patient/conformance")
			challenge := a.Header.Get("WWW-Authenticate")
			switch {
			case err != nil:
				return unknown(err)
			case !strings.HasPrefix(strings.ToLower(challenge), "bearer") || strings.Contains(challenge, "error="):
				return fail("WWW-Authenticate is %q", challenge)
			}
			return pass("%s", challenge)
		}},
	{ID: "ERR-42", Level: SHALL, Section: "RFC 6750 §3.1",
		Expect: "a made-up token gets 401 with invalid_token",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.FHIR(ctx, "conformance-made-up", "Patient/conformance")
			if v := status(a, err, http.StatusUnauthorized); v.outcome != Pass {
				return v
			}
			if !strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token") {
				return fail("WWW-Authenticate is %q", a.Header.Get("WWW-Authenticate"))
			}
			return pass("401, invalid_token")
		}},
	{ID: "ERR-47", Level: SHOULD, Section: "FHIR R4, RESTful API",
		Expect: "an error of the FHIR API is an OperationOutcome",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			a, err := p.FHIR(ctx, "", "Patient/conformance")
			switch {
			case err != nil:
				return unknown(err)
			case a.Text("resourceType") != "OperationOutcome":
				return fail("status %d, %s", a.Status, a.MediaType())
			}
			return pass("it is one")
		}},
	{ID: "RSX-01", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "the patient of the launch can be read",
		run: ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			path, err := ownRecord(g)
			if err != nil {
				return unknown(err)
			}
			a, err := p.FHIR(ctx, g.Access(), path)
			if v := status(a, err, http.StatusOK); v.outcome != Pass {
				return v
			}
			if a.Text("resourceType") != "Patient" || a.Text("id") != g.Text("patient") {
				return fail("the answer is %s/%s", a.Text("resourceType"), a.Text("id"))
			}
			return pass("status 200")
		})},
	{ID: "RSX-02", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "what is granted can be searched",
		run: ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			return searches(ctx, p, g, g.Text("patient"), func(n int) Verdict { return pass("a searchset of %d", n) })
		})},
	{ID: "RS-02", Level: SHALL, Section: "RFC 6750 §2.1",
		Expect: "the scheme Bearer is compared without case",
		run: ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			path, err := ownRecord(g)
			if err != nil {
				return unknown(err)
			}
			a, err := p.FHIR(ctx, "", path, "Authorization", "bearer "+g.Access())
			return status(a, err, http.StatusOK)
		})},
	{ID: "ERR-43", Level: SHALL, Section: "RFC 6750 §3.1",
		Expect: "a type that was not granted gets 403",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			g, err := narrow(ctx, p)
			if err != nil {
				return unknown(err)
			}
			if covers(g, "Observation", "s") {
				return unknown(errors.New("the server granted more than Patient"))
			}
			a, err := p.FHIR(ctx, g.Access(), "Observation?patient="+url.QueryEscape(g.Text("patient")))
			return status(a, err, http.StatusForbidden)
		}},
	{ID: "RSP-05", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "another patient cannot be read",
		run: ofOther(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			a, err := p.FHIR(ctx, g.Access(), "Patient/"+url.PathEscape(p.OtherPatient))
			return status(a, err, http.StatusNotFound, http.StatusForbidden)
		})},
	{ID: "RSP-03", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "a search that names another patient finds nothing",
		run: ofOther(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			return searches(ctx, p, g, p.OtherPatient, func(n int) Verdict {
				if n > 0 {
					return fail("%d entries of another patient", n)
				}
				return pass("nothing")
			})
		})},
}

// narrow is a launch with a scope about Patient alone.
func narrow(ctx context.Context, p *probe.Probe) (*probe.Grant, error) {
	return p.Launch(ctx, "narrow", func() (probe.Request, error) {
		c, err := p.Primary()
		if err != nil {
			return probe.Request{}, err
		}
		scope := "launch/patient patient/Patient.rs"
		if !p.Advertises(ctx, "permission-v2") {
			scope = "launch/patient patient/Patient.read"
		}
		return p.Request(c, scope, "for the type Patient alone"), nil
	})
}

// ofOther runs when the main launch is about one patient and another is known.
func ofOther(run func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict) check {
	return ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
		if slices.ContainsFunc(g.Scopes(), func(s string) bool { return strings.HasPrefix(s, "user/") }) {
			return absent("the token is about more than one patient")
		}
		if p.OtherPatient == "" {
			return unknown(errors.New("no other patient was given"))
		}
		return run(ctx, p, g)
	})
}

// covers reports whether a granted scope has a permission for all of a type.
func covers(g *probe.Grant, kind, letter string) bool {
	return slices.ContainsFunc(g.Scopes(), func(s string) bool {
		level, rest, ok := strings.Cut(s, "/")
		name, permission, _ := strings.Cut(rest, ".")
		return ok && (level == "patient" || level == "user") && (name == kind || name == "*") &&
			(permission == "read" || permission == "*" || strings.Contains(permission, letter) && !strings.Contains(permission, "?"))
	})
}

// searches searches a granted type for a patient, and judges how many entries came.
func searches(ctx context.Context, p *probe.Probe, g *probe.Grant, patient string, judge func(n int) Verdict) Verdict {
	for _, kind := range []string{"Observation", "Condition", "MedicationRequest", "Encounter", "AllergyIntolerance"} {
		if !covers(g, kind, "s") {
			continue
		}
		a, err := p.FHIR(ctx, g.Access(), kind+"?patient="+url.QueryEscape(patient))
		if err == nil && patient != g.Text("patient") && (a.Status == http.StatusForbidden || a.Status == http.StatusNotFound) {
			return pass("status %d", a.Status)
		}
		if v := status(a, err, http.StatusOK); v.outcome != Pass {
			return v
		}
		n, ok := matches(a)
		if !ok {
			return fail("the answer is no searchset")
		}
		return judge(n)
	}
	return unknown(errors.New("no granted scope allows a search"))
}

// matches counts the entries of a searchset, without what the server says about it.
func matches(a agent.Answer) (int, bool) {
	var bundle struct {
		ResourceType string `json:"resourceType"`
		Type         string `json:"type"`
		Entry        []struct {
			Search struct {
				Mode string `json:"mode"`
			} `json:"search"`
		} `json:"entry"`
	}
	if decode(a.Body, &bundle) != nil || bundle.ResourceType != "Bundle" || bundle.Type != "searchset" {
		return 0, false
	}
	n := 0
	for _, e := range bundle.Entry {
		if e.Search.Mode != "outcome" {
			n++
		}
	}
	return n, true
}

func decode(body []byte, into any) error { return json.Unmarshal(body, into) }

var errNoStatement = errors.New("there is no CapabilityStatement")
