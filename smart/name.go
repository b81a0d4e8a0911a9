package smart

// Names of scopes that are not clinical (SMART App Launch 2.2, scopes; OpenID
// Connect Core §3.1.2.1, §11).
const (
	OpenID          = "openid"
	FHIRUser        = "fhirUser"
	Profile         = "profile" // what SMART 1 clients ask for in place of fhirUser
	Launch          = "launch"
	LaunchPatient   = "launch/patient"
	LaunchEncounter = "launch/encounter"
	OfflineAccess   = "offline_access"
	OnlineAccess    = "online_access"
)

// nameSet is a set of names, a bit each.
type nameSet uint8

// nameOf returns the bit of a name; 0: not a name.
func nameOf(text string) nameSet {
	switch text {
	case OpenID:
		return 1 << 0
	case FHIRUser:
		return 1 << 1
	case Profile:
		return 1 << 2
	case Launch:
		return 1 << 3
	case LaunchPatient:
		return 1 << 4
	case LaunchEncounter:
		return 1 << 5
	case OfflineAccess:
		return 1 << 6
	case OnlineAccess:
		return 1 << 7
	}
	return 0
}
