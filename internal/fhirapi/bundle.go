package fhirapi

import (
	"net/http"
	"sync"

	"github.com/emberlatch/emberlatch/fhir"
)

// sheets are what Bundles are written on before they go out.
var sheets = sync.Pool{New: func() any { return new([]byte) }}

// largestSheet is what is kept of them.
const largestSheet = 1 << 20

// writeBundle answers with a Bundle. Order: a sheet is used again when all of it was
// taken, and never else: when a client breaks an answer off, its connection of HTTP/2
// holds the bytes until they are through, and would send those of the next answer.
func writeBundle(w http.ResponseWriter, bundle *fhir.Searchset) {
	sheet := sheets.Get().(*[]byte)
	*sheet = bundle.Append((*sheet)[:0])
	err := written(w, http.StatusOK, *sheet)
	if err == nil && cap(*sheet) <= largestSheet {
		sheets.Put(sheet)
	}
}
