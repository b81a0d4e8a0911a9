// Package conform checks any SMART server from the outside (`emberlatch conform`):
// what discovery says, whether launches work, and whether what must be refused is.
//
//	with.yaml ─▶ ReadWith ──┐
//	sandbox.json ─▶ ReadSandbox ─▶ Options ─▶ Run ─▶ Report ─▶ text lines, or JSON
//	                        └─ --url             │
//	                                             ▼  one check after the other, each with a timeout
//	                        suite.Checks ─▶ probe.Probe ─▶ agent (HTTP, browser, person)
//
// A run sends nothing to any origin but that of the base, those that the operator
// names, and the loopback listener of a launch by hand. Answers are bounded, no proxy
// is used, and no line of a report holds a token, a code or a secret.
//
// A server is called conformant when every SHALL check has passed or binds nobody
// there, none was skipped, and at least one has passed. Run fails only when nothing
// could be asked.
//
// It fulfils SMART App Launch 2.2, OpenID Connect and RFC 9700 from the side of the
// client; package suite lists the sections. It starts no app from a chart, runs no
// bulk export, validates no FHIR, and does not replace a certification.
package conform
