package brand

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// checkEndpoints: each is a FHIR API that developers can find out about (profile
// user-access-endpoint), and one is this server.
func checkEndpoints(endpoints found, base string) error {
	ours := false
	for _, r := range endpoints {
		address, err := checkEndpoint(r, base)
		if err != nil {
			return fmt.Errorf("Endpoint/%s: %w", r.ID, err)
		}
		ours = ours || r.Status == "active" && withoutSlash(address) == withoutSlash(base)
	}
	if !ours {
		return fmt.Errorf("no active Endpoint has the address of this server, %s", base)
	}
	return nil
}

func checkEndpoint(r *resource, base string) (address string, err error) {
	version := false
	for _, e := range r.Extension {
		version = version || e.URL == fhirVersion && e.Code != ""
	}
	var payload []struct{}
	switch {
	case r.Status == "":
		return "", errors.New("status is missing")
	case r.Connection.System != typesOfConns || r.Connection.Code != "hl7-fhir-rest":
		return "", errors.New("connectionType is hl7-fhir-rest of " + typesOfConns)
	case !version:
		return "", errors.New("the extension endpoint-fhir-version is missing, such as 4.0.1")
	case json.Unmarshal(r.PayloadType, &payload) != nil || len(payload) == 0:
		return "", errors.New("payloadType is missing")
	case json.Unmarshal(r.Address, &address) != nil || !webAddress(address, base):
		return "", errors.New("address is the https base URL of the FHIR API")
	}
	var contacts []contactPoint
	if json.Unmarshal(r.Contact, &contacts) == nil {
		for _, c := range contacts {
			if c.System == "url" && webAddress(c.Value, base) {
				return address, nil
			}
		}
	}
	return "", errors.New("contact needs one with system url and the https address of a page for developers")
}

// webAddress: https, or the origin of this server, which a sandbox has without.
func webAddress(text, base string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	own, err := url.Parse(base)
	return u.Scheme == "https" || err == nil && u.Scheme == own.Scheme && u.Host == own.Host
}

// checkBrands: each has a name, leads to Endpoints of the Bundle by itself or by the
// one brand that provides its access (profile user-access-brand).
func checkBrands(brands, endpoints found) error {
	led := map[*resource]bool{}
	for _, r := range brands {
		if r.Name == "" {
			return fmt.Errorf("Organization/%s: name is missing", r.ID)
		}
		for _, to := range r.leadsTo() {
			e := endpoints[to]
			if e == nil {
				return fmt.Errorf("Organization/%s: %q is no Endpoint of this Bundle", r.ID, to)
			}
			led[e] = true
		}
		if err := checkProvider(r, brands); err != nil {
			return fmt.Errorf("Organization/%s: %w", r.ID, err)
		}
	}
	for _, e := range endpoints {
		if !led[e] {
			return fmt.Errorf("Endpoint/%s belongs to no Organization", e.ID)
		}
	}
	return nil
}

// leadsTo are the references to Endpoints: those of the brand, and those of its portals.
func (r *resource) leadsTo() []string {
	var list []string
	for _, e := range r.Endpoint {
		list = append(list, e.Reference)
	}
	for _, p := range r.Extension {
		if p.URL != portal {
			continue
		}
		for _, part := range p.Extension {
			if part.URL == "portalEndpoint" {
				list = append(list, part.Reference.Reference)
			}
		}
	}
	return list
}

// checkProvider: the hierarchy is two deep at most.
func checkProvider(r *resource, brands found) error {
	to := r.PartOf.Reference
	if to == "" {
		return nil
	}
	provider := brands[to]
	switch {
	case provider == nil:
		return fmt.Errorf("partOf %q is no Organization of this Bundle", to)
	case provider.PartOf.Reference != "":
		return errors.New("partOf leads to a brand that has partOf itself: the hierarchy is two deep at most")
	}
	return nil
}

// primaryOf: exactly one brand has the identifier (SMART App Launch 2.2 conformance,
// user_access_brand_identifier).
func primaryOf(brands found, primary Identifier) (Identifier, error) {
	distinct := map[*resource]bool{}
	for _, r := range brands {
		distinct[r] = true
	}
	if primary == (Identifier{}) {
		for r := range distinct {
			if len(distinct) == 1 && len(r.Identifier) > 0 {
				primary = r.Identifier[0]
			}
		}
	}
	if primary.System == "" || primary.Value == "" {
		return primary, errors.New("say which brand is the primary one: brands.identifier with system and value, as in its Organization.identifier")
	}
	matches := 0
	for r := range distinct {
		for _, i := range r.Identifier {
			if i == primary {
				matches++
			}
		}
	}
	if matches != 1 {
		return primary, fmt.Errorf("%d Organizations have the identifier %s, and exactly one must", matches, strings.TrimSpace(primary.System+" "+primary.Value))
	}
	return primary, nil
}
