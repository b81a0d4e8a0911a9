package fhirapi

import "time"

// Pace makes exports go on in small steps.
func (d *Door) Pace(atStart, atStatus time.Duration, portion, file, page int) {
	d.exports.pace = pace{atStart, atStatus, portion, file, page}
}
