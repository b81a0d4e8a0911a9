package smart

// Names of capabilities in a smart-configuration document (SMART App Launch 2.2,
// conformance). A server lists those that it has.
const (
	CapabilityLaunchEHR                    = "launch-ehr"
	CapabilityLaunchStandalone             = "launch-standalone"
	CapabilityAuthorizePost                = "authorize-post"
	CapabilityClientPublic                 = "client-public"
	CapabilityClientConfidentialSymmetric  = "client-confidential-symmetric"
	CapabilityClientConfidentialAsymmetric = "client-confidential-asymmetric"
	CapabilitySSOOpenIDConnect             = "sso-openid-connect"
	CapabilityContextBanner                = "context-banner"
	CapabilityContextStyle                 = "context-style"
	CapabilityContextEHRPatient            = "context-ehr-patient"
	CapabilityContextEHREncounter          = "context-ehr-encounter"
	CapabilityContextStandalonePatient     = "context-standalone-patient"
	CapabilityContextStandaloneEncounter   = "context-standalone-encounter"
	CapabilityPermissionOffline            = "permission-offline"
	CapabilityPermissionOnline             = "permission-online"
	CapabilityPermissionPatient            = "permission-patient"
	CapabilityPermissionUser               = "permission-user"
	CapabilityPermissionV1                 = "permission-v1"
	CapabilityPermissionV2                 = "permission-v2"
	CapabilitySMARTAppState                = "smart-app-state"
)
