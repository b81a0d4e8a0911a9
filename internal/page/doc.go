// Package page renders the pages that people meet: signing in, confirming who
// they are, choosing a person or a patient, approving an app, reading a code off a
// page, errors, and what developers see of their apps.
//
//	struct of the page ─▶ Renderer.Render ─▶ template in the person's language ─▶ buffer ─▶ answer
//
// One struct and one template a page (pages/<page>.tmpl), one layout, one style
// sheet, and one script of one line, which sends the form of one page (form_post.go)
// and which the policy of that page names by its hash: every page works without JavaScript, by keyboard, at 320
// pixels, by day and by night. What a page looks like stands in testdata, written
// anew by go test -update; tests look at every page in Chromium.
//
// # Words
//
// A struct holds data only. Sentences stand in messages/<language>.json under the
// same keys in every language, whole, with {named} parts, so that no language has
// to glue them. A sentence about a number has one key for each plural form (CLDR,
// from golang.org/x/text/feature/plural); a sentence about the person's own record
// may have another form, key.theirs, for somebody else's. What a language lacks
// comes from the first one, sentence by sentence. Dates are sentences as well; the
// time of day names its zone, since no script asks the browser for it.
//
// The catalogue is ours, some thirty lines, because of what the alternatives bring:
// golang.org/x/text/message wants its printf verbs in the sentences and generated
// code beside them, go-i18n a second template language inside of html/template and
// its own file format. Translators get one flat file; tests prove that every key is
// there, translated and used. Select and nested plurals (ICU) are not there; a
// language that needs them is the moment to choose again.
//
// # Headers
//
// Every page is answered with no-store, a content security policy that starts from
// nothing, and no frames (RFC 9700 §4.16). Three choices need their reason:
//
//   - form-action names the scheme of the app's redirect URI, not its origin.
//     Chromium checks every redirect that follows a form, the app's own as well,
//     and many an app answers on one origin and goes on to another (HDR-05). An
//     https redirect URI that goes on to a private scheme should answer with a page.
//   - no-referrer makes browsers send "Origin: null" with our own forms. The guard
//     against forged forms reads Sec-Fetch-Site first, which all browsers send since
//     2023, and the ticket of the form is checked beside it.
//   - Cross-Origin-Opener-Policy cuts the tie to the window that opened ours: an app
//     that opens the authorization in a window of its own has to wait for its
//     redirect URI there, and cannot reach into our pages.
//
// The names of inputs are a contract with people's scripts; they do not change.
// It decides nothing: what a page offers was decided by its door.
package page
