package door_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/door"
)

// A database that cannot answer now is told as such, through every layer that adds
// its words; what is broken is not.
//
// spec: ERR-36
func TestABusyDatabaseIsUnavailable(t *testing.T) {
	busy := fmt.Errorf("loading a client: %w", fmt.Errorf("%w: too many writes are waiting", db.ErrUnavailable))
	if !door.Unavailable(busy) {
		t.Error("a busy database counts as broken")
	}
	for _, err := range []error{db.ErrFailed, db.ErrUnique, db.ErrOutcomeUnknown, nil} {
		if door.Unavailable(err) {
			t.Errorf("%v counts as busy", err)
		}
	}
	d, err := db.Open(t.Context(), db.Config{URL: "postgres://127.0.0.1:1/nothing?connect_timeout=1"})
	if err == nil {
		_, err = d.Exec(t.Context(), "SELECT 1")
		_ = d.Close()
	}
	if !door.Unavailable(err) {
		t.Errorf("an unreachable server: %v", err)
	}
	if _, err := db.Open(t.Context(), db.Config{URL: db.SQLiteURL(filepath.Join(t.TempDir(), "no", "such", "folder.db"))}); door.Unavailable(err) {
		t.Errorf("a wrong path counts as busy: %v", err)
	}
}
