//go:build !unix

package db

import (
	"fmt"
	"os"
)

// lockFile holds the file open exclusively; a leftover after a crash must be
// removed by hand.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %s exists; stop the process that made it, or remove it after a crash", ErrInUse, path)
	}
	return f, nil
}
