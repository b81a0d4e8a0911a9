package fhirapi

import (
	"net/http"
	"sync"

	"github.com/emberlatch/emberlatch/fhir"
)

// sheets are what Bundles are written on before they go out: whoever takes an answer
// (io.Writer) keeps nothing of it.
var sheets = sync.Pool{New: func() any { return new([]byte) }}

// largestSheet is what is kept of them.
const largestSheet = 1 << 20

// writeBundle answers with a Bundle.
func writeBundle(w http.ResponseWriter, bundle *fhir.Searchset) {
	sheet := sheets.Get().(*[]byte)
	*sheet = bundle.Append((*sheet)[:0])
	writeJSON(w, http.StatusOK, *sheet)
	if cap(*sheet) <= largestSheet {
		sheets.Put(sheet)
	}
}
