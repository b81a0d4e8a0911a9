//go:build unix

package http1

import "syscall"

// quiet: the socket is open and nothing came. What cannot be looked at is not quiet.
func (c *conn) quiet() bool {
	if c.raw == nil {
		return false
	}
	quiet := false
	err := c.raw.Read(func(fd uintptr) bool {
		var one [1]byte
		_, e := syscall.Read(int(fd), one[:])
		quiet = e == syscall.EAGAIN || e == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && quiet
}
