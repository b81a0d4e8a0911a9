package main

// promises are the tests of codes that carry their grant, on SQLite.
var promises = suite{"the tests of promises", "./internal/store/storetest", []string{"-run", "Promise/sqlite|(PromiseStandsOnWhat|ReplayOfAPromise)/.*/sqlite"}}

// lostPatients are the tests of refreshes that judge whom somebody reaches, on SQLite;
// standing goes all the way, from the page to what a server is told of a token.
var (
	lostPatients = suite{"the tests of refreshes", "./internal/store/storetest", []string{"-run", "(KnowsWhoStands|StandsOnAnEmergency|JudgesAsTheSearch)/sqlite"}}
	standing     = suite{"a guardian's way", "./internal/testenv", []string{"-run", "RelatedPersonStands/own_store/a_guardian"}}
)

// recovered are the tests of recovery codes, on SQLite; recovering are those of their page.
var (
	recovered  = suite{"the tests of recovery codes", "./internal/store/storetest", []string{"-run", "Recover/.*sqlite"}}
	recovering = suite{"the recovery page's tests", "./internal/recovery", nil}
)

// emergencies are the tests of what opens records in an emergency, and their story.
var (
	desk        = suite{"the tests of the desk", "./internal/emergency", nil}
	emergencies = suite{"the stories of emergencies", "./internal/testenv", []string{"-run", "TestARecordIsOpened/own_store|TestWhoOpensARecord/own_store"}}
)

var inTheProcess = []bug{
	{name: "a recovery code works twice", rows: "LOGIN-19", file: "internal/store/storesql/recovery.go",
		old: "AND user_id = $2 AND used = 0 AND expires > `+s.now, notNil", new: "AND user_id = $2 AND expires > `+s.now, notNil", suites: []suite{recovered}},
	{name: "a recovery leaves the old sessions", rows: "LOGIN-19", file: "internal/store/storesql/recovery.go",
		old: "if err := s.endUser(ctx, tx, u.UserID, nil, reason); err != nil {", new: "if err := s.endUser(ctx, tx, \"\", nil, reason); err != nil {", suites: []suite{recovered}},
	{name: "a recovery code of before stays good", rows: "LOGIN-19", file: "internal/store/storesql/recovery.go",
		old: "SET code_hash = excluded.code_hash, created", new: "SET created", suites: []suite{recovered}},
	{name: "a recovery code opens any account", rows: "LOGIN-19", file: "internal/recovery/claim.go",
		old: "p.user.ID == p.issuedTo && ", new: "", suites: []suite{recovering}},
	{name: "a recovery code needs no birth date", rows: "LOGIN-19", file: "internal/recovery/claim.go",
		old: "user.OwnPatient() == \"\" || same, nil", new: "user.OwnPatient() == \"\" || same || len(typed) == 0, nil", suites: []suite{recovering}},
	{name: "an emergency that was ended lasts", rows: "GW-38", file: "internal/store/emergency.go",
		old: "return e.EndedAt.IsZero() && at.Before(e.EndsAt)", new: "return at.Before(e.EndsAt)", suites: []suite{people}},
	{name: "an emergency outlives its end", rows: "GW-38", file: "internal/reach/source_emergency.go",
		old: "f.ends(e.EndsAt)", new: "f.ends(e.EndsAt.Add(life))", suites: []suite{people}},
	{name: "an emergency opens everybody", rows: "GW-38", file: "internal/reach/source_emergency.go",
		old: "f.patient(e.Patient, access.ByEmergency)", new: "f.everybody = f.everybody || access.ByEmergency != 0", suites: []suite{people}},
	{name: "an emergency never ends for a refresh", rows: "GW-38", file: "internal/store/storesql/emergency.go",
		old: "`e.ended = 0 AND e.ends > `", new: "`e.ended = 0 AND 0 < `", suites: []suite{lostPatients}},
	{name: "a refresh lives by somebody else's emergency", rows: "GW-38", file: "internal/store/storesql/grant_lost.go",
		old: "e.user_id = a.id AND e.patient", new: "e.patient", suites: []suite{lostPatients}},
	{name: "an emergency without the password", rows: "GW-38", file: "internal/emergency/desk.go",
		old: "	if !right {", new: "	if !right && u.Disabled {", suites: []suite{desk}},
	{name: "any id of a form is opened", rows: "GW-38", file: "internal/launch/emergency.go",
		old: "!slices.Contains(s.Request.Sought, chosen[0])", new: "!slices.Contains(chosen, chosen[0])", suites: []suite{emergencies}},
	{name: "what is read in an emergency is not marked", rows: "GW-38", file: "internal/trail/entry.go",
		old: "a.Ways[at] == access.ByEmergency", new: "a.Ways[at] == 0", suites: []suite{emergencies}},
	{name: "a promise outlives its session", rows: "112", file: "internal/store/storesql/grant_promised.go",
		old: "AND v.ended = 0 AND v.idle_until", new: "AND v.idle_until", suites: []suite{promises}},
	{name: "a promise outlives its approval", rows: "112", file: "internal/store/storesql/grant_promised.go",
		old: "AND m.patient = $22 AND ` + decidedAt(d) + ` = $23", new: "AND m.patient = $22 AND $23 = $23", suites: []suite{promises}},
	{name: "a promise is kept to somebody else", rows: "112", file: "internal/store/promise.go",
		old: "p.RedirectURI == r.RedirectURI && p.CodeChallenge == r.CodeChallenge", new: "p.RedirectURI == r.RedirectURI", suites: []suite{promises}},
	{name: "a replayed promise ends nothing", rows: "112", file: "internal/store/storesql/grant_promised.go",
		old: "ELSE excluded.code_used END", new: "ELSE 0 END", suites: []suite{promises}},
	{name: "a relation that ended is remembered", rows: "112", file: "internal/reach/reach.go",
		old: "2 * time.Second", new: "2 * time.Hour", suites: []suite{people}},
	{name: "a RelatedPerson that is not active stands", rows: "112", file: "internal/fhirstore/tie_related.go",
		old: `related["active"] != true || `, new: `related["active"] == false || `, suites: []suite{people}},
	{name: "a parent stands for ever", rows: "112", file: "internal/fhirstore/tie_related.go",
		old: "return []Tie{{own, Minor(patient.ID), span}}", new: "return []Tie{{own, patient, span}}", suites: []suite{people}},
	{name: "any role reaches everybody", rows: "112", file: "internal/fhirstore/tie_rules.go",
		old: `if !names(r.Tree()["code"], t.Roles) {`, new: `if len(t.Roles) == 0 {`, suites: []suite{people}},
	{name: "a result at its end runs its statement again", rows: "E-01", file: "internal/db/sqlite_rows.go",
		old: "case !r.done && r.step():", new: "case r.step():", suites: []suite{results}},
	{name: "a null is nothing in particular", rows: "E-01", file: "internal/db/sqlite_rows.go",
		old: "	return errors.New(\"is null\")", new: "	return nil", suites: []suite{results}},
	{name: "a read that was broken off breaks off the next one", rows: "E-01", file: "internal/db/sqlite_rows.go",
		old: "r.handle.conn.SetInterrupt(nil)", new: "_ = r.handle", suites: []suite{results}},
	{name: "introspection tells the launch of another grant", rows: "INTRO-09", file: "internal/introspect/contexts.go",
		old: "c.known[id] = read", new: "c.known[id], c.known[\"g-b\"] = read, read", suites: []suite{asked}},
	{name: "a refresh lets every RelatedPerson stand", rows: "112", file: "internal/store/storesql/grant_lost.go",
		old: "AND `+r.Reaches(\"a.fhir_user\", \"g.patient\", \"%NOW%\")+` THEN 0", new: "AND (a.role <> 'practitioner' OR `+r.Reaches(\"a.fhir_user\", \"g.patient\", \"%NOW%\")+`) THEN 0", suites: []suite{lostPatients}},
	{name: "a token is active whose user has lost the patient", rows: "112", file: "internal/introspect/judge.go",
		old: "case !reaches:", new: "case !reaches && false:", suites: []suite{standing}},
	{name: "a process does not follow the change feed", rows: "112", file: "internal/live/facts.go",
		old: "err := f.Refresh(ctx)\n\t\tif ctx.Err() != nil {", new: "err := error(nil)\n\t\tif ctx.Err() != nil {", suites: []suite{load}},
	{name: "a process does not know what it has just revoked", rows: "112", file: "internal/revoke/door.go",
		old: "revoking an access token: %w\", err)\n\t}\n\treturn d.deps.Settle(ctx)", new: "revoking an access token: %w\", err)\n\t}\n\treturn nil", suites: []suite{{"the revocation's tests", "./internal/testenv", []string{"-run", "Revo|Introspect|Ended"}}}},
}
