package register

import (
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// data is whose records a backend service reaches: {"all": true}, or references to
// Groups, Organizations and Patients. Left out: nobody's.
type data struct {
	All           bool     `json:"all,omitempty"`
	Groups        []string `json:"groups,omitempty"`
	Organizations []string `json:"organizations,omitempty"`
	Patients      []string `json:"patients,omitempty"`
}

// backend: the client acts for itself (SMART App Launch 2.2 backend-services).
func (m *metadata) backend() bool { return slices.Contains(m.GrantTypes, oauth.GrantClientCredentials) }

// checkBackendGrant: a client that acts for itself does nothing else, and proves
// itself by a key (BS-01, REG-04).
func checkBackendGrant(m *metadata) *oauth.Error {
	switch {
	case len(m.GrantTypes) != 1:
		return wrong("grant_types", "client_credentials stands alone: register the service and the app that people use as two clients")
	case m.AuthMethod != string(store.AuthPrivateKeyJWT):
		return wrong("token_endpoint_auth_method", "private_key_jwt for client_credentials")
	}
	return nil
}

// checkBackendScope: system/ scopes and nothing else (SCOPE-23).
func checkBackendScope(set smart.ScopeSet) *oauth.Error {
	clinical := set.Clinical()
	foreign := slices.ContainsFunc(clinical, func(s smart.Scope) bool { return s.Level() != smart.LevelSystem })
	if len(clinical) == 0 || len(clinical) != len(set.Strings()) || foreign {
		return wrong("scope", "system/ scopes, at least one and no other, for client_credentials")
	}
	return nil
}

const maxDataEntries = 1000

// checkData: who may see whose records is said in ids that can be read.
func checkData(m *metadata) *oauth.Error {
	const member = "emberlatch_data"
	switch {
	case m.Data == nil:
		return nil
	case !m.backend():
		return wrong(member, "for client_credentials only; other clients reach what their users reach")
	case len(m.Data.Groups)+len(m.Data.Organizations)+len(m.Data.Patients) > maxDataEntries:
		return wrong(member, "at most 1000 references")
	case m.Data.All && len(m.Data.Groups)+len(m.Data.Organizations)+len(m.Data.Patients) > 0:
		return wrong(member, "all stands alone")
	}
	for _, list := range []struct {
		kind fhir.ResourceType
		refs []string
	}{{"Group", m.Data.Groups}, {"Organization", m.Data.Organizations}, {"Patient", m.Data.Patients}} {
		for _, text := range list.refs {
			if ref, ok := fhir.ParseReference(text, ""); !ok || ref.Type != list.kind || ref.Version != "" {
				return wrong(member, "references such as "+string(list.kind)+"/id")
			}
		}
	}
	return nil
}

// stored is the kept form, with bare ids.
func (d *data) stored() store.ClientData {
	if d == nil {
		return store.ClientData{}
	}
	return store.ClientData{All: d.All, Groups: ids(d.Groups), Organizations: ids(d.Organizations), Patients: ids(d.Patients)}
}

func ids(refs []string) []string {
	var list []string
	for _, text := range refs {
		ref, _ := fhir.ParseReference(text, "") // checked before
		list = append(list, ref.ID)
	}
	return list
}

// dataOf is the other way round.
func dataOf(d store.ClientData) *data {
	if d.IsZero() {
		return nil
	}
	return &data{All: d.All, Groups: refs("Group", d.Groups), Organizations: refs("Organization", d.Organizations), Patients: refs("Patient", d.Patients)}
}

func refs(kind fhir.ResourceType, ids []string) []string {
	var list []string
	for _, id := range ids {
		list = append(list, string(kind)+"/"+id)
	}
	return list
}
