package clientkey

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// life is how long an answer may be used: what Cache-Control says, less its Age,
// within our bounds (RFC 9111 §4.2.1, §5.2.2; SMART App Launch 2.2
// client-confidential-asymmetric: never longer than the client's header says).
// What cannot be read is as short as can be.
func life(header http.Header) time.Duration {
	text := strings.Join(header.Values("Cache-Control"), ",")
	if text == "" {
		return usualLife
	}
	asked, said := usualLife, false
	for _, directive := range strings.Split(strings.ToLower(text), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "no-cache":
			return shortestLife
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil {
				return shortestLife
			}
			if own := time.Duration(seconds) * time.Second; !said || own < asked { // doubled: the shorter one
				asked, said = own, true
			}
		}
	}
	return max(min(asked-age(header), longestLife), shortestLife)
}

// age is how long the answer has lain in a cache on its way.
func age(header http.Header) time.Duration {
	seconds, err := strconv.ParseUint(header.Get("Age"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
