// Package admin is the door for operators: it registers clients, makes
// accounts, loads records, starts apps from a chart and ends grants on a running
// server.
//
// It listens on a unix socket in the data directory, mode 0600: whoever may
// open that file already owns the data. There is no other authentication and no
// way to mount it on the public listener.
//
//	emberlatch client add FILE ──POST /clients──▶ register ──▶ store ──▶ change feed
//	emberlatch client edit     ──PATCH /clients/{id}─▶ register, laid over ──▶ store, compared
//	emberlatch client rotate-secret ──POST /clients/{id}/secret ─▶ register ──▶ store, compared
//	emberlatch client check-jwks ──POST /clients/{id}/check-jwks ─▶ clientkey, fetched now
//	emberlatch client queue    ──GET /queue─────▶ review: what waits, and by when
//	emberlatch client ask, verify, approve, decline, suspend ──POST /clients/{id}/…─▶ review ──▶ store, compared
//	emberlatch client import   ──POST /import/clients─▶ register, each ──▶ store, all or none
//	emberlatch client token    ──POST /registration-tokens──▶ store, by its hash
//	emberlatch user add FILE   ──POST /users────▶ is the record there? ──▶ accounts ──▶ store
//	emberlatch user represent  ──POST /users/{name}/represents ─▶ store (felt by the next request)
//	emberlatch user disable    ──POST /users/{name}/disable ─▶ store (sessions and grants end with it)
//	emberlatch data load PATH  ──POST /data─────▶ loader   ──▶ fhirstore (progress as NDJSON)
//	emberlatch grant revoke    ──POST /grants/revoke ─▶ store.Revoke
//	emberlatch emergency list  ──GET /emergencies ─▶ store
//	emberlatch emergency end   ──POST /emergencies/{id}/end ─▶ store (felt by the next request)
//	emberlatch key rotate      ──POST /keys/rotate, /keys/replace ─▶ keys.Ring
//	emberlatch key reseal      ──POST /keys/reseal ─▶ keys.Ring
//	emberlatch audit verify    ──POST /audit/verify, GET /audit/export ─▶ audit
//	emberlatch explain         ──POST /explain──▶ explain: token, scope, row
//	emberlatch launch CLIENT   ──POST /launches─▶ chart ──▶ launch URL
//
// Every change is recorded as an event with the actor "operator".
package admin
