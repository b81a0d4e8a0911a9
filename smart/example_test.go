package smart_test

import (
	"encoding/json"
	"fmt"

	"github.com/emberlatch/emberlatch/smart"
)

func ExampleParseScope() {
	scope, err := smart.ParseScope("patient/Observation.rs?category=laboratory")
	fmt.Println(scope.Level(), scope.Type(), scope.Permissions(), scope.Query()[0], err)

	_, err = smart.ParseScope("patient/Observation.sr") // letters come in the order of "cruds"
	fmt.Println(err)
	// Output:
	// patient Observation rs category=laboratory <nil>
	// smart: not a scope this server understands
}

func ExampleParseScopes() {
	set, err := smart.ParseScopes("launch/patient openid patient/*.read patient/Observation.rsx")
	fmt.Println(set, err)
	fmt.Println("unknown:", set.Unknown())
	fmt.Println("a patient is needed:", set.HasLevel(smart.LevelPatient))
	// Output:
	// launch/patient openid patient/*.read <nil>
	// unknown: [patient/Observation.rsx]
	// a patient is needed: true
}

func ExampleScopeSet_Covers() {
	granted := smart.NewScopeSet([]string{"patient/*.rs"})
	for _, text := range []string{"patient/Observation.r", "patient/Observation.rs?category=laboratory", "patient/Observation.u"} {
		asked, _ := smart.ParseScope(text)
		fmt.Println(text, granted.Covers(asked))
	}
	// Output:
	// patient/Observation.r true
	// patient/Observation.rs?category=laboratory true
	// patient/Observation.u false
}

func ExampleAllowed() {
	requested := smart.NewScopeSet([]string{"openid", "patient/*.read", "offline_access"})
	registered := smart.NewScopeSet([]string{"openid", "patient/Patient.rs", "patient/Observation.rs?category=laboratory"})
	fmt.Println(smart.Allowed(requested, registered))
	// Output:
	// openid patient/Patient.read patient/Observation.rs?category=laboratory
}

func ExampleLaunchContext() {
	banner := true
	b, err := json.Marshal(smart.LaunchContext{Patient: "123", NeedPatientBanner: &banner})
	fmt.Println(string(b), err)
	// Output:
	// {"patient":"123","need_patient_banner":true} <nil>
}

func ExampleParseFHIRContext() {
	c, err := smart.ParseFHIRContext([]byte(`[{"reference":"ImagingStudy/123"}]`))
	fmt.Println(c[0].Reference, err)

	_, err = smart.ParseFHIRContext([]byte(`[{"reference":"Patient/1"}]`))
	fmt.Println(err)
	// Output:
	// ImagingStudy/123 <nil>
	// smart: not a fhirContext: item 0: a Patient needs a role of its own
}

func ExampleHolding_Meets() {
	granted := smart.NewScopeSet([]string{"patient/Observation.rs?category=laboratory"})
	asked, _ := smart.ParseScope("patient/Observation.r?category=http://example.org|laboratory")
	fmt.Println(granted.Holding().Meets(asked.Demand()))
	// Output:
	// true
}
