package oauth

import (
	"encoding/base64"
	"strings"
)

// requestURIPrefix is where the request_uri of a pushed request begins (RFC 9126
// §2.2, RFC 9101 §10.3).
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

// maxReference bounds a reference, in bytes; ours are shorter.
const maxReference = 128

// NewRequestURI makes the request_uri of a pushed request and the reference in it.
func NewRequestURI() (requestURI, reference string) {
	reference = RandomToken("pr_")
	return requestURIPrefix + reference, reference
}

// PushedReference is the reference in the request_uri of a pushed request; false for
// one of any other kind, which names a place to fetch a request from.
func PushedReference(requestURI string) (reference string, pushed bool) {
	reference, pushed = strings.CutPrefix(requestURI, requestURIPrefix)
	return reference, pushed && reference != "" && len(reference) <= maxReference
}

// PushedHandle is the handle that the request goes on under once a browser has begun
// it. It follows from the reference, so that a page that is loaded again finds what
// it began; like every handle it is good in that browser only.
func PushedHandle(reference string) string {
	return "rq_" + base64.RawURLEncoding.EncodeToString(Hash("handle of a pushed request\x00"+reference))
}
