package consent

import (
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/choice"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// example is who stands on a preview.
const example = "Alex Example"

// Preview is the approval page as a person will meet it, when an app asks for
// everything that it has registered, at the first of its redirect URIs.
func (d *Door) Preview(c store.Client) page.Approve {
	q := store.AuthorizationRequest{ClientID: c.ID, Scopes: strings.Fields(c.Scope)}
	if len(c.RedirectURIs) > 0 {
		q.RedirectURI = c.RedirectURIs[0]
	}
	p := d.asked(q, c, store.RememberedConsent{})
	p.Shell, p.UserName = page.Shell{AppName: c.Name}, example
	if smart.NewScopeSet(q.Scopes).HasLevel(smart.LevelPatient) {
		p.HasPatient, p.Patient = true, page.Person{Name: example, Self: true}
	}
	return p
}

// Offer are the rows from which a developer chooses what an app may ask for, in the
// words that people read later; chosen is what was chosen before.
func Offer(offered, chosen []string) (read, write []page.ScopeRow) {
	return choice.Of(offered).Rows(store.RememberedConsent{Requested: offered, Approved: chosen})
}

// Choose turns what a developer has ticked into scopes: a whole one when nothing of it
// was left out, and nothing that was not offered.
func Choose(offered, ticked []string) []string {
	scopes := choice.Of(offered).Approved(ticked)
	for _, text := range offered {
		if _, err := smart.ParseScope(text); err != nil && slices.Contains(ticked, text) {
			scopes = append(scopes, text)
		}
	}
	return scopes
}
