package access

// userRule: a user/ scope means something when a user stands behind the token,
// and reaches the records of the patients whom the user reaches now, never more
// (SMART App Launch 2.2, scopes: user-level; SCOPE-21).
func (k *known) userRule() (ground, bool) {
	return aboutPatients(ofUser, k.facts.Reach), k.facts.HasUser
}
