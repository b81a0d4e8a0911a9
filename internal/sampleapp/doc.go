// Package sampleapp is the sample app of the sandbox: a web application on an origin
// of its own that asks a person for their record and shows it.
//
// It shows how an app is written, and therefore uses golang.org/x/oauth2 and
// github.com/coreos/go-oidc for everything about OAuth and OpenID Connect: nobody
// should write their own client. It knows of the server what any app knows: the FHIR
// base URL, its client_id and its secret.
//
//	/ ─▶ /connect ──────────────┬▶ authorize (PKCE, state, nonce) ─▶ /callback ─▶ code, ID token verified ─▶ /record
//	EHR ─▶ /launch: iss is ours ┘  with launch, from an EHR                       /refresh, /disconnect ◀┤
//	server ─▶ /backchannel-logout: logout token verified ─▶ what was opened       /sign-out ─▶ server ◀──┘
//	                                in that session is closed                     /signed-out ◀┘
//
// Started from a chart (SMART App Launch 2.2, EHR launch) it has that chart in a tab
// of its own: two charts in one browser are two records. It says who the patient is
// unless the EHR does (need_patient_banner).
//
// The record is read page by page and shown as a person would like to read it:
// problems, medicines, allergies, results with small plots and a table behind each.
// What was not shared is told as such. It imports nothing of the server.
package sampleapp
