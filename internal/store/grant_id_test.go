package store_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

func TestGrantIDsOfOneMomentStandTogetherAndDiffer(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	bytes := func(at time.Time) []byte {
		raw, err := base64.RawURLEncoding.DecodeString(string(store.NewGrantID(at)))
		if err != nil || len(raw) != 16 {
			t.Fatalf("%d bytes, %v", len(raw), err)
		}
		return raw
	}
	first, second, later := bytes(now), bytes(now), bytes(now.Add(16*time.Millisecond))
	if string(first[:4]) != string(second[:4]) || string(first[4:]) == string(second[4:]) {
		t.Error("of one moment: the beginnings must be the same and the rest not")
	}
	if string(later[:4]) <= string(first[:4]) {
		t.Error("a later id does not come after an earlier one")
	}
}
