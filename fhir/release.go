package fhir

import "sync"

// rooms are where the marks of documents stand that are released.
var rooms = sync.Pool{New: func() any { return new([]mark) }}

// largestRoom is what is kept of them, in marks.
const largestRoom = 1 << 16

// Release ends a document that ReadDocument read, and gives its bytes back: they are the
// caller's again, to be used for another one. Nobody may hold anything of it then but
// texts. Who looks at a value or a resource of it all the same panics, so that none is
// taken for that of another document. Bytes of JSON must not be held either: these the
// caller has to see to.
func (n Node) Release() []byte {
	s := n.scan
	if s == nil || s.room == nil {
		return nil
	}
	text, room := s.text, s.room
	*room = s.marks
	s.text, s.marks, s.room = nil, nil, nil
	if cap(*room) <= largestRoom {
		rooms.Put(room)
	}
	return text
}
