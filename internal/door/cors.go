package door

import (
	"net/http"
	"slices"
)

// Origins says which web origins may call an endpoint from a browser.
type Origins func(origin string) bool

// AnyOrigin is for public documents (CORS-01, CORS-02).
func AnyOrigin(string) bool { return true }

// opaque is the origin of sandboxed frames and of files on a disk.
const opaque = "null"

const (
	allowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	allowedHeaders = "Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, If-Modified-Since, If-None-Exist, X-Request-Id, DPoP"
	exposedHeaders = "WWW-Authenticate, Location, Content-Location, ETag, Last-Modified, Retry-After, X-Request-Id, DPoP-Nonce"
)

// Unshare keeps an answer from the page that asked: its origin is one that may call
// the endpoint, and not one of whom the answer is for.
func Unshare(w http.ResponseWriter) {
	w.Header().Del("Access-Control-Allow-Origin")
	w.Header().Del("Access-Control-Expose-Headers")
}

// CORS lets pages of other origins call h: the origin is echoed, credentials are
// never allowed, a preflight is answered without a token, and errors carry the
// same headers (CORS-03 to CORS-10). An origin that is not allowed gets the
// answer without the headers, which a browser keeps from the page. The opaque
// origin, which has no name, reads what everybody may read.
func CORS(allowed Origins, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		header := w.Header()
		if !slices.Contains(header.Values("Vary"), "Origin") {
			header.Add("Vary", "Origin")
		}
		if origin != "" && allowed(origin) {
			if origin == opaque {
				origin = "*"
			}
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", exposedHeaders)
		}
		if r.Method != http.MethodOptions {
			h.ServeHTTP(w, r)
			return
		}
		if header.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" {
			header.Set("Access-Control-Allow-Methods", allowedMethods)
			header.Set("Access-Control-Allow-Headers", allowedHeaders)
			header.Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
