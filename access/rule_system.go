package access

// systemStands: no client has rights of its own here, so a system/ scope means
// nothing, whoever carries it.
func systemStands() bool { return false }

// systemGround is empty for the same reason.
func systemGround() ground { return ground{} }
