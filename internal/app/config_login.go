package app

import (
	"fmt"
	"slices"

	"github.com/emberlatch/emberlatch/internal/store"
)

// LoginConfig says what people have to show when they sign in.
type LoginConfig struct {
	SecondFactor SecondFactorConfig `yaml:"second_factor"`
}

// SecondFactorConfig says of whom a second factor is required. Everybody may have one.
type SecondFactorConfig struct {
	// Required are roles; who has none yet sets it up at the next sign-in.
	Required []store.Role `yaml:"required"`
}

// roles are those that accounts have.
var roles = []store.Role{store.RolePatient, store.RoleRepresentative, store.RolePractitioner, store.RoleAdministrator}

func (c LoginConfig) validate() []error {
	var wrong []error
	for i, role := range c.SecondFactor.Required {
		if !slices.Contains(roles, role) {
			wrong = append(wrong, fmt.Errorf("login.second_factor.required[%d]: %q is none of patient, representative, practitioner, administrator", i, role))
		}
	}
	return wrong
}

// required reports whether a second factor is required of a role.
func (c LoginConfig) required(role store.Role) bool {
	return slices.Contains(c.SecondFactor.Required, role)
}
