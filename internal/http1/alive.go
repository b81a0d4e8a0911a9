package http1

import (
	"errors"
	"os"
	"time"
)

// alive looks, without waiting, whether the server has closed an idle connection or said
// something that nobody asked for: both end its use.
func (c *conn) alive() bool { return c.quiet() && (!c.layered || c.nothingWaits()) }

// nothingWaits looks into what is spoken over: a record of TLS that came together with
// the last answer was taken from the socket with it, and waits above.
func (c *conn) nothingWaits() bool {
	if c.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	var one [1]byte
	n, err := c.Conn.Read(one[:])
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.SetReadDeadline(time.Time{}) == nil
}
