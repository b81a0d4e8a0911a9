package access

// sharedRule: directories and definitions are about no patient. A scope that
// concerns them reaches all of them, whoever is in context, to read and to find
// (US Core needs Practitioner, Organization, Location and Medication; SCOPE-26,
// RSP-10). No app changes them.
func sharedRule(permission byte) (ground, bool) {
	if permission != 'r' && permission != 's' {
		return ground{}, false
	}
	return ground{reach: everything}, true
}
