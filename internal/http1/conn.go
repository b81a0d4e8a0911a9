package http1

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"syscall"
	"time"
)

// maxInformational is how many answers of kind 1xx are read over (RFC 9110 §15.2).
const maxInformational = 5

var errHead = errors.New("http1: the head of the answer is too large")

// conn is one connection, used by one call at a time.
type conn struct {
	net.Conn                 // what is spoken over
	raw      syscall.RawConn // below it; nil: it cannot be looked at
	layered  bool            // there is something between the two, which may hold what came
	r        *bufio.Reader
	w        *bufio.Writer

	stop     func() bool // no longer ends with the caller's time; false: it has
	left     int64       // bytes that may still be read
	answered bool        // something came
	unsent   error       // why the request could not be sent whole
	since    time.Time   // idle
}

// newConn is what is spoken over, above the TCP connection.
func newConn(spoken, below net.Conn, buffer int) *conn {
	c := &conn{Conn: spoken, layered: spoken != below}
	if s, ok := below.(syscall.Conn); ok {
		c.raw, _ = s.SyscallConn() // nil: used for one call
	}
	c.r, c.w = bufio.NewReaderSize(source{c}, buffer), bufio.NewWriter(sink{c})
	return c
}

// begin is the start of a call, which ends with the context.
func (c *conn) begin(ctx context.Context, head int64) {
	c.left, c.answered, c.unsent = head, false, nil
	c.stop = context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // a closed one needs none
}

// call writes the request and reads the head of its answer. A server may answer, and
// close, before it has read all.
func (c *conn) call(req *http.Request) (*http.Response, error) {
	err := req.Write(c.w)
	if err == nil {
		err = c.w.Flush()
	}
	if err != nil && c.unsent == nil {
		return nil, err // the request itself is not whole
	}
	resp, failed := c.head(req)
	if failed != nil {
		return nil, errors.Join(c.unsent, failed)
	}
	c.left = math.MaxInt64
	return resp, nil
}

// head reads the final answer, up to its body.
func (c *conn) head(req *http.Request) (*http.Response, error) {
	for range maxInformational + 1 {
		resp, err := http.ReadResponse(c.r, req)
		switch {
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		case resp.StatusCode >= http.StatusOK:
			return resp, nil
		case resp.StatusCode < http.StatusContinue || resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, fmt.Errorf("http1: an answer with status %d, which nobody asked for", resp.StatusCode)
		}
	}
	return nil, fmt.Errorf("http1: more than %d informational answers", maxInformational)
}

// finish is the end of a call whose answer was read whole; true: the connection may be
// used again.
func (c *conn) finish() bool { return c.stop() && c.unsent == nil && c.r.Buffered() == 0 }

// abandon closes the connection in the middle of a call.
func (c *conn) abandon() {
	c.stop()
	_ = c.Close() // nothing more is expected of it
}

// source is what comes, counted.
type source struct{ c *conn }

func (s source) Read(p []byte) (int, error) {
	if s.c.left <= 0 {
		return 0, errHead
	}
	if int64(len(p)) > s.c.left {
		p = p[:s.c.left]
	}
	n, err := s.c.Conn.Read(p)
	s.c.left -= int64(n)
	s.c.answered = s.c.answered || n > 0
	return n, err
}

// sink is what goes.
type sink struct{ c *conn }

func (s sink) Write(p []byte) (int, error) {
	n, err := s.c.Conn.Write(p)
	if err != nil {
		s.c.unsent = err
	}
	return n, err
}
