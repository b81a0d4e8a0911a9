package access

// sharedAllows: shared types are read and searched, never written.
func sharedAllows(permission byte) bool { return permission == 'r' || permission == 's' }

// sharedGround: directories and definitions are about no patient; a scope that
// concerns them reaches all of them, whoever is in context (US Core needs
// Practitioner, Organization, Location and Medication; SCOPE-26).
func sharedGround() ground { return ground{all: true} }
