//go:build unix

package http1

import "syscall"

// alive looks, without waiting, whether the server has closed an idle connection or said
// something that nobody asked for: both end its use.
func (c *conn) alive() bool {
	if c.raw == nil {
		return true
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
