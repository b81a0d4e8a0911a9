package upstream

import (
	"context"
	"errors"
	"net/url"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

const (
	maxSources = 100 // that one resource derives its owners from
	maxDepth   = 3   // a Provenance of a Provenance of a Binary
)

// owners finds whom resources are about, and remembers it for one request.
type owners struct {
	backend  *Backend
	decision access.Decision
	known    map[fhir.Reference]sourced
	// always: owners are asked for whatever the view says.
	always bool
}

// sourced is what a resource adds to those that derive from it.
type sourced struct {
	owners  []string
	held    search.Sensitivity
	nothing bool // it is not there, or about nobody by its type: it adds nothing
	missing bool // it is not there
}

func (b *Backend) newOwners(d access.Decision) *owners {
	return &owners{backend: b, decision: d, known: map[fhir.Reference]sourced{}}
}

// derives reports whether whom resources of a type are about follows from others.
func derives(t fhir.ResourceType) bool { return compartment.DerivationOf(t) != compartment.None }

// of returns the owners of one resource. Where the view asks for none, nothing is
// fetched.
func (o *owners) of(ctx context.Context, r fhir.Resource) (search.Owners, error) {
	if compartment.DerivationOf(r.Type()) == compartment.None {
		own := compartment.Owners(r, o.backend.deps.Base)
		own.Sensitivity = o.look(r)
		medicines := o.medicines(r)
		if len(medicines) == 0 {
			return own, nil
		}
		if err := o.learn(ctx, o.unknown(medicines), 1); err != nil {
			return search.Owners{}, err
		}
		for _, ref := range medicines {
			own.Sensitivity = own.Sensitivity.And(o.known[ref].held)
		}
		return own, nil
	}
	if !o.always && o.backend.deps.Sensitive == nil && boundOf(o.decision.IncludeView(r.Type())).anybody && boundOf(o.decision.View(r.Type())).anybody {
		return search.Owners{}, nil
	}
	return o.derive(ctx, r, 1)
}

// medicines are what a statement about a medicine refers to, where that counts.
func (o *owners) medicines(r fhir.Resource) (list []fhir.Reference) {
	p, states := sensitive.Medicine(r.Type())
	if !states || o.backend.deps.Sensitive == nil {
		return nil
	}
	for _, v := range p.Extract(r, o.backend.deps.Base) {
		if v.Reference.ID != "" {
			list = append(list, fhir.Reference{Type: v.Reference.Type, ID: v.Reference.ID})
		}
	}
	return list
}

// look classifies content: without categories nobody does.
func (o *owners) look(r fhir.Resource) search.Sensitivity { return o.backend.deps.Sensitive.Of(r) }

// note remembers what was seen already, so that it is not fetched.
func (o *owners) note(r fhir.Resource) {
	if compartment.DerivationOf(r.Type()) == compartment.None && len(o.medicines(r)) == 0 {
		o.known[r.Reference()] = o.source(r)
	}
}

// source is what a resource of content of its own adds.
func (o *owners) source(r fhir.Resource) sourced {
	if compartment.ClassOf(r.Type()) == compartment.Shared {
		return sourced{nothing: true, held: o.look(r)}
	}
	return sourced{owners: compartment.Owners(r, o.backend.deps.Base).Required, held: o.look(r)}
}

// prepare fetches what a page of resources derives from, type by type.
func (o *owners) prepare(ctx context.Context, list []fhir.Resource) error {
	var missing []fhir.Reference
	for _, r := range list {
		missing = append(missing, o.unknown(append(o.sources(r), o.medicines(r)...))...)
	}
	return o.learn(ctx, missing, 1)
}

// derive joins the owners of everything that a resource derives from, and what of that is
// sensitive: what is not here adds nothing; what is here and in nobody's record hides it.
func (o *owners) derive(ctx context.Context, r fhir.Resource, depth int) (search.Owners, error) {
	from := o.sources(r)
	if len(from) == 0 || len(from) > maxSources {
		return search.Owners{}, nil
	}
	if err := o.learn(ctx, o.unknown(from), depth); err != nil {
		return search.Owners{}, err
	}
	var all []string
	held := o.look(r)
	for _, ref := range from {
		s, err := o.there(ctx, ref)
		if err != nil {
			return search.Owners{}, err
		}
		held = held.And(s.held)
		if !s.nothing && len(s.owners) == 0 {
			return search.Owners{}, nil
		}
		all = append(all, s.owners...)
	}
	return search.Owners{Required: search.NewIDSet(all...).List(), Sensitivity: held}, nil
}

// there is what a source adds. One that was deleted was about somebody, and nothing tells
// any more about whom: who deletes something takes nobody out of what derives from it
// (ADR 21), so that is in nobody's record then.
func (o *owners) there(ctx context.Context, ref fhir.Reference) (sourced, error) {
	s := o.known[ref]
	if !s.missing {
		return s, nil
	}
	s = sourced{nothing: true, held: search.Classified()}
	_, err := o.backend.fetch(ctx, ref)
	switch {
	case errors.Is(err, fhirstore.ErrGone):
		s = sourced{}
	case err != nil && !isMissing(err):
		return s, err
	}
	o.known[ref] = s
	return s, nil
}

// sources are the local targets of a Provenance, or the security context of a Binary.
func (o *owners) sources(r fhir.Resource) []fhir.Reference {
	var list []fhir.Reference
	switch compartment.DerivationOf(r.Type()) {
	case compartment.FromTargets:
		target, _ := search.Lookup(r.Type(), "target")
		for _, v := range target.Extract(r, o.backend.deps.Base) {
			if v.Reference.ID != "" {
				list = append(list, fhir.Reference{Type: v.Reference.Type, ID: v.Reference.ID})
			}
		}
	case compartment.FromSecurityContextOrAttachers:
		text := r.Root().Member("securityContext").Member("reference").Text()
		if ref, ok := fhir.ParseReference(text, o.backend.deps.Base); ok {
			list = append(list, fhir.Reference{Type: ref.Type, ID: ref.ID})
		}
	}
	return list
}

func (o *owners) unknown(refs []fhir.Reference) []fhir.Reference {
	var list []fhir.Reference
	for _, ref := range refs {
		if _, ok := o.known[ref]; !ok {
			list = append(list, ref)
		}
	}
	return list
}

// learn fetches resources with the rights of the server itself, and remembers what
// each adds. Deeper than a few steps nobody is known.
func (o *owners) learn(ctx context.Context, refs []fhir.Reference, depth int) error {
	for t, ids := range byType(refs) {
		if t == "Patient" && o.backend.deps.Sensitive == nil { // about itself, whether it is there or not
			for _, id := range ids {
				o.known[fhir.Reference{Type: t, ID: id}] = sourced{owners: []string{id}}
			}
			continue
		}
		found, err := o.backend.byID(ctx, t, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			ref := fhir.Reference{Type: t, ID: id}
			r, ok := found[id]
			switch {
			case !ok && t == "Patient": // about itself all the same
				o.known[ref] = sourced{owners: []string{id}, held: search.Classified()}
			case !ok:
				o.known[ref] = sourced{nothing: true, missing: true, held: search.Classified()}
			case len(o.medicines(r)) > 0:
				stated, err := o.of(ctx, r)
				if err != nil {
					return err
				}
				o.known[ref] = sourced{owners: stated.Required, held: stated.Sensitivity}
			case compartment.DerivationOf(t) == compartment.None:
				o.known[ref] = o.source(r)
			case depth < maxDepth:
				o.known[ref] = sourced{} // a circle is in nobody's record
				inner, err := o.derive(ctx, r, depth+1)
				if err != nil {
					return err
				}
				o.known[ref] = sourced{owners: inner.Required, held: inner.Sensitivity}
			default:
				o.known[ref] = sourced{}
			}
		}
	}
	return nil
}

func byType(refs []fhir.Reference) map[fhir.ResourceType][]string {
	m := map[fhir.ResourceType][]string{}
	for _, ref := range refs {
		m[ref.Type] = append(m[ref.Type], ref.ID)
	}
	for t, ids := range m {
		m[t] = search.NewIDSet(ids...).List()
	}
	return m
}

// derived narrows a search of a type whose owners follow from others: to the targets,
// or the ids, that the query names. Those that are about somebody else are not asked
// for.
func (p *plan) derived(ctx context.Context, b *Backend, s *statement) error {
	t := p.query.Type
	p.by = ""
	if p.sent.Has("_id") {
		return nil
	}
	if t != "Provenance" {
		return refused("", "%s cannot be searched on this server, since whom one is about is not in its content. Read it by its id.", t)
	}
	o := b.newOwners(p.decision)
	for _, c := range p.query.Where {
		if c.Parameter.Code == "patient" { // a target that is a patient
			named, plain := namedBy(c)
			if p.patients = p.patients.and(named); plain && !p.empty() {
				p.sent = without(p.sent, c.Parameter.Code)
				p.sent.Set(c.Parameter.Code, naming(c.Parameter.Code, "Patient", p.patients.ids.List()))
			}
			return nil
		}
		if c.Parameter.Code != "target" || c.Modifier != "" || !s.declares(t, "target") {
			continue
		}
		targets, err := p.visible(ctx, o, c)
		if err != nil {
			return err
		}
		if len(targets) == 0 {
			p.patients = within{}
			return nil
		}
		p.sent = without(p.sent, "target")
		for _, ref := range targets {
			p.sent.Set("target", joined(p.sent.Get("target"), ref.String()))
		}
		return nil
	}
	return refused("", "Search %s by target, or have it come along with _revinclude=%s:target.", t, t)
}

// visible are the targets of a clause that are about nobody outside of the view.
func (p *plan) visible(ctx context.Context, o *owners, c search.Clause) ([]fhir.Reference, error) {
	var named []fhir.Reference
	for _, op := range c.Operands {
		switch {
		case op.URL != "":
		case op.Reference.Type == "":
			return nil, refused("target", "Name the targets of Provenance with their types, such as Observation/1.")
		default:
			named = append(named, fhir.Reference{Type: op.Reference.Type, ID: op.Reference.ID})
		}
	}
	if len(named) > maxSources {
		return nil, refused("target", "Name at most %d targets at a time.", maxSources)
	}
	if err := o.learn(ctx, o.unknown(named), 1); err != nil {
		return nil, err
	}
	var seen []fhir.Reference
	for _, ref := range named {
		if s := o.known[ref]; s.nothing || (search.Owners{Required: s.owners}).Within(p.patients.ids) {
			seen = append(seen, ref)
		}
	}
	return seen, nil
}

func without(values url.Values, name string) url.Values {
	rest := url.Values{}
	for n, list := range values {
		if n != name {
			rest[n] = list
		}
	}
	return rest
}

func joined(list, one string) string {
	if list == "" {
		return one
	}
	return list + "," + one
}
