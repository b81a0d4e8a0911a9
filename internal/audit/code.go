package audit

const (
	dcm         = "http://dicom.nema.org/resources/ontology/DCM"
	ownKinds    = "urn:emberlatch:event"
	interaction = "http://hl7.org/fhir/restful-interaction"
	balp        = "https://profiles.ihe.net/ITI/BALP/"
	profiles    = balp + "StructureDefinition/IHE."
	jti         = "urn:ietf:params:oauth:jti:" // before a token id (BALP, IUA)
)

// The codes of DICOM (PS3.16 CID 400 to 402), FHIR R4 and BALP that events use.
var (
	authentication = coding{dcm, "110114", "User Authentication"}
	attributes     = coding{dcm, "110137", "User Security Attributes Changed"}
	rights         = coding{dcm, "110136", "Security Roles Changed"}
	configuration  = coding{dcm, "110131", "Security Configuration"}
	activity       = coding{dcm, "110100", "Application Activity"}
	auditUsed      = coding{dcm, "110101", "Audit Log Used"}
	imported       = coding{dcm, "110107", "Import"}
	exported       = coding{dcm, "110106", "Export"}
	disclose       = coding{"http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose", "Disclose Record Lifecycle Event"}
	alert          = coding{dcm, "110113", "Security Alert"}
	rest           = coding{"http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "Restful Operation"}

	overrideBegan = coding{dcm, "110127", "Emergency Override Started"}
	overrideEnded = coding{dcm, "110138", "Emergency Override Stopped"}
	breakGlass    = coding{"http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG", "break the glass"}

	loggedIn  = coding{dcm, "110122", "Login"}
	loggedOut = coding{dcm, "110123", "Logout"}
	getToken  = coding{"urn:ihe:event-type-code", "ITI-71", "Get Entry Token"}
	byConsent = coding{balp + "CodeSystem/AuthZsubType", "AuthZ-Consent", "Authorization Decision using Roles and Consent"}

	application = coding{dcm, "110150", "Application"}
	sender      = coding{dcm, "110153", "Source Role ID"}
	receiver    = coding{dcm, "110152", "Destination Role ID"}
	custodian   = coding{"http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian", "Custodian"}
	recipient   = coding{"http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient"}
	author      = coding{"http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "AUT", "author (originator)"}
	byToken     = coding{balp + "CodeSystem/UserAgentTypes", "UserOauthAgent", "User Agent participant as known by the OAuth token"}
	tokenServer = coding{balp + "CodeSystem/UserAgentTypes", "AuthzOauthService", "OAuth authorization service"}
	authorizer  = coding{"http://terminology.hl7.org/CodeSystem/extra-security-role-type", "authserver", "authorization server"}
	provider    = coding{"http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV", "healthcare provider"}

	person       = coding{"http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person"}
	systemObject = coding{"http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object"}
	requestID    = coding{balp + "CodeSystem/BasicAuditEntityType", "XrequestId", ""}
	consentType  = coding{"http://hl7.org/fhir/resource-types", "Consent", "Consent"}

	patientRole  = coding{"http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient"}
	dataRole     = coding{"http://terminology.hl7.org/CodeSystem/object-role", "4", "Domain Resource"}
	securityRole = coding{"http://terminology.hl7.org/CodeSystem/object-role", "13", "Security Resource"}
	queryRole    = coding{"http://terminology.hl7.org/CodeSystem/object-role", "24", "Query"}

	webServer = coding{"http://terminology.hl7.org/CodeSystem/security-source-type", "3", "Web Server"}
)

// meaning is what a kind of event is in DICOM, and which action of AuditEvent.
type meaning struct {
	typ     coding
	subtype *coding
	action  string
}

// meanings by the first word of the kind, or by all of it where that says more.
var meanings = map[string]meaning{
	"login":              {authentication, &loggedIn, "E"},
	"login.half":         {authentication, nil, "E"},
	"logout":             {authentication, &loggedOut, "E"},
	"sessions":           {authentication, &loggedOut, "E"},
	"enrol":              {attributes, nil, "C"},
	"user":               {attributes, nil, "U"},
	"user.added":         {attributes, nil, "C"},
	"password":           {attributes, nil, "U"},
	"recovery":           {attributes, nil, "U"},
	"factor":             {attributes, nil, "U"},
	"factor.refused":     {authentication, &loggedIn, "E"},
	"factor.removed":     {attributes, nil, "D"},
	"consent":            {alert, &byConsent, "E"},
	"emergency":          {alert, nil, "E"},
	"emergency.opened":   {alert, &overrideBegan, "E"},
	"emergency.ended":    {alert, &overrideEnded, "E"},
	"grant":              {rights, nil, "D"},
	"client":             {configuration, nil, "U"},
	"client.added":       {configuration, nil, "C"},
	"client.registered":  {configuration, nil, "C"},
	"client.removed":     {configuration, nil, "D"},
	"client.exported":    {configuration, nil, "R"},
	"registration-token": {configuration, nil, "U"},
	"keys":               {configuration, nil, "U"},
	"data":               {imported, nil, "C"},
	"access":             {auditUsed, nil, "R"},
	"audit":              {auditUsed, nil, "R"},
	"audit.pruned":       {auditUsed, nil, "D"},
}

// reachedBy is a detail of a patient: by which ways the user reaches them.
const reachedBy = "reached-by"
