package register

import (
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// ceilingOf is everything that a client which registered itself may ask for: what
// an operator has set for it; else no more than the policy, or than it has already.
func (r *Registrar) ceilingOf(c store.Client) string {
	switch {
	case c.Ceiling.Scope != "":
		return c.Ceiling.Scope
	case c.RegisteredWith == store.RegisteredByForm:
		return r.OpenScope() + " " + c.Scope
	}
	return r.deps.Self.Scope + " " + c.Scope
}

// OpenScope is what an app may ask for that came by the form, of which nobody knows
// anything: the policy without what reaches beyond one patient.
func (r *Registrar) OpenScope() string {
	set := smart.NewScopeSet(strings.Fields(r.deps.Self.Scope))
	return strings.Join(set.Without(func(text string) bool {
		scope, err := smart.ParseScope(text)
		return err == nil && scope.Level() != smart.LevelPatient
	}).Strings(), " ")
}

// setByOperator keeps what an operator's document says of a client that registered
// itself, so that it binds the client's own changes; null takes it back. The members
// that bind now and did not before are among what changed.
func (m *metadata) setByOperator(now *store.Client, changed []string, patch members) []string {
	if !now.SelfRegistered {
		return changed
	}
	before := now.Ceiling
	if value, said := patch["scope"]; said {
		if now.Ceiling.Scope = ""; value.Kind() != 'n' {
			now.Ceiling.Scope = m.Scope
		}
	}
	const pushed, bound = "require_pushed_authorization_requests", "dpop_bound_access_tokens"
	if _, said := patch[pushed]; said {
		now.Ceiling.RequirePushed = m.RequirePushed
	}
	if _, said := patch[bound]; said {
		now.Ceiling.DPoPBound = m.DPoPBound
	}
	for member, other := range map[string]bool{
		"scope": before.Scope != now.Ceiling.Scope, pushed: before.RequirePushed != now.Ceiling.RequirePushed, bound: before.DPoPBound != now.Ceiling.DPoPBound,
	} {
		if other && !slices.Contains(changed, member) {
			changed = append(changed, member)
		}
	}
	slices.Sort(changed)
	now.OperatorSet = now.OperatorSet || len(changed) > 0
	return changed
}
