package upstream

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// rooms are where answers are read into. A room is used again when whoever has the
// answer gives it back, so that nothing of it may be held then.
var rooms = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// largestRoom is what is kept of them.
const largestRoom = 1 << 20

// readWhole reads a body into a room.
func readWhole(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, errTooLarge
	}
	room := rooms.Get().(*bytes.Buffer)
	if resp.ContentLength > 0 {
		room.Grow(int(resp.ContentLength) + bytes.MinRead) // ReadFrom looks for the end in so much
	}
	n, err := room.ReadFrom(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		err = failure(err)
	case n > limit:
		err = errTooLarge
	default:
		return room.Bytes(), nil
	}
	giveBack(room.Bytes())
	return nil, err
}

// giveBack takes a room back.
func giveBack(answer []byte) {
	if cap(answer) > 0 && cap(answer) <= largestRoom {
		rooms.Put(bytes.NewBuffer(answer[:0]))
	}
}
