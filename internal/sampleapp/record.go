package sampleapp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// The few members of FHIR resources that are shown.
type (
	bundle struct {
		Link []struct {
			Relation string `json:"relation"`
			URL      string `json:"url"`
		} `json:"link"`
		Entry []struct {
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	coding struct {
		Code    string `json:"code"`
		Display string `json:"display"`
	}
	concept struct {
		Text   string   `json:"text"`
		Coding []coding `json:"coding"`
	}
	reference struct {
		Reference string `json:"reference"`
		Display   string `json:"display"`
	}
	quantity struct {
		Value json.Number `json:"value"`
		Unit  string      `json:"unit"`
	}
	period struct {
		Start string `json:"start"`
		End   string `json:"end"`
	}
	resource struct {
		ResourceType string `json:"resourceType"`
		ID           string `json:"id"`
		BirthDate    string `json:"birthDate"`
		Gender       string `json:"gender"`
		Name         any    `json:"name"`
		Code         concept
		Type         any             `json:"type"`
		VaccineCode  concept         `json:"vaccineCode"`
		Medication   concept         `json:"medicationCodeableConcept"`
		Onset        string          `json:"onsetDateTime"`
		Occurrence   string          `json:"occurrenceDateTime"`
		Effective    string          `json:"effectiveDateTime"`
		AuthoredOn   string          `json:"authoredOn"`
		Performed    string          `json:"performedDateTime"`
		Date         string          `json:"date"`
		Period       period          `json:"period"`
		Category     json.RawMessage `json:"category"`
		Value        *quantity       `json:"valueQuantity"`
		ValueConcept concept         `json:"valueCodeableConcept"`
		Range        []struct {
			Low, High *quantity
			Text      string
		} `json:"referenceRange"`
		Component []struct {
			Code  concept   `json:"code"`
			Value *quantity `json:"valueQuantity"`
		} `json:"component"`
		Dosage []struct {
			Text string `json:"text"`
		} `json:"dosageInstruction"`
		Reaction []struct {
			Manifestation []concept `json:"manifestation"`
		} `json:"reaction"`
		Participant []struct {
			Member reference `json:"member"`
			Role   []concept `json:"role"`
		} `json:"participant"`
		Content []struct {
			Attachment struct {
				URL   string `json:"url"`
				Title string `json:"title"`
			} `json:"attachment"`
		} `json:"content"`
		Data string `json:"data"`
	}
)

func (c concept) String() string {
	if c.Text != "" {
		return c.Text
	}
	for _, k := range c.Coding {
		if k.Display != "" {
			return k.Display
		}
	}
	return ""
}

func (c concept) code() string {
	if len(c.Coding) > 0 {
		return c.Coding[0].Code
	}
	return ""
}

// line is one row of a list.
type line struct{ Title, Detail, Date string }

// section is one kind of information; Missing says that it was not shared.
type section struct {
	Title   string
	Lines   []line
	Missing bool
}

// recordPage is what the record page shows.
type recordPage struct {
	Name, Born, Sex string
	Age             int
	Who             string
	Chart           string // names the record in forms
	Launched        bool   // from an EHR
	Banner          bool   // the app says who the patient is
	Sections        []section
	Labs, Vitals    []trend
	LabsMissing     bool
	Notes           []note
	CanRefresh      bool
	CanSignOut      bool
	Scope           string
	ReadAt          string
}

type note struct{ Title, Date, Text string }

// record reads and shows everything that was shared.
func (a *App) record(w http.ResponseWriter, r *http.Request) {
	v := a.visitOf(w, r)
	c := v.connection(r.URL.Query().Get("chart"))
	if c == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	client := oauth2.NewClient(context.WithValue(r.Context(), oauth2.HTTPClient, a.http), oauth2.StaticTokenSource(c.token))
	client.Timeout = 15 * time.Second
	p, err := a.read(r.Context(), client, c)
	var status statusError
	if errors.As(err, &status) && int(status) == http.StatusUnauthorized {
		if c.token.RefreshToken != "" {
			a.renew(w, r, c.chart)
			return
		}
		v.close(c.chart)
		a.show(w, http.StatusOK, "problem.tmpl", "The access has ended. Please connect again.")
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.show(w, http.StatusOK, "record.tmpl", p)
}

func (a *App) read(ctx context.Context, client *http.Client, c *connection) (recordPage, error) {
	p := recordPage{
		CanRefresh: c.token.RefreshToken != "", CanSignOut: c.identity.raw != "", Scope: c.scope, ReadAt: a.deps.Now().UTC().Format("15:04:05 UTC"),
		Who: strings.TrimPrefix(c.identity.fhirUser, a.deps.FHIRBase+"/"), Chart: c.chart, Launched: c.launched, Banner: c.needBanner,
	}
	var person resource
	err := a.get(ctx, client, a.deps.FHIRBase+"/Patient/"+url.PathEscape(c.patient), &person)
	if err != nil && !notShared(err) {
		return p, err
	}
	p.Name, p.Born, p.Sex = nameOf(person.Name), person.BirthDate, person.Gender
	p.Age = age(person.BirthDate, a.deps.Now())
	for _, s := range sections {
		shown, err := a.section(ctx, client, c.patient, s)
		if err != nil {
			return p, err
		}
		p.Sections = append(p.Sections, shown)
	}
	if p.Labs, err = a.trends(ctx, client, c.patient, "laboratory"); err != nil {
		if !notShared(err) {
			return p, err
		}
		p.LabsMissing = true
	}
	if p.Vitals, err = a.trends(ctx, client, c.patient, "vital-signs"); err != nil && !notShared(err) {
		return p, err
	}
	p.Notes, err = a.notes(ctx, client, c.patient)
	if notShared(err) {
		err = nil
	}
	return p, err
}

// notShared: the person did not share this kind, or the server does not offer it.
func notShared(err error) bool {
	var status statusError
	return errors.As(err, &status) && (int(status) == http.StatusForbidden || int(status) == http.StatusNotFound)
}

// kind is how one section is read and shown.
type kind struct {
	title, resource, parameter, query string
	line                              func(r resource) line
}

var sections = []kind{
	{"Health problems", "Condition", "patient", "category=problem-list-item", func(r resource) line { return line{r.Code.String(), "", r.Onset} }},
	{"Medicines", "MedicationRequest", "patient", "status=active", func(r resource) line {
		detail := ""
		if len(r.Dosage) > 0 {
			detail = r.Dosage[0].Text
		}
		return line{r.Medication.String(), detail, r.AuthoredOn}
	}},
	{"Allergies", "AllergyIntolerance", "patient", "", func(r resource) line {
		detail := ""
		if len(r.Reaction) > 0 && len(r.Reaction[0].Manifestation) > 0 {
			detail = r.Reaction[0].Manifestation[0].String()
		}
		return line{r.Code.String(), detail, ""}
	}},
	{"Vaccines", "Immunization", "patient", "", func(r resource) line { return line{r.VaccineCode.String(), "", r.Occurrence} }},
	{"Procedures", "Procedure", "patient", "", func(r resource) line { return line{r.Code.String(), "", r.Performed} }},
	{"Visits", "Encounter", "patient", "", func(r resource) line { return line{firstType(r.Type), "", r.Period.Start} }},
	{"Care team", "CareTeam", "patient", "status=active", func(r resource) line {
		var names []string
		for _, p := range r.Participant {
			role := ""
			if len(p.Role) > 0 {
				role = " (" + p.Role[0].String() + ")"
			}
			names = append(names, p.Member.Display+role)
		}
		return line{nameOf(r.Name), strings.Join(names, ", "), ""}
	}},
}

func firstType(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	var list []concept
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return "Visit"
	}
	return list[0].String()
}

func (a *App) section(ctx context.Context, client *http.Client, patient string, k kind) (section, error) {
	s := section{Title: k.title}
	found, err := a.all(ctx, client, k.resource+"?"+k.parameter+"="+url.QueryEscape(patient)+and(k.query))
	if notShared(err) {
		s.Missing = true
		return s, nil
	}
	if err != nil {
		return s, err
	}
	for _, r := range found {
		l := k.line(r)
		if len(l.Date) > 10 {
			l.Date = l.Date[:10]
		}
		s.Lines = append(s.Lines, l)
	}
	sort.SliceStable(s.Lines, func(i, j int) bool { return s.Lines[i].Date > s.Lines[j].Date })
	return s, nil
}

func and(query string) string {
	if query == "" {
		return ""
	}
	return "&" + query
}

// maxPages bounds how far links are followed.
const maxPages = 50

// all reads a search to its end, page by page.
func (a *App) all(ctx context.Context, client *http.Client, query string) ([]resource, error) {
	next := a.deps.FHIRBase + "/" + query + "&_count=200"
	var list []resource
	for n := 0; next != "" && n < maxPages; n++ {
		if !strings.HasPrefix(next, a.deps.FHIRBase+"/") {
			return nil, errors.New("a page link leads to another server")
		}
		var b bundle
		if err := a.get(ctx, client, next, &b); err != nil {
			return nil, err
		}
		next = ""
		for _, l := range b.Link {
			if l.Relation == "next" {
				next = l.URL
			}
		}
		for _, e := range b.Entry {
			var r resource
			if err := json.Unmarshal(e.Resource, &r); err != nil {
				return nil, err
			}
			list = append(list, r)
		}
	}
	return list, nil
}

// maxNotes is how many notes are read in full.
const maxNotes = 4

func (a *App) notes(ctx context.Context, client *http.Client, patient string) ([]note, error) {
	found, err := a.all(ctx, client, "DocumentReference?patient="+url.QueryEscape(patient)+"&_sort=-date")
	if err != nil {
		return nil, err
	}
	var list []note
	for _, d := range found {
		if len(list) == maxNotes || len(d.Content) == 0 {
			break
		}
		n := note{Title: d.Content[0].Attachment.Title, Date: d.Date}
		if len(n.Date) > 10 {
			n.Date = n.Date[:10]
		}
		var content resource
		err := a.get(ctx, client, a.deps.FHIRBase+"/"+d.Content[0].Attachment.URL, &content)
		if err != nil && !notShared(err) {
			return nil, err
		}
		if text, err := base64.StdEncoding.DecodeString(content.Data); err == nil {
			n.Text = string(text)
		}
		list = append(list, n)
	}
	return list, nil
}

// nameOf is a HumanName list, or a plain name.
func nameOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		for _, item := range v {
			n, _ := item.(map[string]any)
			family, _ := n["family"].(string)
			given, _ := n["given"].([]any)
			var parts []string
			for _, g := range given {
				if s, ok := g.(string); ok {
					parts = append(parts, s)
				}
			}
			return strings.TrimSpace(strings.Join(parts, " ") + " " + family)
		}
	}
	return ""
}

func age(birthDate string, now time.Time) int {
	born, err := time.Parse("2006-01-02", birthDate)
	if err != nil {
		return 0
	}
	years := now.Year() - born.Year()
	if born.AddDate(years, 0, 0).After(now) {
		years--
	}
	return years
}
