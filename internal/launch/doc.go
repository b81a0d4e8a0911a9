// Package launch is the launch context (SMART App Launch 2.2, scopes: launch
// context): whom a standalone launch is about, and the door by which an EHR starts
// apps.
//
//	patient, representative ─▶ radio list of the people they may act for ─▶ fact: patient
//	practitioner            ─▶ search among the patients they reach      ─▶ fact: patient
//	  nobody found, exactly ─▶ who it is ─▶ reason, password: package emergency ─▶ fact: patient
//	launch/encounter        ─▶ the latest visits of that patient         ─▶ fact: encounter, or none
//
//	EHR ─▶ POST /launch, as a client that may ─▶ package chart ─▶ launch URL with iss and launch
//	 401, 403 ◀┘                    422 ◀─────────┘
//	/style/<content>.json ─▶ the style document that apps are told
//
// A search is posted, so that no name stands in a URL or a log; with nothing typed
// a few recent patients are shown, never the whole index (CTX-13). Whatever id a
// form sends is looked up in the reach of the user again, and an encounter among
// those of the patient; a forged one gets the answer of an unknown one. The choice
// of a patient is checked once more when the code is issued. Without any visit to
// choose from, or with "none of these", the request goes on and launch/encounter is
// not granted.
//
// Where records are opened in an emergency, a search that finds nobody in reach and means
// one person exactly says who that is, and whom it showed stands in the request: no id of a
// form opens another (docs/adr/0034). Elsewhere both answers are one text.
//
// It does not choose for anybody: where there is only one patient, or a chart is
// open in an EHR, package authorize has inferred that before, and its pickers are
// closed. What may be launched is decided by package chart.
package launch
