package sandbox

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/emberlatch/emberlatch/internal/store"
)

// file is DIR/sandbox.json; scripts rely on its names.
type file struct {
	Issuer    string `json:"issuer"`
	FHIRBase  string `json:"fhir_base_url"`
	SampleApp string `json:"sample_app,omitempty"`
	// Upstream holds the records, if this server does not.
	Upstream            string          `json:"upstream,omitempty"`
	UpstreamCredentials string          `json:"upstream_credentials_file,omitempty"`
	People              []filePerson    `json:"people"`
	Clients             []fileClient    `json:"clients"`
	Enrolment           []fileEnrolment `json:"enrolment"`
}

type filePerson struct {
	Username string     `json:"username"`
	Password string     `json:"password"`
	Role     store.Role `json:"role"`
	Display  string     `json:"display"`
	FHIRUser string     `json:"fhirUser"`
	Patients []string   `json:"patients"`
	// TOTPSecret is that of who has a second factor (RFC 6238), in base32.
	TOTPSecret string `json:"totp_secret,omitempty"`
}

type fileClient struct {
	ID           store.ClientID `json:"client_id"`
	Secret       string         `json:"client_secret,omitempty"`
	Kind         string         `json:"kind"`
	RedirectURIs []string       `json:"redirect_uris"`
	LaunchURI    string         `json:"initiate_login_uri,omitempty"`
	Scope        string         `json:"scope"`
	// PrivateJWK is the key that a script authenticates with (RFC 7517).
	PrivateJWK json.RawMessage `json:"private_jwk,omitempty"`
}

type fileEnrolment struct {
	Patient   string `json:"patient"`
	Given     string `json:"given"`
	Family    string `json:"family"`
	BirthDate string `json:"birth_date"`
	Code      string `json:"code"`
}

// WriteJSON writes DIR/sandbox.json with mode 0600, all or nothing.
func WriteJSON(dir, issuer, fhirBase, sampleApp string, d Data, clients []Client) error {
	f := file{Issuer: issuer, FHIRBase: fhirBase, SampleApp: sampleApp, Enrolment: []fileEnrolment{},
		Upstream: d.Upstream.URL, UpstreamCredentials: d.Upstream.CredentialsFile}
	for _, p := range d.People {
		f.People = append(f.People, filePerson{p.Username, p.Password, p.Role, p.Display, p.FHIRUser, p.Patients, p.TOTPSecret})
	}
	for _, c := range clients {
		f.Clients = append(f.Clients, fileClient{c.ID, c.Secret, c.Kind, c.RedirectURIs, c.LaunchURI, c.Scope, c.PrivateJWK})
	}
	for _, e := range d.Enrolment {
		f.Enrolment = append(f.Enrolment, fileEnrolment(e))
	}
	body, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "sandbox.json")
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(fresh, append(body, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// ReadJSON gives the people and the upstream of a sandbox that was written before;
// false: there is none.
func ReadJSON(dir string) (Data, bool) {
	raw, err := os.ReadFile(filepath.Join(dir, "sandbox.json"))
	var f file
	if err != nil || json.Unmarshal(raw, &f) != nil {
		return Data{}, false
	}
	d := Data{Upstream: Upstream{f.Upstream, f.UpstreamCredentials}}
	for _, p := range f.People {
		d.People = append(d.People, Person{Username: p.Username, Password: p.Password, Role: p.Role, Display: p.Display, FHIRUser: p.FHIRUser, Patients: p.Patients, TOTPSecret: p.TOTPSecret})
	}
	for _, e := range f.Enrolment {
		d.Enrolment = append(d.Enrolment, Enrolment(e))
	}
	return d, true
}
