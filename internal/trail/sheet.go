package trail

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/store"
)

// maxEntries is how many entries are one event.
const maxEntries = 500

// body is how a sheet is written. Who asks comes again and again, and stands there once.
type body struct {
	Who []who  `json:"who"`
	Log []line `json:"log"`
}

type who struct {
	Client   string `json:"c,omitempty"`
	Grant    string `json:"g,omitempty"`
	User     string `json:"u,omitempty"`
	FHIRUser string `json:"f,omitempty"`
	TokenID  string `json:"j,omitempty"`
	Address  string `json:"a,omitempty"`
}

type line struct {
	Kind     Kind     `json:"k,omitempty"`
	At       int64    `json:"t"` // Unix milliseconds
	Who      int      `json:"w"`
	Code     string   `json:"c,omitempty"`
	Target   string   `json:"r,omitempty"`
	Within   string   `json:"x,omitempty"`
	Query    string   `json:"q,omitempty"`
	Patients []string `json:"p,omitempty"`
	// Ways are the names of the ways to the patients, in their order.
	Ways []string `json:"b,omitempty"`
	// Sensitive are the categories by patient.
	Sensitive map[string][]string `json:"l,omitempty"`
	Status    int                 `json:"s"`
	Reason    string              `json:"y,omitempty"`
	Request   string              `json:"i,omitempty"`
	More      int                 `json:"n,omitempty"`
}

// Sheets writes entries as events.
func Sheets(list []Entry) ([]store.Sheet, error) {
	var all []store.Sheet
	for part := range slices.Chunk(list, maxEntries) {
		p, err := sheet(part)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func sheet(list []Entry) (store.Sheet, error) {
	b, places := body{Log: make([]line, len(list))}, map[Who]int{}
	p := store.Sheet{}
	for i, a := range list {
		place, known := places[a.Who]
		if !known {
			place = len(b.Who)
			places[a.Who] = place
			b.Who = append(b.Who, who{a.Client, a.Grant, a.User, text(a.FHIRUser), a.TokenID, a.Address})
		}
		patients := once(a.Patients)
		b.Log[i] = line{a.Kind, a.At.UnixMilli(), place, a.Code, text(a.Target), text(a.Within), Clean(a.Query), patients, named(a.Ways), a.Sensitive, a.Status, a.Reason, a.Request, a.More}
		p.Patients = append(p.Patients, patients...)
		if a.At.After(p.At) {
			p.At = a.At
		}
	}
	p.Patients = once(p.Patients)
	var err error
	p.Body, err = json.Marshal(b)
	return p, err
}

// named are ways by their names, which mean the same to every version.
func named(list []access.Ways) []string {
	var names []string
	for _, w := range list {
		names = append(names, strings.Join(w.List(), " "))
	}
	return names
}

// ways reads what named writes.
func ways(names []string) []access.Ways {
	var list []access.Ways
	for _, text := range names {
		list = append(list, access.ParseWays(strings.Fields(text)))
	}
	return list
}

// once sorts, and leaves out what comes again.
func once(ids []string) []string {
	if len(ids) < 2 {
		return ids
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// text is a reference, of which the id may be missing.
func text(r fhir.Reference) string {
	if r.ID == "" {
		return string(r.Type)
	}
	return r.String()
}

// errSheet: it was not written by this package.
var errSheet = errors.New("trail: not a sheet of the trail")

// Read reads what Sheets writes.
func Read(sheet []byte) ([]Entry, error) {
	var b body
	if err := json.Unmarshal(sheet, &b); err != nil {
		return nil, errSheet
	}
	list := make([]Entry, len(b.Log))
	for i, e := range b.Log {
		if e.Who < 0 || e.Who >= len(b.Who) {
			return nil, errSheet
		}
		w := b.Who[e.Who]
		list[i] = Entry{
			Kind: e.Kind, At: time.UnixMilli(e.At).UTC(), Who: Who{w.Client, w.Grant, w.User, reference(w.FHIRUser), w.TokenID, w.Address},
			Code: e.Code, Target: reference(e.Target), Within: reference(e.Within), Query: e.Query, Patients: e.Patients, Ways: ways(e.Ways), Sensitive: e.Sensitive, Status: e.Status, Reason: e.Reason, Request: e.Request, More: e.More,
		}
	}
	return list, nil
}

// reference reads what text writes.
func reference(text string) fhir.Reference {
	if r, ok := fhir.ParseReference(text, ""); ok {
		return r
	}
	return fhir.Reference{Type: fhir.ResourceType(text)}
}
