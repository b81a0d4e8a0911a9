package account

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// BirthDate is a day as records write it, of the three numbers that somebody typed; false:
// it is no day on which a person can have been born.
func BirthDate(year, month, day string) (string, bool) {
	y, err1 := strconv.Atoi(year)
	m, err2 := strconv.Atoi(month)
	n, err3 := strconv.Atoi(day)
	if err := errors.Join(err1, err2, err3); err != nil || y < 1850 || y > 2200 {
		return "", false
	}
	s := fmt.Sprintf("%04d-%02d-%02d", y, m, n)
	_, err := time.Parse(time.DateOnly, s)
	return s, err == nil
}
