package live

import (
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
)

// clients is one state of all registered clients; it never changes.
type clients struct {
	list    []store.Client
	byID    map[store.ClientID]store.Client
	origins map[string]bool
}

func newClients(list []store.Client) *clients {
	c := &clients{list, make(map[store.ClientID]store.Client, len(list)), map[string]bool{}}
	for _, client := range list {
		c.byID[client.ID] = client
		if client.Disabled {
			continue
		}
		for _, origin := range originsOf(client) {
			c.origins[origin] = true
		}
	}
	return c
}

// originsOf are the origins of a client's pages: those of its redirect URIs, and
// those that it registered (CORS-08).
func originsOf(client store.Client) []string {
	list := slices.Clone(client.Origins)
	for _, uri := range client.RedirectURIs {
		if origin, ok := originOf(uri); ok {
			list = append(list, origin)
		}
	}
	return list
}

// IsOriginOf reports whether pages of the origin are those of one client.
func IsOriginOf(client store.Client, origin string) bool {
	return slices.Contains(originsOf(client), origin)
}

// originOf is the web origin of a redirect URI as browsers send it (RFC 6454
// §6.2): in lower case, without the default port.
func originOf(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return "", false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && !(u.Scheme == "https" && port == "443") && !(u.Scheme == "http" && port == "80") {
		host += ":" + port
	}
	return u.Scheme + "://" + host, true
}

// Client returns a registered client, disabled ones too.
func (f *Facts) Client(id store.ClientID) (store.Client, bool) {
	c, ok := f.clients.Load().byID[id]
	return c, ok
}

// Clients returns all registered clients ordered by id, disabled ones too. The
// caller does not change them.
func (f *Facts) Clients() []store.Client { return f.clients.Load().list }

// AllowsOrigin reports whether pages of the origin may call from a browser: the
// origin of a redirect URI of an enabled client, or one that it registered
// (CORS-03, CORS-04, CORS-08).
func (f *Facts) AllowsOrigin(origin string) bool { return f.clients.Load().origins[origin] }
