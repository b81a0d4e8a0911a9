//go:build !linux

package db

import "os"

// flush makes the content of a file durable, down to the disk where the system can.
func flush(f *os.File) error { return f.Sync() }

// syncFolder does nothing: not every system can flush a folder, and SQLite has done
// what this one can.
func syncFolder(string) error { return nil }
