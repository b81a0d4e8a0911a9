package db

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// syncedLog is the write-ahead log as this process makes it durable: the commit
// writes it, sync flushes it. SQLite would do both inside of COMMIT, and nothing
// could be written meanwhile.
type syncedLog struct {
	file     *os.File
	flush    func(*os.File) error
	sameFile func() error
}

// openLog opens the log of a database that the writer has opened. The file stays
// for as long as the writer's connection does.
func openLog(path string, sameFile func() error) (*syncedLog, error) {
	file, err := os.OpenFile(path+"-wal", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("write-ahead log: %w", err)
	}
	l := &syncedLog{file, flush, sameFile}
	if err := errors.Join(l.sync(), syncFolder(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// sync makes everything durable that was committed before it began. Order: the
// database file is looked at after that and before anybody is answered, so that
// nothing is acknowledged into a removed file (security F-14). An error is final:
// what a second attempt would say is worth nothing (F-08).
func (l *syncedLog) sync() error {
	if err := l.flush(l.file); err != nil {
		return kinded{ErrFailed, fmt.Errorf("write-ahead log: %w", err)}
	}
	if err := l.sameFile(); err != nil {
		return kinded{ErrFailed, err}
	}
	return nil
}

func (l *syncedLog) close() error { return l.file.Close() }
