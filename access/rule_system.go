package access

// systemRule: no client has rights of its own here, so a system/ scope means
// nothing, whoever carries it.
func systemRule() (ground, bool) { return ground{}, false }
