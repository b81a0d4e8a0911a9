package admin

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// maxResource bounds one line or one Bundle entry, in bytes.
const maxResource = 32 << 20

// Incoming yields the resources of one file: NDJSON, a Bundle (transaction,
// batch, collection, searchset) or a single resource; gzip is recognised by its
// magic number. name stands in the origin of each resource. The first error
// ends the sequence and is reported through fail, with the line if there is one.
func Incoming(name string, r io.Reader, fail func(fhirstore.LoadFailure)) iter.Seq[fhirstore.Incoming] {
	return func(yield func(fhirstore.Incoming) bool) {
		br := bufio.NewReaderSize(r, 1<<16)
		if magic, _ := br.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
			gz, err := gzip.NewReader(br)
			if err != nil {
				fail(fhirstore.LoadFailure{Origin: name, Reason: "not gzip: " + err.Error()})
				return
			}
			defer gz.Close()
			br = bufio.NewReaderSize(gz, 1<<16)
		}
		if err := split(name, br, yield); err != nil {
			f := fhirstore.LoadFailure{Origin: name, Reason: err.Error()}
			var at lineError
			if errors.As(err, &at) {
				f.Origin = fmt.Sprintf("%s:%d", name, at.line)
			}
			fail(f)
		}
	}
}

// lineError is what is wrong in a line of a file.
type lineError struct {
	line   int
	reason string
}

func (e lineError) Error() string { return e.reason }

// split tells NDJSON from a single JSON document: the first line of NDJSON is a
// complete value.
func split(name string, br *bufio.Reader, yield func(fhirstore.Incoming) bool) error {
	line := 1
	first, err := readLine(br)
	for err == nil && len(first) == 0 {
		line++
		first, err = readLine(br)
	}
	if err != nil {
		if errors.Is(err, io.EOF) && len(first) == 0 {
			return nil
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
	}
	if !json.Valid(first) {
		rest, err := io.ReadAll(io.LimitReader(br, 16*maxResource))
		if err != nil {
			return err
		}
		return document(name, line, append(append(first, '\n'), rest...), yield)
	}
	if isBundle(first) {
		return document(name, line, first, yield)
	}
	for ; ; line++ {
		if len(first) > 0 && !yield(fhirstore.Incoming{JSON: first, Origin: fmt.Sprintf("%s:%d", name, line)}) {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if first, err = readLine(br); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
}

// readLine returns the next line without white space around it, and io.EOF with
// the last one.
func readLine(br *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxResource {
			return nil, fmt.Errorf("a line is longer than %d bytes", maxResource)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(line), err
		}
	}
}

func isBundle(b []byte) bool {
	var head struct {
		ResourceType string `json:"resourceType"`
	}
	return json.Unmarshal(b, &head) == nil && head.ResourceType == "Bundle"
}

// document yields the entries of a Bundle, or the one resource that it is; b
// begins in a line of the file.
func document(name string, line int, b []byte, yield func(fhirstore.Incoming) bool) error {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(b, new(json.RawMessage)); errors.As(err, &syntax) {
		return lineError{line + bytes.Count(b[:syntax.Offset], []byte{'\n'}), "neither NDJSON nor one JSON document: " + syntax.Error()}
	}
	if !isBundle(b) {
		yield(fhirstore.Incoming{JSON: b, Origin: name})
		return nil
	}
	var bundle struct {
		Entry []struct {
			FullURL  string          `json:"fullUrl"`
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	if err := json.Unmarshal(b, &bundle); err != nil {
		return err
	}
	names := map[string]string{} // urn:uuid:… → Type/id
	for i, e := range bundle.Entry {
		if uuid, ok := strings.CutPrefix(e.FullURL, "urn:uuid:"); ok && len(e.Resource) > 0 {
			resource, ref := identified(e.Resource, uuid)
			bundle.Entry[i].Resource = resource
			names[e.FullURL] = ref
		}
	}
	for i, e := range bundle.Entry {
		if len(e.Resource) == 0 {
			continue
		}
		in := fhirstore.Incoming{JSON: resolveNames(e.Resource, names), Origin: fmt.Sprintf("%s: entry %d", name, i)}
		if !yield(in) {
			return nil
		}
	}
	return nil
}

// identified gives a resource without an id the uuid of its fullUrl and returns
// its local reference.
func identified(resource []byte, uuid string) ([]byte, string) {
	var head struct {
		ResourceType string `json:"resourceType"`
		ID           string `json:"id"`
	}
	if json.Unmarshal(resource, &head) != nil {
		return resource, ""
	}
	if head.ID != "" {
		return resource, head.ResourceType + "/" + head.ID
	}
	body := bytes.TrimSpace(resource)
	id, err := json.Marshal(uuid)
	if err != nil || len(body) < 2 || body[0] != '{' {
		return resource, ""
	}
	with := append([]byte(`{"id":`), id...)
	with = append(with, ',')
	return append(with, body[1:]...), head.ResourceType + "/" + uuid
}

var uuidReference = regexp.MustCompile(`("reference"\s*:\s*)"(urn:uuid:[^"\\]+)"`)

// resolveNames replaces references to other entries of the same Bundle by local
// ones (FHIR bundle §2.36.4.1); unknown names stay as they are.
func resolveNames(resource []byte, names map[string]string) []byte {
	if len(names) == 0 {
		return resource
	}
	return uuidReference.ReplaceAllFunc(resource, func(m []byte) []byte {
		parts := uuidReference.FindSubmatch(m)
		ref := names[string(parts[2])]
		if ref == "" {
			return m
		}
		return append(append(append([]byte{}, parts[1]...), '"'), ref+`"`...)
	})
}
