package page_test

import (
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
)

// noon is when all samples are looked at.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// sample is a page as people meet it, in one of its states.
type sample struct {
	name   string
	status int
	page   page.Page
}

func shell(path string) page.Shell {
	return page.Shell{
		AppName: "GrowthTracker", Self: path + "?request=rq_5", Action: path, Handle: "rq_5", Ticket: "tk_7",
		FormTargets: []string{page.FormTarget("https://app.example.org/cb")},
	}
}

// samples are all pages, each in the states that look different.
func samples() []sample {
	var list []sample
	list = append(list, loginSamples()...)
	list = append(list, secondStepSamples()...)
	list = append(list, enrolSamples()...)
	list = append(list, recoverSamples()...)
	list = append(list, choiceSamples()...)
	list = append(list, emergencySamples()...)
	list = append(list, approveSamples()...)
	list = append(list, developerSamples()...)
	list = append(list, connectedSamples()...)
	return append(list, endSamples()...)
}

func loginSamples() []sample {
	login := page.SignIn{Shell: shell("/login"), CanEnrol: true, EnrolURL: "/enrol?request=rq_5", RecoverURL: "/recover?request=rq_5"}
	failed := login
	failed.Username, failed.Failed = "maria", true
	waiting := login
	waiting.Username, waiting.WaitSeconds = "maria", 45
	again := login
	again.Reauthenticate, again.Username = true, "maria"
	known := login
	known.SignedInAs = "Maria Lopez"
	return []sample{
		{"sign-in", 200, login}, {"sign-in-failed", 200, failed}, {"sign-in-waiting", 429, waiting},
		{"sign-in-again", 200, again}, {"sign-in-known", 200, known}, {"signed-out", 200, page.SignedOut{}},
		{"signed-out-leave", 200, page.SignedOut{Leave: page.Leave{URL: "https://app.example.org/bye?x=1&state=a%26b", Host: "app.example.org"}}},
		{"sign-out", 200, page.SignOut{Shell: shell("/logout"), User: "Maria Lopez"}}, {"still-signed-in", 200, page.StillSignedIn{}},
	}
}

func enrolSamples() []sample {
	mistakes := page.Identify{
		Shell: shell("/enrol"), Given: "", Family: "O'Neill", Year: "62", Month: "3", Day: "27", Code: "",
		Problems: []page.FieldProblem{
			{Field: "given", Message: "identify.given-missing"}, {Field: "birth_date-year", Message: "identify.date-wrong"},
			{Field: "code", Message: "identify.code-missing"},
		},
	}
	failed := page.Identify{Shell: shell("/enrol"), Given: "Nora", Family: "O'Neill", Year: "1962", Month: "3", Day: "27", Code: "K7QP-2M9D", Failed: true}
	create := page.CreateCredentials{Shell: shell("/enrol")}
	refused := create
	refused.Username = "nora"
	refused.Problems = []page.FieldProblem{{Field: "username", Message: "username-taken"}, {Field: "password", Message: "password-common"}}
	return []sample{
		{"identify", 200, page.Identify{Shell: shell("/enrol")}}, {"identify-mistakes", 200, mistakes}, {"identify-failed", 200, failed},
		{"create-credentials", 200, create}, {"create-credentials-refused", 200, refused},
	}
}

func recoverSamples() []sample {
	p := page.Recover{Shell: shell("/recover"), SignInURL: "/login?request=rq_5"}
	mistakes := p
	mistakes.Username, mistakes.Day, mistakes.Month, mistakes.Year, mistakes.DisconnectApps = "maria", "27", "3", "62", true
	mistakes.Problems = []page.FieldProblem{
		{Field: "code", Message: "recover.code-missing"}, {Field: "birth_date-day", Message: "identify.date-wrong"},
		{Field: "password", Message: "password-common"}, {Field: "again", Message: "recover.differ"},
	}
	failed := p
	failed.Username, failed.Code, failed.Failed = "maria", "RCAB-2345-CDEF-GHJK-LMNP-QRST-UVWX", true
	waiting := failed
	waiting.Failed, waiting.WaitSeconds = false, 480
	own := page.Recovered{Shell: page.Shell{Self: "/login?request=manage"}, AppsDisconnected: true, SignInURL: "/login?request=manage"}
	app := page.Recovered{Shell: page.Shell{AppName: "GrowthTracker", Self: "/login?request=rq_5"}, SignInURL: "/login?request=rq_5"}
	return []sample{
		{"recover", 200, p}, {"recover-mistakes", 200, mistakes}, {"recover-failed", 200, failed}, {"recover-waiting", 429, waiting},
		{"recovered", 200, own}, {"recovered-app", 200, app},
	}
}

func choiceSamples() []sample {
	family := []page.Person{
		{ID: "p-maria", Name: "Maria Lopez", BirthDate: "1987-02-20", Age: 39, Self: true},
		{ID: "p-leo", Name: "Leo Lopez", Relationship: "child", BirthDate: "2015-09-01", Age: 10, Until: time.Date(2033, 9, 1, 0, 0, 0, 0, time.UTC)},
	}
	missed := page.ChoosePerson{Shell: shell("/choose"), People: family, Failed: true}
	panel := []page.Person{
		{ID: "p-amy-1", Name: "Amy Shaw", BirthDate: "1987-02-20", Age: 39, Sex: "female", RecordNumber: "MRN-10023", SameName: true},
		{ID: "p-amy-2", Name: "Amy Shaw", BirthDate: "2025-01-11", Age: 1, Sex: "female", RecordNumber: "MRN-88012", SameName: true},
		{ID: "p-ben", Name: "Benjamin Wolfeschlegelsteinhausenbergerdorff", BirthDate: "1951-12-03", Age: 74, Sex: "male", RecordNumber: "MRN-10477"},
	}
	found := page.ChoosePatient{Shell: shell("/choose"), Query: "shaw", Searched: true, Found: panel, More: true}
	visit := page.ChooseEncounter{
		Shell: shell("/choose/encounter"), Patient: panel[1], More: true, Encounters: []page.Encounter{
			{ID: "e-2", Kind: "Check up", Date: "2026-05-04", Place: "Valley Clinic, main building", With: "Benjamin Wolfeschlegelsteinhausenbergerdorff"},
			{ID: "e-1", Date: "2026"},
		},
	}
	own := page.ChooseEncounter{Shell: shell("/choose/encounter"), Patient: family[0], Self: true, Encounters: visit.Encounters[:1], Failed: true}
	return []sample{
		{"choose-encounter", 200, visit}, {"choose-encounter-missed", 400, own},
		{"choose-person", 200, page.ChoosePerson{Shell: shell("/choose"), People: family}}, {"choose-person-missed", 400, missed},
		{"choose-patient", 200, page.ChoosePatient{Shell: shell("/choose"), Found: panel}}, {"choose-patient-found", 200, found},
		{"choose-patient-none", 200, page.ChoosePatient{Shell: shell("/choose"), Query: "nobody", Searched: true}},
		{"choose-patient-emergency", 200, page.ChoosePatient{
			Shell: shell("/choose"), Query: "Amy Shaw", BirthDate: "1987-02-20", Searched: true,
			Emergency: []page.Person{{ID: "p-amy-1", Name: "Amy Shaw", BirthDate: "1987-02-20", Age: 39, Sex: "female", SameName: true}, {ID: "p-amy-3", Name: "Amy Shaw", BirthDate: "1987-02-20", Age: 39, Sex: "male", SameName: true}},
		}},
		{"choose-patient-waiting", 200, page.ChoosePatient{Shell: shell("/choose"), RecordNumber: "MRN-10023", Searched: true, WaitSeconds: 340}},
		{"choose-patient-missed", 400, page.ChoosePatient{Shell: shell("/choose"), Found: panel, Failed: true}},
	}
}

func emergencySamples() []sample {
	amy := page.Person{ID: "p-amy-1", Name: "Amy Shaw", BirthDate: "1987-02-20", Age: 39, Sex: "female"}
	asked := page.Emergency{
		Shell: shell("/choose/emergency"), Patient: amy, Username: "osei", Minutes: "60", Lengths: []int{15, 30, 60, 120, 240, 480},
		Reasons: []string{"urgent-care", "cannot-be-asked", "covering", "other"},
	}
	mistaken, wrong, waiting := asked, asked, asked
	mistaken.Minutes, mistaken.Problems = "1", []page.FieldProblem{{Field: "reason", Message: "emergency.no-reason"}, {Field: "words", Message: "emergency.long"}, {Field: "minutes", Message: "emergency.no-length"}}
	wrong.Reason, wrong.Words, wrong.Problems = "other", "Found on the road", []page.FieldProblem{{Field: "password", Message: "password-wrong"}}
	waiting.WaitSeconds = 25
	at := time.Date(2026, 5, 28, 9, 30, 0, 0, time.UTC)
	open := page.OpenRecords{Shell: shell("/manage/emergencies"), Back: "/manage", Records: []page.OpenRecord{
		{ID: "e1", Patient: amy, Reason: "urgent-care", Since: at, Until: at.Add(time.Hour)}, {ID: "e2", Patient: page.Person{Name: "p-gone"}, Reason: "other", Since: at, Until: at.Add(15 * time.Minute)},
	}}
	ended := page.OpenRecords{Shell: shell("/manage/emergencies"), Back: "/manage", Ended: true}
	return []sample{
		{"emergency", 200, asked}, {"emergency-mistakes", 200, mistaken}, {"emergency-refused", 200, wrong}, {"emergency-waiting", 429, waiting},
		{"open-records", 200, open}, {"open-records-none", 200, ended},
	}
}

func approveSamples() []sample {
	p := page.Approve{
		Shell: shell("/approve"), UserName: "Maria Lopez", HasPatient: true, Patient: page.Person{ID: "p-leo", Name: "Leo Lopez"},
		App: page.App{
			Name: "GrowthTracker", Maker: "Sprout Health", Host: "app.example.org", Status: "registered",
			PolicyURI: "https://app.example.org/privacy", TermsURI: "https://app.example.org/terms",
		},
		Identity: true, Wildcard: true, CanRemember: true,
		Read: []page.ScopeRow{
			{Group: "patient", Type: "Patient", Choices: []page.ScopeChoice{{ID: "scope-1", Value: "patient/Patient.rs", Ticked: true}}},
			{Group: "medicines", Type: "MedicationRequest", Choices: []page.ScopeChoice{{ID: "scope-2", Value: "patient/MedicationRequest.rs", Label: "type.MedicationRequest", Ticked: true}}},
			{Group: "observations", Type: "Observation", Choices: []page.ScopeChoice{{
				ID: "scope-3", Value: "patient/Observation.rs", Ticked: true, Parts: []page.ScopeChoice{
					{ID: "scope-4", Value: "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory", Label: "part.laboratory"},
					{ID: "scope-5", Value: "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs", Label: "part.vital-signs"},
				},
			}}},
			{Group: "other", Type: "VisionPrescription", New: true, Choices: []page.ScopeChoice{{ID: "scope-6", Value: "patient/VisionPrescription.rs", Ticked: true}}},
		},
		Write: []page.ScopeRow{{Group: "answers", Type: "QuestionnaireResponse", Choices: []page.ScopeChoice{{ID: "scope-7", Value: "patient/QuestionnaireResponse.c", Label: "access.create", Ticked: true}}}},
		Offline: &page.Duration{Scope: "offline_access", Ticked: true, Options: []page.DurationOption{
			{Value: "day", Until: noon.AddDate(0, 0, 1)}, {Value: "quarter", Until: noon.AddDate(0, 0, 93), Chosen: true}, {Value: "year", Until: noon.AddDate(0, 0, 365)},
		}},
	}
	small := page.Approve{
		Shell: shell("/approve"), UserName: "Dr Kim Osei", App: page.App{Name: "RiskCalc", Host: "127.0.0.1:8080", Status: "checked"}, Nothing: true,
		Read:   []page.ScopeRow{{Group: "everything", Type: "*", Choices: []page.ScopeChoice{{ID: "scope-1", Value: "user/*.rs"}}}},
		Online: &page.Duration{Scope: "online_access", Ticked: true},
	}
	stranger := p
	stranger.App.Status, stranger.Read, stranger.Write = "self", p.Read[:2], nil
	return []sample{{"approve", 200, p}, {"approve-nothing", 200, small}, {"approve-self", 200, stranger}}
}

func answerByPost(fields ...page.PostField) page.Post {
	return page.Post{URL: "https://app.example.org/signin-oidc?keep=1", Host: "app.example.org", Fields: fields}
}

func endSamples() []sample {
	return []sample{
		{"code", 200, page.Code{Shell: page.Shell{AppName: "DesktopCharts"}, Code: "ac_3hJ8sVYk2Qm7RtX0aLfWzC1uEoD9pNbGiK4xTqS6vMc", ExpiresAt: noon.Add(time.Minute)}},
		{"error-app", 400, page.Error{
			Shell: page.Shell{AppName: "the app"}, ID: "7KQ2M4XT9B", Title: "app", ErrorCode: "invalid_request", Slug: oauth.SlugClientRedirectNotRegistered,
			Parameter: "redirect_uri", Description: "redirect_uri is not, byte for byte, one that this client has registered.", Section: "RFC 9700 §2.1", When: noon,
		}},
		{"error-logout", 400, page.Error{
			Shell: page.Shell{AppName: "the app"}, ID: "7KQ2M4XT9D", Title: "logout", ErrorCode: "invalid_request", Slug: oauth.SlugLogoutRedirectNotRegistered,
			Parameter: "post_logout_redirect_uri", Description: "post_logout_redirect_uri is not, byte for byte, one that this client has registered.",
			SignOutURL: "/logout", When: noon,
		}},
		{"error-leave", 400, page.Error{
			Shell: page.Shell{AppName: "GrowthTracker"}, ID: "7KQ2M4XT9E", Title: "app", ErrorCode: "invalid_scope", Slug: oauth.SlugScopeMissing, Parameter: "scope",
			Description: "scope is missing", When: noon, Leave: page.Leave{URL: "https://app.example.org/cb?keep=1&error=invalid_scope&state=a%26b", Host: "app.example.org"},
		}},
		{"error-post", 400, page.Error{
			Shell: page.Shell{AppName: "GrowthTracker"}, ID: "7KQ2M4XT9F", Title: "declined", ErrorCode: "access_denied", Slug: oauth.SlugPersonDeclined,
			Description: "The person declined, or nothing could be shared", When: noon, Leave: page.Leave{Post: answerByPost(
				page.PostField{Name: "error", Value: "access_denied"}, page.PostField{Name: "iss", Value: "https://ehr.example.org"}, page.PostField{Name: "state", Value: "a&b"})},
		}},
		{"form-post", 200, page.FormPost{Shell: page.Shell{AppName: "GrowthTracker"}, Post: answerByPost(
			page.PostField{Name: "code", Value: "ac_3hJ8sVYk2Qm7RtX0aLfWzC1uEoD9pNbGiK4xTqS6vMc"}, page.PostField{Name: "iss", Value: "https://ehr.example.org"}, page.PostField{Name: "state", Value: "a&b"})}},
		{"error-expired", 400, page.Error{Shell: page.Shell{AppName: "GrowthTracker"}, ID: "7KQ2M4XT9C", Title: "expired", Slug: oauth.SlugRequestExpired, When: noon}},
		{"errors", 200, page.Errors{Shell: page.Shell{Self: "/errors"}}},
		{"start", 200, page.Start{
			Shell: page.Shell{Self: "/", Action: "/sandbox/launch"}, SampleApp: "http://127.0.0.1:8766", Issuer: "http://localhost:8765", FHIRBase: "http://localhost:8765/fhir", DataDir: ".emberlatch", Developers: "/developers",
			People: []page.StartPerson{
				{Username: "maria", Password: "maple-river-42", Display: "Maria Lopez", Role: "representative", Note: "with a record of her own; stands for Leo Lopez"},
				{Username: "osei", Password: "amber-window-7", Display: "Dr Kim Osei", Role: "practitioner", Note: "12 patients"},
			},
			Charts: []page.StartCharts{
				{Username: "osei", Display: "Dr Kim Osei", Patients: []page.StartChart{{ID: "maria", Name: "Maria Lopez"}, {ID: "p-ben", Name: "Benjamin Wolfeschlegelsteinhausenbergerdorff"}}},
			},
			Enrol: []page.StartEnrolment{{Given: "Nora", Family: "O'Neill", BirthDate: "1962-03-27", Code: "K7QP-2M9D"}},
		}},
	}
}
