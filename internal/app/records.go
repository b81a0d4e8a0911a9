package app

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/emberlatch/emberlatch/internal/admin"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/internal/upstream"
)

// openRecords opens the store, with that of the records or with the way to the server
// that holds them. Where it holds them itself, a refresh judges whom its user reaches;
// elsewhere that is asked by reach.
// One that does not answer at the start may do so later: until then requests for
// records fail, and nothing is let through (ERR-46).
func (a *App) openRecords(ctx context.Context) (err error) {
	a.sensitive, _ = a.cfg.sensitive() // which was validated
	if a.cfg.FHIR.Upstream.URL == "" {
		if a.fhir, err = fhirsql.New(fhirsql.Deps{DB: a.db, Base: a.cfg.FHIRBase(), Now: a.now, Ties: a.cfg.Reach.ties(), Sensitive: a.sensitive}); err != nil {
			return err
		}
		a.records, a.store = a.fhir, storesql.NewBeside(a.db, a.fhir, a.cfg.Reach.Emergency.Allowed)
		// Order: a database of an earlier version is completed before anybody is judged by it.
		return errors.Join(a.fhir.Complete(ctx), a.fhir.Classify(ctx, a.classified()), a.store.Complete(ctx))
	}
	a.store = storesql.New(a.db)
	if err = a.store.Complete(ctx); err != nil {
		return err
	}
	a.upstream, err = upstream.New(upstream.Deps{
		Config: a.cfg.FHIR.Upstream, Base: a.cfg.FHIRBase(), Now: a.now, Log: a.log, Sensitive: a.sensitive, Observe: a.metrics.upstream(), RequestID: door.RequestID,
	})
	if err != nil {
		return err
	}
	a.records = a.upstream
	offers, err := a.upstream.Offers(ctx)
	if err != nil {
		a.log.WarnContext(ctx, "the server that holds the records does not answer at the start; requests for records fail until it does", "error", err)
		return nil
	}
	for _, q := range reach.Questions(a.cfg.Reach.ties()) {
		if !offers.Declares(q.Type, q.Parameter) {
			a.log.WarnContext(ctx, "the server that holds the records cannot be asked who is whose; nobody is reached by this", "type", q.Type, "parameter", q.Parameter)
		}
	}
	return nil
}

// classified tells the operator how far the classification has come, now and then and at
// its end.
func (a *App) classified() func(done, all int64) {
	var told time.Time
	return func(done, all int64) {
		if now := a.now(); done == all || now.Sub(told) >= classifiedEvery {
			told = now
			a.log.Info("records are classified by the new configuration of sensitive content", "done", done, "of", all)
		}
	}
}

const classifiedEvery = 5 * time.Second

// loader brings records into our own store; where another server holds them, they are
// brought in there.
func (a *App) loader() admin.Loader {
	if a.fhir != nil {
		return a.fhir
	}
	return elsewhere{}
}

type elsewhere struct{}

// Load implements admin.Loader.
func (elsewhere) Load(context.Context, iter.Seq[fhirstore.Incoming], func(int)) (fhirstore.LoadReport, error) {
	return fhirstore.LoadReport{}, errors.New("the records are held by another server (fhir.upstream): load them there")
}

// narrowedCapability is the CapabilityStatement within what the upstream offers, made
// anew when that changes.
type narrowedCapability struct {
	base   string
	uris   fhirapi.OAuthURIs
	offers func(ctx context.Context) (*upstream.Offers, error)

	mu   sync.Mutex
	of   *upstream.Offers
	body []byte
}

func (n *narrowedCapability) now(ctx context.Context) ([]byte, error) {
	offers, err := n.offers(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of != offers {
		if n.body, err = fhirapi.NewCapability(n.base, n.uris, offers); err != nil {
			return nil, err
		}
		n.of = offers
	}
	return n.body, nil
}
