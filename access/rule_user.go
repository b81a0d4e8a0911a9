package access

// userGround: a user/ scope reaches the records of the patients whom the user
// reaches now, never more (SMART App Launch 2.2, scopes: user-level; SCOPE-21).
func (s Subject) userGround() ground {
	if !s.facts.HasUser {
		return ground{}
	}
	return ground{patients: s.facts.Reach}
}
