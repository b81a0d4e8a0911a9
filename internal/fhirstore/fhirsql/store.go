package fhirsql

import (
	"errors"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Deps are the parts that the Store needs; all are required but Ties.
type Deps struct {
	DB   *db.DB
	Base string // FHIR base whose absolute references are local
	Now  func() time.Time
	// Ties are the rules by which a refresh judges whom its user reaches.
	Ties fhirstore.TieRules
}

// Store is the embedded FHIR store. It is safe for concurrent use.
type Store struct {
	db   *db.DB
	base string
	now  func() time.Time
	tied fhirstore.TieRules
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
	return &Store{deps.DB, deps.Base, deps.Now, deps.Ties}, nil
}
