// Package launch chooses the patient that a standalone launch is about (SMART App
// Launch 2.2, scopes: launch/patient).
//
//	patient, representative ─▶ radio list of the people they may act for ─▶ fact: patient
//	practitioner            ─▶ search among the patients they reach      ─▶ fact: patient
//
// A search is posted, so that no name stands in a URL or a log; with nothing typed
// a few recent patients are shown, never the whole index (CTX-13). Whatever id a
// form sends is looked up in the reach of the user again; a forged one gets the
// answer of an unknown one. The choice is checked once more when the code is issued.
//
// It does not choose for anybody: where there is only one patient, package
// authorize has inferred that before.
package launch
