//go:build !unix

package http1

// quiet: a socket cannot be looked at here without waiting, so each connection serves one
// call.
func (c *conn) quiet() bool { return false }
