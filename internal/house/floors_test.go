package house_test

import (
	"slices"
	"strings"
	"testing"
)

// The floors, from the ground up. A package imports only lower floors, and on
// its own floor only what its row names.
const (
	words     = iota // values and rules: no I/O, no clock
	contracts        // what is stored, as prose and types
	cellar           // databases: imported by app and tests only
	engines          // one question each
	doors            // one endpoint or one step each; never another door
	top              // the whole
	command          // the command line
)

// place is where a package stands and which neighbours it may use, each with
// its reason.
type place struct {
	floor      int
	neighbours map[string]string
}

var places = map[string]place{
	"fhir":             {words, nil},
	"fhir/search":      {words, map[string]string{"fhir": "parameters are about resources"}},
	"fhir/compartment": {words, map[string]string{"fhir": "whom a resource is about", "fhir/search": "membership is a condition"}},
	"fhir/structure":   {words, map[string]string{"fhir": "checks resources"}},
	"fhir/patch":       {words, map[string]string{"fhir": "changes resources", "fhir/structure": "what an element may be"}},
	"smart":            {words, map[string]string{"fhir": "scopes name types", "fhir/search": "scopes carry conditions"}},
	"access": {words, map[string]string{
		"fhir": "judges interactions", "fhir/search": "a view is a condition", "fhir/compartment": "owners", "smart": "scopes",
	}},
	"internal/oauth": {words, nil},

	"internal/store":     {contracts, nil},
	"internal/fhirstore": {contracts, nil},
	"internal/sensitive": {contracts, nil},

	"internal/db":                {cellar, nil},
	"internal/store/storesql":    {cellar, map[string]string{"internal/db": "runs its statements"}},
	"internal/fhirstore/fhirsql": {cellar, map[string]string{"internal/db": "runs its statements"}},

	"internal/account":     {engines, nil},
	"internal/audit":       {engines, map[string]string{"internal/trail": "reads portions of accesses"}},
	"internal/backchannel": {engines, nil},
	"internal/brand":       {engines, nil},
	"internal/chart":       {engines, map[string]string{"internal/reach": "whose chart it is"}},
	"internal/choice":      {engines, map[string]string{"internal/page": "says it in rows of a page"}},
	"internal/clientkey":   {engines, nil},
	"internal/conform": {engines, map[string]string{
		"internal/conform/suite": "runs its checks", "internal/conform/probe": "makes its target", "internal/conform/agent": "makes its person",
	}},
	"internal/conform/suite": {engines, map[string]string{
		"internal/conform/probe": "judges its evidence", "internal/conform/agent": "judges its answers",
	}},
	"internal/conform/probe": {engines, map[string]string{"internal/conform/agent": "speaks through it"}},
	"internal/conform/agent": {engines, nil},
	"internal/door":          {engines, nil},
	"internal/dpop":          {engines, map[string]string{"internal/clientkey": "judges the key that a proof brings"}},
	"internal/egress":        {engines, nil},
	"internal/emergency": {engines, map[string]string{
		"internal/reach": "who it is", "internal/tries": "counts passwords", "internal/account": "how long a password can be",
	}},
	"internal/factor": {engines, nil},
	"internal/flow": {engines, map[string]string{
		"internal/session": "a step belongs to a browser and a person", "internal/page": "shows what cannot go on", "internal/door": "request ids",
	}},
	"internal/holder": {engines, map[string]string{"internal/tokens": "whether a token is good", "internal/dpop": "whether its holder has the key"}},
	"internal/keys":   {engines, nil},
	"internal/live":   {engines, nil},
	"internal/page":   {engines, nil},
	"internal/reach":  {engines, nil},
	"internal/register": {engines, map[string]string{
		"internal/clientkey": "judges keys", "internal/egress": "judges where keys are fetched from",
	}},
	"internal/review":     {engines, nil},
	"internal/explain":    {engines, nil},
	"internal/clientauth": {engines, map[string]string{"internal/clientkey": "finds the key that an assertion names"}},
	"internal/sampleapp":  {engines, nil},
	"internal/session":    {engines, nil},
	"internal/trail":      {engines, nil},
	"internal/sandbox":    {engines, nil},
	"internal/http1":      {engines, nil},
	"internal/metrics":    {engines, nil},
	"internal/upstream":   {engines, map[string]string{"internal/http1": "speaks through it"}},
	"internal/tokens":     {engines, map[string]string{"internal/keys": "signs", "internal/dpop": "binds to the key that a proof has shown"}},
	"internal/trust": {engines, map[string]string{
		"internal/clientkey": "finds the keys of a server", "internal/egress": "asks a server",
	}},
	"internal/tries": {engines, nil},
	"internal/use":   {engines, nil},

	"internal/admin":        {doors, nil},
	"internal/authorize":    {doors, nil},
	"internal/consent":      {doors, nil},
	"internal/developer":    {doors, nil},
	"internal/discovery":    {doors, nil},
	"internal/enrol":        {doors, nil},
	"internal/fhirapi":      {doors, nil},
	"internal/introspect":   {doors, nil},
	"internal/launch":       {doors, nil},
	"internal/login":        {doors, nil},
	"internal/logout":       {doors, nil},
	"internal/manage":       {doors, nil},
	"internal/push":         {doors, nil},
	"internal/recovery":     {doors, nil},
	"internal/registration": {doors, nil},
	"internal/revoke":       {doors, nil},
	"internal/token":        {doors, nil},
	"internal/userinfo":     {doors, nil},

	"internal/app":   {top, nil},
	"cmd/emberlatch": {command, nil},
}

// besideTheHouse are rooms that nothing of the server imports: tests' own rooms,
// tools and generators. They may import what they need.
var besideTheHouse = []string{
	"internal/conform/brokentest", "internal/dpop/dpoptest", "internal/house", "internal/testenv", "internal/testenv/catalogue", "internal/testpg", "internal/testdb", "internal/store/storetest", "cmd/emberlatch-load",
	"fhir/search/internal/generate", "fhir/compartment/internal/generate", "fhir/structure/internal/generate", "internal/house/conformance", "internal/house/catalogue", "internal/house/planted",
}

func TestImportsGoDown(t *testing.T) {
	for name, pkg := range packages(t) {
		if slices.Contains(besideTheHouse, name) {
			continue
		}
		from, known := places[name]
		if !known {
			t.Errorf("%s stands on no floor: add it to the table with its place", name)
			continue
		}
		for _, imported := range pkg.imports {
			checkEdge(t, name, from, imported)
		}
	}
}

func checkEdge(t *testing.T, name string, from place, imported string) {
	t.Helper()
	to, known := places[imported]
	switch {
	case !known:
		t.Errorf("%s imports %s, which is for tests and tools only", name, imported)
	case from.neighbours[imported] != "":
	case to.floor == cellar && from.floor != top:
		t.Errorf("%s imports %s: only app opens the cellar", name, imported)
	case from.floor == command && imported != "internal/app":
		t.Errorf("%s imports %s: the command line knows app only", name, imported)
	case to.floor >= from.floor:
		t.Errorf("%s imports %s, which is not below it", name, imported)
	}
}

func TestEveryPlaceExists(t *testing.T) {
	all := packages(t)
	for name := range places {
		if _, ok := all[name]; !ok {
			t.Errorf("%s has a place and does not exist", name)
		}
	}
}

// Public words are for everybody: nothing internal, nothing from elsewhere but
// the strict JSON reader.
func TestPublicPackagesStandAlone(t *testing.T) {
	const strictJSON = "github.com/go-json-experiment/json/jsontext"
	for name, pkg := range packages(t) {
		if strings.Contains(name, "internal/") || strings.HasPrefix(name, "cmd/") {
			continue
		}
		for _, foreign := range pkg.foreign {
			if foreign != strictJSON {
				t.Errorf("%s imports %s: public packages use the standard library", name, foreign)
			}
		}
		for _, imported := range pkg.imports {
			if strings.Contains(imported, "internal") {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

// Words have no I/O and no clock (design law of the house).
func TestWordsDoNothing(t *testing.T) {
	forbidden := []string{"os", "net", "context", "database/sql", "log/slog", "log"}
	for name, pkg := range packages(t) {
		p, known := places[name]
		if !known || p.floor != words {
			continue
		}
		for _, imported := range pkg.standard {
			if slices.Contains(forbidden, imported) {
				t.Errorf("%s imports %s: words do no I/O", name, imported)
			}
		}
	}
}
