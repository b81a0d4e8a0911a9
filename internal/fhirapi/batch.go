package fhirapi

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// maxEntries bounds the requests of a Bundle.
const maxEntries = 100

// bundle answers a batch or a transaction (FHIR R4 http §3.1.0.11). It needs a token
// and nothing more: each entry is judged as the request that it is.
func (d *Door) bundle(w http.ResponseWriter, r *http.Request, subject access.Subject) error {
	values, err := parameters(r, false)
	if err != nil {
		return err
	}
	if err := negotiate(r, values); err != nil {
		return err
	}
	if len(values) > 0 {
		return outcome(http.StatusBadRequest, "not-supported", "This request takes no parameters but _format and _pretty.")
	}
	b, err := body(r, "application/fhir+json", "application/json")
	if err != nil {
		return err
	}
	bundle, err := fhir.ParseBundle(b)
	if err != nil {
		return asStructure(err)
	}
	if len(bundle.Entries) > maxEntries {
		return outcome(http.StatusRequestEntityTooLarge, "too-costly", "A Bundle has at most "+strconv.Itoa(maxEntries)+" entries.")
	}
	switch bundle.Type {
	case "batch":
		return d.batch(w, r, subject, bundle)
	case "transaction":
		if d.deps.Offers != nil { // row 81: what has been made there cannot be taken back
			return outcome(http.StatusNotImplemented, "not-supported", "Another server holds the records, and all or nothing cannot be kept there. Send a batch, or the requests one by one.")
		}
		return d.transaction(w, r, subject, bundle)
	}
	return newOutcome(http.StatusBadRequest, "invalid", "Only a batch or a transaction is sent here.").About("Bundle.type")
}

// batch answers every entry as the request that it is, in their order, whatever
// became of the others.
func (d *Door) batch(w http.ResponseWriter, r *http.Request, subject access.Subject, bundle fhir.Bundle) error {
	responses := make([]fhir.BundleResponse, len(bundle.Entries))
	for n, e := range bundle.Entries {
		recorder := newRecorder()
		request, i, err := d.entry(r, e)
		part := d.recordEntry(w, recorder, request)
		if err == nil {
			asks(part, i)
			err = d.answer(part, request, subject, i)
		}
		if err != nil {
			d.fail(part, r, err)
		}
		alsoMade(w, part)
		responses[n] = responseOf(recorder)
	}
	return writeResponses(w, "batch", responses)
}

// entry makes a request of an entry: the same parsers as for any other read it (rows
// 80, 82 and 84 of the leak catalogue).
func (d *Door) entry(r *http.Request, e fhir.BundleEntry) (*http.Request, fhir.Interaction, error) {
	path, query, _ := strings.Cut(e.Request.URL, "?")
	if e.Request.Method == "" || !relative(path) || strings.Contains(query, "#") {
		return nil, fhir.Interaction{}, newOutcome(http.StatusBadRequest, "invalid", "An entry needs a method and a relative URL of this API.").About("Bundle.entry.request")
	}
	i, err := fhir.ParseInteraction(e.Request.Method, "/"+path)
	if err != nil {
		return nil, i, err
	}
	request := &http.Request{Method: e.Request.Method, Header: http.Header{}, Body: http.NoBody,
		URL: &url.URL{Path: d.deps.Path + "/" + path, RawQuery: query}}
	for name, value := range map[string]string{"If-None-Match": e.Request.IfNoneMatch, "If-Modified-Since": e.Request.IfModifiedSince,
		"If-Match": e.Request.IfMatch, "If-None-Exist": e.Request.IfNoneExist} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	if list := r.Header.Values("Prefer"); len(list) > 0 {
		request.Header["Prefer"] = list
	}
	if e.Resource != nil {
		media, content, err := mediaResource, []byte(e.Resource), error(nil)
		if i.Code == fhir.Patch {
			if media, content, err = patchEntry(e.Resource); err != nil {
				return nil, i, err
			}
		}
		request.Header.Set("Content-Type", media)
		request.Body = http.MaxBytesReader(nil, readCloser{bytes.NewReader(content)}, maxResource+1)
	}
	return request.WithContext(r.Context()), i, nil
}

// relative: a path below the FHIR base, spelt as in a request line, and not the base
// itself nor what is not part of the API proper.
func relative(path string) bool {
	return path != "" && path != "metadata" && !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, ".") && !strings.ContainsAny(path, ":#\\")
}

// readCloser is a reader that needs no closing.
type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// recorder keeps the answer of one entry.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}, status: http.StatusOK} }

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) { w.status = status }

func (w *recorder) Write(b []byte) (int, error) { return w.body.Write(b) }

// responseOf puts an answer into the form of an entry.
func responseOf(w *recorder) fhir.BundleResponse {
	header := w.header
	answer := fhir.BundleResponse{
		Status: strconv.Itoa(w.status), Location: header.Get("Location"), ETag: header.Get("ETag"),
	}
	if at, err := http.ParseTime(header.Get("Last-Modified")); err == nil {
		answer.LastModified = at.UTC().Format("2006-01-02T15:04:05Z")
	}
	switch b := bytes.TrimSpace(w.body.Bytes()); {
	case len(b) == 0:
	case bytes.HasPrefix(b, []byte(`{"resourceType":"OperationOutcome"`)):
		answer.Outcome = b
	default:
		answer.Resource = b
	}
	return answer
}

func writeResponses(w http.ResponseWriter, kind string, responses []fhir.BundleResponse) error {
	var buf bytes.Buffer
	if err := fhir.WriteResponses(&buf, kind, responses); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, buf.Bytes())
	return nil
}
