package http1

import (
	"context"
	"io"
)

// body is the body of an answer; with its end the connection is free.
type body struct {
	from io.ReadCloser
	conn *conn
	ctx  context.Context
	t    *Transport
	last bool // no call is to follow over this connection
	gone bool // the connection is not ours any longer
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.gone {
		return 0, io.EOF
	}
	n, err := b.from.Read(p)
	switch {
	case err == io.EOF:
		b.end()
	case err != nil:
		err = ended(b.ctx, err)
		b.drop()
	}
	return n, err
}

// Close implements io.Closer. What was not read to its end takes its connection along.
func (b *body) Close() error {
	if !b.gone {
		b.drop()
	}
	return nil
}

// end: all was read.
func (b *body) end() {
	if b.last || !b.conn.finish() {
		b.drop()
		return
	}
	b.gone = true
	b.t.idle.put(b.conn)
	b.t.leave()
}

func (b *body) drop() {
	b.gone = true
	b.conn.abandon()
	b.t.leave()
}
