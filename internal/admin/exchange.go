package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

// exportClients writes one client a line, with the hashes of its secrets.
func (d *Door) exportClients(w http.ResponseWriter, r *http.Request) {
	clients, err := d.deps.Store.ListClients(r.Context())
	var lines bytes.Buffer
	for _, c := range clients {
		line, failed := register.Export(c)
		err = errors.Join(err, failed)
		lines.Write(append(line, '\n'))
	}
	if err == nil {
		err = d.record(r.Context(), "client.exported", store.Event{})
	}
	if err != nil {
		d.answer(func(*http.Request) (int, any, error) { return 0, nil, err })(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = w.Write(lines.Bytes())
}

// maxImport bounds what is imported at once, in bytes.
const maxImport = 32 << 20

// importClients takes all clients of a file, or none: JSON objects one after
// another, or a list of them.
func (d *Door) importClients(r *http.Request) (int, any, error) {
	raw, err := body(r, maxImport)
	if err != nil {
		return 0, nil, err
	}
	var all []store.Client
	taken := map[store.ClientID]bool{}
	for part, err := range documents(raw) {
		if err != nil {
			return http.StatusBadRequest, mistake{"invalid_client_metadata", "this is not a JSON object", part.line}, nil
		}
		c, err := d.deps.Registrar.Import(part.raw)
		if err != nil {
			return judged(err, part.raw, part.line)
		}
		used, err := d.idUsed(r.Context(), c.ID)
		switch {
		case err != nil:
			return 0, nil, err
		case used || taken[c.ID]:
			return http.StatusConflict, mistake{"conflict", "client_id: " + string(c.ID) + " is taken", part.line}, nil
		}
		taken[c.ID] = true
		all = append(all, c)
	}
	err = d.deps.Store.ImportClients(r.Context(), all, store.Event{At: d.deps.Now(), Kind: "client.imported", Actor: "operator", Outcome: "ok"})
	if errors.Is(err, store.ErrConflict) {
		return 0, nil, conflict("one of the client ids belonged to a client that was removed: ids are never given again")
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]int{"imported": len(all)}, d.deps.Refresh(r.Context())
}

// idUsed reports whether a client has an id, or a person: a token whose subject is its
// client is that of a backend service (OIDC-08).
func (d *Door) idUsed(ctx context.Context, id store.ClientID) (bool, error) {
	_, err := d.deps.Store.Client(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		_, err = d.deps.Store.User(ctx, store.UserID(id))
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// part is one document of a file with the line where it begins.
type part struct {
	raw  []byte
	line int
}

// documents yields the objects of a file, an error at the first thing that is none.
func documents(raw []byte) func(yield func(part, error) bool) {
	return func(yield func(part, error) bool) {
		dec := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(false))
		line := func(offset int64) int { return 1 + bytes.Count(raw[:min(offset, int64(len(raw)))], []byte("\n")) }
		list := dec.PeekKind() == '['
		if list {
			_, _ = dec.ReadToken()
		}
		for dec.PeekKind() == '{' {
			value, err := dec.ReadValue()
			end := dec.InputOffset()
			if err != nil {
				yield(part{line: line(syntaxOffset(err, end))}, err)
				return
			}
			if !yield(part{value.Clone(), line(end - int64(len(value)))}, nil) {
				return
			}
		}
		if list && dec.PeekKind() == ']' {
			_, _ = dec.ReadToken()
		}
		if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
			yield(part{line: line(syntaxOffset(err, dec.InputOffset()))}, errNoObject)
		}
	}
}

var errNoObject = errors.New("admin: not a JSON object")

func syntaxOffset(err error, otherwise int64) int64 {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return syntactic.ByteOffset
	}
	return otherwise
}
