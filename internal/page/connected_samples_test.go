package page_test

import (
	"time"

	"github.com/emberlatch/emberlatch/internal/page"
)

// connectedSamples are the pages of a person's own.
func connectedSamples() []sample {
	own, child := page.Whose{Kind: "own", Name: "Maria Lopez"}, page.Whose{Kind: "other", Name: "Leo Lopez"}
	tracker := page.Access{
		App:  page.App{Name: "GrowthTracker", Maker: "Sprout Health", Status: "registered", PolicyURI: "https://app.example.org/privacy"},
		Read: samplesOfRows(), Write: []page.ScopeRow{{Group: "answers", Type: "QuestionnaireResponse", Choices: []page.ScopeChoice{{Value: "patient/QuestionnaireResponse.c", Label: "access.create"}}}},
		Scopes: []string{"patient/Patient.rs", "patient/MedicationRequest.rs", "patient/MedicationDispense.rs", "patient/QuestionnaireResponse.c"}, Identity: true, Keeps: true,
		Since: noon.AddDate(0, -2, 0), Used: noon.Add(-2 * time.Hour), Ends: page.Ending{Kind: "unused", At: noon.AddDate(0, 1, 0)}, StopURL: "/manage/stop?access=a1",
	}
	brothers := tracker
	brothers.App, brothers.By, brothers.Keeps, brothers.Write, brothers.Used = page.App{Name: "CareCircle", Maker: "Somebody", Status: "self"}, "Benjamin Wolfeschlegelsteinhausenbergerdorff", false, nil, noon.Add(-12*time.Minute)
	brothers.Ends = page.Ending{Kind: "soon", At: noon.Add(20 * time.Minute)}
	staff := page.Access{
		App: page.App{Name: "RiskCalc", Status: "checked"}, Staff: true, Read: []page.ScopeRow{{Group: "everything", Type: "*", Choices: []page.ScopeChoice{{Value: "patient/*.rs"}}}},
		Scopes: []string{"patient/*.rs"}, Since: noon.Add(-3 * time.Minute), Used: noon.Add(-time.Second), Ends: page.Ending{Kind: "session"},
	}
	leos := tracker
	leos.Ends, leos.Used, leos.Identity = page.Ending{Kind: "on", At: noon.AddDate(0, 0, 1)}, noon.AddDate(0, 0, -9), false
	stopped := []page.StoppedAccess{
		{App: page.App{Name: "StepCounter"}, Whose: own, At: noon.Add(-26*time.Hour + 5*time.Second), By: "you", ReceiptURL: "/manage/receipt?access=a9&at=1"},
		{App: page.App{Name: "CareCircle"}, Whose: child, At: noon.AddDate(-1, 0, 0), By: "safety", ReceiptURL: "/manage/receipt?access=a8&at=2"},
	}
	p := page.Connected{
		Shell: page.Shell{Self: "/manage"}, UserName: "Maria Lopez", Keeping: 2, More: true, Stopped: stopped,
		Records: []page.Record{
			{ID: "record-1", Whose: own, Accesses: []page.Access{tracker, brothers, staff}}, {ID: "record-2", Whose: child, Accesses: []page.Access{leos}},
			{ID: "record-3", Whose: page.Whose{Kind: "unseen"}, Accesses: []page.Access{leos}},
		},
		StopAllURL: "/manage/stop-all", SessionsURL: "/manage/sign-ins", PasswordURL: "/manage/password", SecondStepURL: "/manage/second-step", SignOutURL: "/logout", LookedURL: "/manage/looked",
	}
	none := page.Connected{Shell: page.Shell{Self: "/manage"}, UserName: "Dr Kim Osei", SessionsURL: "/manage/sign-ins", PasswordURL: "/manage/password", SecondStepURL: "/manage/second-step", SignOutURL: "/logout", EmergenciesURL: "/manage/emergencies"}
	stop := page.StopSharing{Shell: shell("/manage/stop"), Access: brothers, Whose: own, Back: "/manage"}
	all := page.StopSharing{Shell: shell("/manage/stop-all"), All: true, Count: 3, Back: "/manage"}
	all.Shell.AppName = ""
	here := page.SignedIn{Here: true, Since: noon.Add(-time.Hour), Seen: noon, Until: noon.Add(11 * time.Hour)}
	there := page.SignedIn{Since: noon.Add(-9 * time.Hour), Seen: noon.Add(-20 * time.Minute), Until: noon.Add(3 * time.Hour)}
	problems := []page.FieldProblem{{Field: "current", Message: "password-wrong"}, {Field: "password", Message: "password-too-short"}}
	password := page.ChangePassword{Shell: shell("/manage/password"), Username: "maria", Back: "/manage"}
	wrong, waiting := password, password
	wrong.Problems, waiting.WaitSeconds = problems, 29
	return []sample{
		{"connected", 200, p}, {"connected-none", 200, none}, {"stop-sharing", 200, stop}, {"stop-sharing-all", 200, all},
		{"sharing-stopped", 200, page.SharingStopped{Shell: page.Shell{AppName: "StepCounter", Self: "/manage"}, Stopped: stopped[:1], Back: "/manage"}},
		{"sharing-stopped-all", 200, page.SharingStopped{Shell: page.Shell{Self: "/manage"}, All: true, Stopped: stopped, Back: "/manage"}},
		{"sign-ins", 200, page.SignIns{Shell: shell("/manage/sign-ins"), Sessions: []page.SignedIn{here, there}, Back: "/manage"}},
		{"sign-ins-ended", 200, page.SignIns{Shell: shell("/manage/sign-ins"), Sessions: []page.SignedIn{here}, Ended: true, Back: "/manage"}},
		{"looked", 200, looked()}, {"looked-none", 200, page.Looked{Shell: page.Shell{Self: "/manage/looked"}, Back: "/manage"}},
		{"change-password", 200, password}, {"change-password-refused", 200, wrong}, {"change-password-waiting", 429, waiting},
		{"password-changed", 200, page.PasswordChanged{Shell: page.Shell{Self: "/manage"}, Back: "/manage"}},
	}
}

// samplesOfRows are several lines of one kind beside single ones, and a part.
func samplesOfRows() []page.ScopeRow {
	return []page.ScopeRow{
		{Group: "patient", Type: "Patient", Choices: []page.ScopeChoice{{Value: "patient/Patient.rs"}}},
		{Group: "medicines", Type: "MedicationRequest", Choices: []page.ScopeChoice{{Value: "patient/MedicationRequest.rs", Label: "type.MedicationRequest"}}},
		{Group: "medicines", Type: "MedicationDispense", Choices: []page.ScopeChoice{{Value: "patient/MedicationDispense.rs", Label: "type.MedicationDispense"}}},
		{Group: "observations", Type: "Observation", Choices: []page.ScopeChoice{{Value: "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory", Label: "part.laboratory"}}},
	}
}

// looked is who looked at a record, in every way and by everybody.
func looked() page.Looked {
	chart, tracker := page.App{Name: "RiskCalc", Status: "checked"}, page.App{Name: "GrowthTracker", Maker: "Sprout Health", Status: "registered"}
	kinds := []page.Kind{{Group: "observations"}, {Group: "allergies"}, {Group: "medicines"}, {Group: "other", Type: "ImplementationGuideBook"}}
	return page.Looked{
		Shell: page.Shell{Self: "/manage/looked"}, Back: "/manage", Earlier: "/manage/looked?before=1764158584005.17.0", Later: "/manage/looked",
		Days: []page.LookedDay{
			{ID: "day-1", Day: noon, Looks: []page.Look{
				{App: chart, By: "staff", What: "shown", Kinds: kinds, Sensitive: []page.Words{{"en": "Substance use treatment", "es": "Tratamiento por consumo de sustancias"}, {"en": "HIV", "es": "VIH"}}, Times: 34, Last: noon.Add(-time.Minute)},
				{App: tracker, By: "you", What: "changed", Kinds: []page.Kind{{Group: "answers"}}, Times: 1, Last: noon.Add(-time.Hour)},
				{App: tracker, By: "representative", What: "allowed", Times: 1, Last: noon.Add(-2 * time.Hour)},
			}},
			{ID: "day-2", Day: noon.AddDate(0, 0, -1), Looks: []page.Look{{App: page.App{Name: "PopulationRegistryNightlyExport"}, By: "app", What: "refused", Kinds: kinds[:1], Times: 2, Last: noon.Add(-26 * time.Hour)}}},
		},
	}
}
