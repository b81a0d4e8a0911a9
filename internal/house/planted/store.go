package main

const (
	accessPackage = "github.com/emberlatch/emberlatch/access"
	// unlimited is the view of the server itself.
	unlimited = `access.System("planted", "")`
	// ofAll is a view in which everything is.
	ofAll = "func(fhir.ResourceType) search.Expr { return search.And{} }"
)

var inTheStore = []bug{
	{name: "matches are everybody's", rows: "20", file: "internal/fhirstore/fhirsql/search.go",
		old: "c.fromSearch(matchView(d), q, \"m\")\n\tif after", new: "c.fromSearch(matchView(" + unlimited + "), q, \"m\")\n\tif after", suites: []suite{oracle}},
	{name: "the total counts what is hidden", rows: "12, 46", file: "internal/fhirstore/fhirsql/search.go",
		old: "c.fromSearch(matchView(d), q, \"m\")\n\tvar n", new: "c.fromSearch(matchView(" + unlimited + "), q, \"m\")\n\tvar n", suites: []suite{rows, oracle}},
	{name: "an include is not filtered", rows: "42", file: "internal/fhirstore/fhirsql/include.go",
		old: `c.from(includeView(d), t, "m")`, new: `c.from(` + ofAll + `, t, "m")`, suites: []suite{oracle}},
	{name: "a revinclude is not filtered", rows: "43, 52", file: "internal/fhirstore/fhirsql/include.go",
		old: `q.from(includeView(d), i.Source, "m")`, new: `q.from(` + ofAll + `, i.Source, "m")`, suites: []suite{oracle}},
	{name: "a chain leads over what is hidden", rows: "40", file: "internal/fhirstore/fhirsql/join.go",
		old: `q.others(x, "id", c.Target, c.That)`, new: `q.others(variable{alias: x.alias, kind: x.kind, view: ` + ofAll + `}, "id", c.Target, c.That)`, suites: []suite{rows, oracle}},
	{name: "_has counts what is hidden", rows: "41, 53", file: "internal/fhirstore/fhirsql/join.go",
		old: `q.others(x, "rid", h.Parameter.Base, h.That)`, new: `q.others(variable{alias: x.alias, kind: x.kind, view: ` + ofAll + `}, "rid", h.Parameter.Base, h.That)`, suites: []suite{rows, oracle}},
	{name: "a page begins with the end of the last", rows: "48", file: "internal/fhirstore/fhirsql/search.go",
		old: `" AND m.id > "`, new: `" AND m.id >= "`, suites: []suite{rows, oracle}},
	{name: "a page loses what sorts by nothing", rows: "47, 48", file: "internal/fhirstore/fhirsql/sort.go",
		old: `q.add(" OR ", n, " IS NULL)) OR ")`, new: `q.add(")) OR ")`, suites: []suite{oracle}},
	{name: "a version is judged by the current one", rows: "4", file: "internal/fhirstore/fhirsql/read.go",
		old: "case !d.Admits(r.Resource, r.Owners):\n\t\treturn fhirstore.Record{}, fhirstore.ErrNotFound\n\tcase deleted", new: "case false:\n\t\treturn fhirstore.Record{}, fhirstore.ErrNotFound\n\tcase deleted", suites: []suite{writes}},
	{name: "an old version is shown of what is hidden now", rows: "4", file: "internal/fhirstore/fhirsql/read.go",
		old: "current, err := s.last(ctx, d, ref)\n\tif err != nil {\n\t\treturn fhirstore.Record{}, err\n\t}\n\tversion,", new: "current, err := s.last(ctx, " + unlimited + ", ref)\n\tif err != nil {\n\t\treturn fhirstore.Record{}, err\n\t}\n\tversion,", suites: []suite{rows, writes}},
	{name: "a history is judged by the current version", rows: "5", file: "internal/fhirstore/fhirsql/history.go",
		old: "if d.Admits(v.Resource, v.Owners) {", new: "if !v.Resource.IsZero() {", suites: []suite{rows, writes}},
	{name: "a history tells of what is hidden now", rows: "5, 6", file: "internal/fhirstore/fhirsql/history.go",
		old: `q.fromEver(matchView(d), t, "m")`, new: `q.fromEver(matchView(` + unlimited + `), t, "m")`, suites: []suite{rows, writes, doors}},
	{name: "a deletion is told to strangers", rows: "107", file: "internal/fhirstore/fhirsql/read.go",
		old: `q.fromEver(v, ref.Type, "m")`, new: `q.fromEver(matchView(` + unlimited + `), ref.Type, "m")`, suites: []suite{doors, writes}},
	{name: "a label is lost by an update", rows: "72", file: "internal/fhirstore/fhirsql/change.go",
		old: "if content, err = content.WithLabelsOf(before.Resource); err != nil {", new: "if err != nil {", suites: []suite{rows}},
	{name: "a reference to what is hidden is taken", rows: "61", file: "internal/fhirstore/fhirsql/permit.go",
		old: "if n < int64(len(ids)) {", new: "if n < 0 {", suites: []suite{rows}},
	{name: "a patch tells what stands in what is not read", rows: "65", file: "internal/fhirstore/fhirsql/change.go",
		old: "if err := w.Decision.Edits(before); err != nil {", new: "if err := w.Decision.Edits(before); err != nil && before.Resource.IsZero() {", suites: []suite{doors}},
	{name: "a transaction is written in part", rows: "81", file: "internal/fhirstore/fhirsql/change.go",
		old: "return &fhirstore.WriteError{At: i, Err: err}", new: "continue", suites: []suite{rows, doors}},
	{name: "criteria are of everything", rows: "67, 83", file: "internal/fhirstore/fhirsql/plan.go", needs: accessPackage,
		old: "q.fromSearch(matchView(condition.Decision), condition.Query, \"m\")", new: "q.fromSearch(matchView(" + unlimited + "), condition.Query, \"m\")", suites: []suite{rows}},
	{name: "an update of an expected version is made of any", rows: "63", file: "internal/fhirstore/fhirsql/change.go",
		old: "if err == nil && w.IfMatch != 0 && w.IfMatch != current.record.Version {", new: "if err == nil && w.IfMatch < 0 {", suites: []suite{rows}},
	{name: "what is in nobody's record leaves a Provenance to its other targets", rows: "14, 44", file: "internal/fhirstore/fhirsql/derive_source.go",
		old: "\t\tdefault:\n\t\t\tseveral[from.rid] = append(several[from.rid], n)\n", new: "", suites: []suite{oracle}},
	{name: "the security context of a Binary does not decide alone", rows: "14", file: "internal/fhirstore/fhirsql/derive_source.go",
		old: "n.secured = n.secured || param == securityContext", new: "n.secured = false", suites: []suite{oracle}},
	{name: "the total counts what is withheld", rows: "12, 46", file: "internal/fhirstore/fhirsql/search.go", needs: "github.com/emberlatch/emberlatch/fhir",
		old: "c.fromSearch(matchView(d), q, \"m\")\n\tvar n", new: "c.fromSearch(func(t fhir.ResourceType) search.Expr {\n\t\tif all, ok := d.View(t).(search.And); ok && len(all) == 2 {\n\t\t\treturn all[0]\n\t\t}\n\t\treturn d.View(t)\n\t}, q, \"m\")\n\tvar n", suites: []suite{oracle}},
	{name: "a Provenance is not as sensitive as its targets", rows: "44", file: "internal/fhirstore/fhirsql/derive_source.go",
		old: "n.sensitivity = n.sensitivity.And(from.held)", new: "_ = from.held", suites: []suite{oracle}},
	{name: "what is sensitive is taken for free in SQL", rows: "3", file: "internal/fhirstore/fhirsql/sensitive.go",
		old: `q.add(") = 0")`, new: `q.add(") >= 0")`, suites: []suite{oracle}},
	{name: "an old version is as sensitive as the current one", rows: "4", file: "internal/fhirstore/fhirsql/classify.go",
		old: "if !v.isCurrent {", new: "if v.version < 0 {", suites: []suite{writes}},
	{name: "what another configuration writes is classified", rows: "116", file: "internal/fhirstore/fhirsql/load.go",
		old: "if !looks {", new: "if !looks && last < 0 {", suites: []suite{writes}},
}
