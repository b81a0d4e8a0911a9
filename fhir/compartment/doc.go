// Package compartment says whom a resource is about.
//
// The R4 patient compartment alone is too wide: it makes Bob's record part of
// Alice's compartment when Alice is only its performer, author or subscriber, or
// the target of his Patient.link. Here a resource belongs to the patients of its
// primary parameter (subject, patient, beneficiary, …), and all of them must be
// granted. Without a primary element it belongs to all patients it names at the
// places of the CompartmentDefinition. A primary element that names something
// else than a patient of this server puts it in nobody's record.
//
// Provenance and Binary have no patient of their own: a store derives their
// owners from what they point to, see DerivationOf.
//
// It fulfils FHIR R4 compartmentdefinition (patient), narrowed as told above;
// Device and Task are added because they name a patient. Every type has a class:
// Record, Shared or, by default, Closed.
package compartment
