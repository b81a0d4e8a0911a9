package fhirsql

import (
	"errors"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

// Deps are the parts that the Store needs; those without a remark are required.
type Deps struct {
	DB   *db.DB
	Base string // FHIR base whose absolute references are local
	Now  func() time.Time
	// Ties are the rules by which a refresh judges whom its user reaches; the zero value
	// adds none.
	Ties fhirstore.TieRules
	// Sensitive are the operator's categories of sensitive content; nil: there are none.
	Sensitive *sensitive.Categories
}

// Store is the embedded FHIR store. It is safe for concurrent use.
type Store struct {
	db   *db.DB
	base string
	now  func() time.Time
	tied fhirstore.TieRules

	sensitive *sensitive.Categories
}

var (
	_ fhirstore.Backend = (*Store)(nil)
	_ fhirstore.Loader  = (*Store)(nil)
	_ fhirstore.Keeper  = (*Store)(nil)
	_ fhirstore.Exports = (*Store)(nil)
)

// New makes the Store on an opened, migrated database.
func New(deps Deps) (*Store, error) {
	if deps.DB == nil || deps.Now == nil {
		return nil, errors.New("fhirsql: a part is missing")
	}
	return &Store{deps.DB, deps.Base, deps.Now, deps.Ties, deps.Sensitive}, nil
}
