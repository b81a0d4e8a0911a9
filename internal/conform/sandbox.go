package conform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
)

// sandboxFile is what of DIR/sandbox.json a run needs.
type sandboxFile struct {
	FHIRBase string `json:"fhir_base_url"`
	People   []struct {
		Username, Password, Role, FHIRUser string
		Patients                           []string
	} `json:"people"`
	Clients []struct {
		ClientID     string          `json:"client_id"`
		Secret       string          `json:"client_secret"`
		Kind         string          `json:"kind"`
		RedirectURIs []string        `json:"redirect_uris"`
		Scope        string          `json:"scope"`
		PrivateJWK   json.RawMessage `json:"private_jwk"`
	} `json:"clients"`
}

// ReadSandbox reads what the sandbox of a data folder has written: its first patient
// signs in, its clients are the apps.
func ReadSandbox(dir string) (With, error) {
	path := filepath.Join(dir, "sandbox.json")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return With{}, fmt.Errorf("there is no %s: start `emberlatch dev` first, or say --with FILE", path)
	}
	if err != nil {
		return With{}, err
	}
	var f sandboxFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return With{}, fmt.Errorf("%s: %w", path, err)
	}
	w := With{URL: f.FHIRBase}
	f.person(&w)
	f.clients(&w)
	return w, nil
}

// person is the first patient with one record; the next one is the other.
func (f sandboxFile) person(w *With) {
	for _, p := range f.People {
		switch {
		case p.Role != "patient" || len(p.Patients) != 1:
		case w.Person.Username == "":
			w.Person = WithPerson{Username: p.Username, Password: p.Password, Patient: p.Patients[0]}
		case w.Person.OtherPatient == "":
			w.Person.OtherPatient = p.Patients[0]
		}
	}
}

// clients takes of each kind the one with most redirect URIs of a web origin: the
// sandbox has clients for other purposes, too.
func (f sandboxFile) clients(w *With) {
	kinds := map[string]**WithClient{
		"confidential": &w.Clients.Confidential, "public": &w.Clients.Public,
		"asymmetric": &w.Clients.Asymmetric, "backend": &w.Clients.Backend,
	}
	for _, c := range f.Clients {
		into, known := kinds[c.Kind]
		if !known || slices.ContainsFunc(c.RedirectURIs, outOfBand) {
			continue
		}
		one := &WithClient{ClientID: c.ClientID, ClientSecret: c.Secret, RedirectURIs: c.RedirectURIs, key: c.PrivateJWK}
		if c.Kind == "backend" {
			one.Scope = c.Scope
		}
		if *into == nil || webOrigins(one) > webOrigins(*into) {
			*into = one
		}
	}
}

func outOfBand(uri string) bool { return uri == "urn:ietf:wg:oauth:2.0:oob" }

// webOrigins counts the redirect URIs that a page on a port could stand behind.
func webOrigins(c *WithClient) int {
	n := 0
	for _, uri := range c.RedirectURIs {
		if webRedirect(uri) {
			n++
		}
	}
	return n
}

// webRedirect: https, or http with a port, which a listener can be given.
func webRedirect(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" && u.Port() != "")
}
