package page

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Headers sets what every page and every redirect between pages carries (HDR-02
// to HDR-06, RFC 9700 §4.16). targets are what a form may lead to beside our own
// origin, as FormTarget says it.
func Headers(h http.Header, targets []string) { headers(h, Shell{FormTargets: targets}.policy()) }

func headers(h http.Header, policy string) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}

// source is a scheme or an origin, as a source of a policy names it.
var source = regexp.MustCompile(`^[a-z][a-z0-9+.-]*:(//[a-z0-9.-]+(:[0-9]+)?)?$`)

// joined keeps the targets that are sources and nothing else, so that no redirect
// URI can add to the policy.
func joined(targets []string) string {
	s := ""
	for _, t := range targets {
		for part := range strings.FieldsSeq(t) {
			if !source.MatchString(part) {
				break
			}
			s += " " + part
		}
	}
	return s
}

// FormTarget is what form-action must name for a redirect URI of an app; empty
// for the out-of-band name.
//
// It names schemes, not origins: browsers check every redirect that follows a
// form, those of the app behind its redirect URI as well, and an app may answer
// on one origin and go on to another.
func FormTarget(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	switch {
	case err != nil || u.Scheme == "" || u.Scheme == "urn" || slices.Contains(never, u.Scheme):
		return ""
	case u.Scheme == "http":
		return "http: https:"
	}
	return u.Scheme + ":"
}

// never lead anywhere, whatever is registered.
var never = []string{"javascript", "data", "blob", "about", "file", "filesystem", "vbscript"}
