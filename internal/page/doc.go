// Package page renders the pages that people meet: signing in, confirming who
// they are, choosing a person or a patient, approving an app, reading a code off a
// page, and errors.
//
//	struct of the page ─▶ Renderer.Render ─▶ template in the person's language ─▶ buffer ─▶ answer
//
// One struct and one template a page (pages/<page>.tmpl), one layout, one style
// sheet, no script: every page works without JavaScript, by keyboard, at 320
// pixels. Words stand in messages/<language>.json under the same keys in every
// language; a struct holds data only. Sentences are whole in the catalogue, with
// {named} parts, so that no language has to glue them; a flat catalogue of our own
// serves, because no sentence here needs plural forms.
//
// Every page is answered with no-store, a strict content security policy, and no
// frames (RFC 9700 §4.16). form-action allows the address of the app as well,
// because browsers check it along the redirects that follow a form.
//
// The names of inputs are a contract with people's scripts; they do not change.
// It decides nothing: what a page offers was decided by its door.
package page
