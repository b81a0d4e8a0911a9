package access

// userRule: a user/ scope means something when a user stands behind the token,
// and reaches the records of the patients whom the user reaches now, never more
// (SMART App Launch 2.2, scopes: user-level; SCOPE-21). Who reaches everybody reaches
// everything, as a service does of which the operator said so: no list of patients is made.
func (k *known) userRule() (ground, bool) {
	if k.facts.HasUser && k.facts.Everybody {
		return ground{reach: everything}, true
	}
	return aboutPatients(ofUser, k.facts.Reach), k.facts.HasUser
}
