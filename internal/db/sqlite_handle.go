package db

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// statementLimit bounds the statements that a connection keeps: texts are constants,
// but searches are composed.
const statementLimit = 512

// largeArgument is how long one may be that stays with its statement until the next run,
// in bytes.
const largeArgument = 4 << 10

// handle is one connection to SQLite with its prepared statements. One goroutine uses
// it at a time.
type handle struct {
	conn   *sqlite.Conn
	byText map[string]*prepared
	order  []*prepared // the oldest first
}

// prepared is a statement, and which argument each of its parameters takes.
type prepared struct {
	*sqlite.Stmt
	text   string
	params []int
	large  []int // parameters whose argument is let go after each run
	inUse  bool
	gone   bool // not kept: it ends with its use
}

// openHandle opens an existing file and proves that its settings took effect.
func openHandle(path string, busy time.Duration, to purpose) (*handle, error) {
	flags := sqlite.OpenReadWrite
	if to == reading {
		flags = sqlite.OpenReadOnly
	}
	conn, err := sqlite.OpenConn(path, flags)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busy)
	h := &handle{conn: conn, byText: map[string]*prepared{}}
	for _, setting := range settings(to) {
		if _, err := h.exec("PRAGMA "+setting, nil); err != nil {
			return nil, errors.Join(err, h.close())
		}
	}
	return h, nil
}

// prepare finds the statement or makes it. When there are too many the oldest half
// leaves.
func (h *handle) prepare(text string) (*prepared, error) {
	p, known := h.byText[text]
	if known && !p.inUse {
		return p, nil
	}
	stmt, rest, err := h.conn.PrepareTransient(text)
	if err != nil {
		return nil, err
	}
	p = &prepared{Stmt: stmt, text: text, gone: known}
	if strings.TrimSpace(text[len(text)-rest:]) != "" {
		return nil, errors.Join(errors.New("db: more than one statement"), stmt.Finalize())
	}
	for i := range stmt.BindParamCount() {
		n, err := strconv.Atoi(strings.TrimLeft(stmt.BindParamName(i+1), "$?"))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("db: parameter %q has no number", stmt.BindParamName(i+1)), stmt.Finalize())
		}
		p.params = append(p.params, n-1)
	}
	if known {
		return p, nil
	}
	if len(h.order) >= statementLimit {
		h.drop(statementLimit / 2)
	}
	h.byText[text], h.order = p, append(h.order, p)
	return p, nil
}

// drop forgets the n oldest.
func (h *handle) drop(n int) {
	gone := h.order[:n]
	h.order = append([]*prepared(nil), h.order[n:]...)
	for _, g := range gone {
		delete(h.byText, g.text)
		if g.gone = true; !g.inUse {
			_ = g.Finalize() // tells again what its last run has told
		}
	}
}

// start prepares and binds a statement.
func (h *handle) start(text string, args []any) (*prepared, error) {
	if err := checkArgs(args); err != nil {
		return nil, err
	}
	p, err := h.prepare(text)
	if err != nil {
		return nil, err
	}
	for i, n := range p.params {
		if n >= len(args) {
			err = fmt.Errorf("db: argument %d is missing", n+1)
		} else {
			err = p.bind(i+1, args[n])
		}
		if err != nil {
			h.finish(p)
			return nil, err
		}
	}
	p.inUse = true
	return p, nil
}

// finish ends a use of a statement. Errors of its run were told already.
func (h *handle) finish(p *prepared) {
	p.inUse = false
	if p.gone {
		_ = p.Finalize()
		return
	}
	_ = p.Reset()
	// Order: not all arguments are cleared, which would have SQLite parse a statement
	// anew whose plan looks at one of them.
	for _, param := range p.large {
		p.BindNull(param)
	}
	p.large = p.large[:0]
}

// exec runs a statement to its end and tells how many rows it has changed.
func (h *handle) exec(text string, args []any) (int64, error) {
	p, err := h.start(text, args)
	if err != nil {
		return 0, err
	}
	defer h.finish(p)
	for more := true; more; {
		if more, err = p.Step(); err != nil {
			return 0, err
		}
	}
	return int64(h.conn.Changes()), nil
}

// query runs a statement up to its first row, so that what it refuses is told here. The
// rows end with ctx; free is called when they are closed.
func (h *handle) query(ctx context.Context, text string, args []any, note func(error) error, free func()) (*sqliteRows, error) {
	p, err := h.start(text, args)
	if err != nil {
		return nil, note(err)
	}
	r := &sqliteRows{handle: h, stmt: p, ctx: ctx, note: note, free: free}
	if ctx.Done() != nil {
		h.conn.SetInterrupt(ctx.Done())
	}
	if r.first = r.step(); r.err != nil {
		r.free = nil // the caller gets no rows
		r.Close()
		return nil, r.err
	}
	return r, nil
}

// text reads the one value of a statement.
func (h *handle) text(query string) (value string, err error) {
	rows, err := h.query(context.Background(), query, nil, sqliteError, nil)
	if err != nil {
		return "", err
	}
	return value, scanOne(rows, []any{&value})
}

func (h *handle) close() error {
	h.drop(len(h.order))
	return h.conn.Close()
}
