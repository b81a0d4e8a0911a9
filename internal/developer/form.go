package developer

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// usual are the named scopes that are ticked at first.
var usual = []string{smart.OpenID, smart.FHIRUser, smart.LaunchPatient}

// showForm answers GET with an empty form.
func (d *Door) showForm(w http.ResponseWriter, r *http.Request) {
	d.again(w, r, http.StatusOK, url.Values{"scope": usual}, page.RegisterApp{})
}

// inputs are those of the form that hold text or a choice, by the members of RFC 7591.
var inputs = []string{
	"application_type", "token_endpoint_auth_method", "client_name", "emberlatch_maker", "client_uri", "contacts", "policy_uri", "redirect_uris",
	"initiate_login_uri", "jwks_uri", "jwks",
}

// again shows the form as it was filled in, with a new ticket.
func (d *Door) again(w http.ResponseWriter, r *http.Request, status int, typed url.Values, p page.RegisterApp) {
	p.Shell = page.Shell{Self: d.registerPath(), Action: d.registerPath(), Ticket: d.ticket(w, r, d.registerPath())}
	p.Reviewed, p.Typed = d.deps.Reviewed, map[string]string{}
	for _, name := range inputs {
		p.Typed[name] = typed.Get(name)
	}
	offered := d.offered()
	p.Read, p.Write = d.deps.Approval.Offer(offered, typed["scope"])
	for _, text := range offered {
		if _, err := smart.ParseScope(text); err != nil {
			p.Named = append(p.Named, page.ScopeChoice{ID: "named-" + strconv.Itoa(len(p.Named)), Value: text, Ticked: slices.Contains(typed["scope"], text)})
		}
	}
	d.deps.Flow.Show(w, r, status, p)
}

// offered is everything that an app may ask for that comes by the form.
func (d *Door) offered() []string { return strings.Fields(d.deps.Registrar.OpenScope()) }

// metadata is what a form says, as a document of RFC 7591 §2.
type metadata struct {
	Name            string          `json:"client_name"`
	Maker           string          `json:"emberlatch_maker"`
	ApplicationType string          `json:"application_type"`
	AuthMethod      string          `json:"token_endpoint_auth_method"`
	RedirectURIs    []string        `json:"redirect_uris"`
	Contacts        []string        `json:"contacts"`
	ClientURI       string          `json:"client_uri,omitempty"`
	PolicyURI       string          `json:"policy_uri,omitempty"`
	LaunchURI       string          `json:"initiate_login_uri,omitempty"`
	JWKSURI         string          `json:"jwks_uri,omitempty"`
	JWKS            json.RawMessage `json:"jwks,omitempty"`
	Scope           string          `json:"scope"`
}

// read turns a form into metadata, with what is missing in it. Whether what is there
// is right is judged by package register alone.
func (d *Door) read(typed url.Values) (metadata, []page.FieldProblem) {
	text := func(name string) string { return strings.TrimSpace(typed.Get(name)) }
	m := metadata{
		Name: text("client_name"), Maker: text("emberlatch_maker"), ApplicationType: text("application_type"), AuthMethod: text("token_endpoint_auth_method"),
		RedirectURIs: lines(typed.Get("redirect_uris")), Contacts: lines(typed.Get("contacts")), ClientURI: text("client_uri"), PolicyURI: text("policy_uri"),
		LaunchURI: text("initiate_login_uri"), JWKSURI: text("jwks_uri"), Scope: strings.Join(d.deps.Approval.Choose(d.offered(), typed["scope"]), " "),
	}
	var problems []page.FieldProblem
	missing := func(is bool, p page.FieldProblem) {
		if is {
			problems = append(problems, p)
		}
	}
	kinds := page.RegisterApp{}
	missing(!slices.Contains(kinds.Kinds(), m.ApplicationType), page.FieldProblem{Field: "application_type-native", Message: "register-app.kind-missing"})
	missing(m.Name == "", page.FieldProblem{Field: "client_name", Message: "register-app.name-wrong"})
	missing(m.Maker == "", page.FieldProblem{Field: "emberlatch_maker", Message: "register-app.maker-wrong"})
	missing(len(m.Contacts) != 1 || !strings.Contains(m.Contacts[0], "@"), page.FieldProblem{Field: "contacts", Message: "register-app.contact-wrong"})
	missing(len(m.RedirectURIs) == 0, page.FieldProblem{Field: "redirect_uris", Message: "register-app.redirects-wrong"})
	missing(!slices.Contains(kinds.Methods(), m.AuthMethod), page.FieldProblem{Field: "token_endpoint_auth_method-none", Message: "register-app.proof-missing"})
	// REG-03: what runs on devices keeps no secret that is the same on all of them.
	missing(m.ApplicationType != "web" && len(problems) == 0 && m.AuthMethod != "none", page.FieldProblem{Field: "token_endpoint_auth_method-none", Message: "register-app.proof-public"})
	if keys := text("jwks"); keys != "" {
		m.JWKS = json.RawMessage(keys)
		missing(!json.Valid(m.JWKS), page.FieldProblem{Field: "jwks", Message: "register-app.keys-wrong", Detail: "jwks: a JSON Web Key Set (RFC 7517 §5)"})
	}
	missing(m.Scope == "", page.FieldProblem{Field: "scope", Message: "register-app.scopes-missing"})
	return m, problems
}

// lines are the lines of an input that say something.
func lines(text string) []string {
	var list []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// places are where in the form a mistake about a member can be put right.
var places = map[string]page.FieldProblem{
	"client_name":                {Field: "client_name", Message: "register-app.name-wrong"},
	"emberlatch_maker":           {Field: "emberlatch_maker", Message: "register-app.maker-wrong"},
	"client_uri":                 {Field: "client_uri", Message: "register-app.website-wrong"},
	"contacts":                   {Field: "contacts", Message: "register-app.contact-wrong"},
	"policy_uri":                 {Field: "policy_uri", Message: "register-app.policy-wrong"},
	"redirect_uris":              {Field: "redirect_uris", Message: "register-app.redirects-wrong"},
	"initiate_login_uri":         {Field: "initiate_login_uri", Message: "register-app.launch-wrong"},
	"jwks_uri":                   {Field: "jwks_uri", Message: "register-app.keys-wrong"},
	"jwks":                       {Field: "jwks", Message: "register-app.keys-wrong"},
	"scope":                      {Field: "scope", Message: "register-app.scopes-wrong"},
	"application_type":           {Field: "application_type-native", Message: "register-app.kind-missing"},
	"token_endpoint_auth_method": {Field: "token_endpoint_auth_method-none", Message: "register-app.proof-wrong"},
}

// problemOf puts what the validator says beside the input that it is about.
func problemOf(refused *oauth.Error) page.FieldProblem {
	p, known := places[refused.Parameter]
	if !known {
		p = places["token_endpoint_auth_method"]
	}
	p.Detail = refused.Description
	return p
}

// judged makes the client of metadata, or says what is wrong with it.
func (d *Door) judged(m metadata) (store.Client, string, []page.FieldProblem, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return store.Client{}, "", nil, err
	}
	c, secret, err := d.deps.Registrar.RegisterByForm(raw)
	var refused *oauth.Error
	if errors.As(err, &refused) {
		return c, "", []page.FieldProblem{problemOf(refused)}, nil
	}
	return c, secret, nil, err
}
