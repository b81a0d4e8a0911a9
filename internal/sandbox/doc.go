// Package sandbox makes the sample people of `emberlatch dev`: their records, their
// logins, and the apps that are registered from the start.
//
//	Generate(people, today) ─▶ Data: resources, logins, invitations, clients
//	Seeder.Seed ─▶ into the stores, once        WriteJSON ─▶ DIR/sandbox.json
//
// The same call gives the same people: names, values and dates come from a small
// generator with a fixed seed, dates count back from the day that is handed in.
// Nobody is real; names are ordinary ones, phone numbers are of the 555-01 range.
// Records are shaped like US Core 6.1 (profiles, codes, categories) and hold enough
// of each kind to look at: problems, medicines, allergies, vaccines, laboratory
// values and vital signs over years, visits, notes, care team, plans.
//
// Passwords and client secrets here are known to everybody: `dev` listens on
// loopback only. Private keys of apps are each sandbox's own.
package sandbox
