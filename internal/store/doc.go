// Package store is the contract of everything the authorization server keeps:
// clients, people, launches, authorization requests, grants with their code and refresh
// family, sessions, invitations, remembered approvals, keys and the change feed.
//
// It holds types and one interface, no code that touches a database.
// internal/store/storesql implements it on SQLite and PostgreSQL;
// internal/store/storetest is the suite that both must pass.
//
// Three rules hold for every method:
//
//   - What is used once is consumed by one conditional statement whose outcome
//     decides, before anything is minted (RFC 6749 §4.1.2, §10.5).
//   - Secrets arrive as hashes. The store never sees a code, a session cookie,
//     a client secret or a password in clear.
//   - Everything that ends access writes its Change in the same transaction, so
//     that each process learns of it from the feed.
//
// Times are UTC with millisecond precision. The database's clock decides
// whether something stored has expired.
//
// Start reading at Store, then Grant.
package store
