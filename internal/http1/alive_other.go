//go:build !unix

package http1

// alive: an idle connection cannot be looked at here; one that is broken shows with the
// next call.
func (c *conn) alive() bool { return true }
