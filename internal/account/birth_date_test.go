package account_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/internal/account"
)

// spec: LOGIN-03
func TestBirthDates(t *testing.T) {
	for _, row := range []struct{ year, month, day, want string }{
		{"1980", "2", "29", "1980-02-29"}, {"1980", "02", "29", "1980-02-29"},
		{"1981", "2", "29", ""}, {"1980", "13", "1", ""}, {"1980", "0", "1", ""}, {"80", "2", "29", ""}, {"1849", "1", "1", ""}, {"2201", "1", "1", ""},
		{"", "2", "29", ""}, {"1980", "", "29", ""}, {"1980", "2", "", ""}, {"1980", "2", "x", ""}, {"1980", "2", "2 9", ""}, {"99999999999999999999", "1", "1", ""},
	} {
		if got, ok := account.BirthDate(row.year, row.month, row.day); ok != (row.want != "") || ok && got != row.want {
			t.Errorf("%+v: %q %v", row, got, ok)
		}
	}
}
