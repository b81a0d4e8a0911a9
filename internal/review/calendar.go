package review

import (
	"fmt"
	"time"
)

// Calendar knows the business days of an organisation. The zero value has no
// holidays and counts in UTC.
type Calendar struct {
	zone     *time.Location
	holidays map[string]bool // by date, as 2026-12-25
}

// maxHolidays bounds the list: ten years of a generous country.
const maxHolidays = 400

// NewCalendar takes the name of a time zone (IANA; empty is UTC) and the holidays as
// dates.
func NewCalendar(zone string, holidays []string) (Calendar, error) {
	at, err := time.LoadLocation(zone)
	if err != nil {
		return Calendar{}, fmt.Errorf("time_zone: %q is no time zone that this machine knows, such as America/New_York", zone)
	}
	if len(holidays) > maxHolidays {
		return Calendar{}, fmt.Errorf("holidays: at most %d", maxHolidays)
	}
	c := Calendar{at, make(map[string]bool, len(holidays))}
	for _, day := range holidays {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return Calendar{}, fmt.Errorf("holidays: %q is no date such as 2026-12-25", day)
		}
		c.holidays[day] = true
	}
	return c, nil
}

// End is the last moment of the n-th business day after the day of a time.
func (c Calendar) End(from time.Time, n int) time.Time {
	day := c.In(from)
	for n > 0 {
		day = time.Date(day.Year(), day.Month(), day.Day()+1, 12, 0, 0, 0, day.Location()) // noon: no clock is set then
		if c.business(day) {
			n--
		}
	}
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, day.Location()).Add(-time.Millisecond)
}

// In is a time as the organisation's clocks show it.
func (c Calendar) In(t time.Time) time.Time {
	if c.zone == nil {
		return t.UTC()
	}
	return t.In(c.zone)
}

func (c Calendar) business(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !c.holidays[day.Format(time.DateOnly)]
}
