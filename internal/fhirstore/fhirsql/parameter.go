package fhirsql

import (
	"hash/fnv"

	"github.com/emberlatch/emberlatch/fhir/search"
)

// parameterID numbers a search parameter in the index tables: a hash of its name,
// so that the numbers survive new parameters. A test proves that no two collide.
func parameterID(p search.Parameter) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.Name()))
	return int64(h.Sum32())
}

// tables are where the values of a kind of parameter stand.
var tables = map[search.ParameterType]string{
	search.TypeToken: "fhir_token", search.TypeReference: "fhir_reference", search.TypeDate: "fhir_date",
	search.TypeString: "fhir_string", search.TypeNumber: "fhir_number", search.TypeQuantity: "fhir_number",
	search.TypeURI: "fhir_uri",
}

// maxIndexed bounds a text in an index, in bytes; operands are shorter, so a cut
// text never equals one.
const maxIndexed = 1200

func clip(s string) string {
	if len(s) <= maxIndexed {
		return s
	}
	cut := maxIndexed
	for cut > 0 && s[cut]&0xc0 == 0x80 { // not inside of a character
		cut--
	}
	return s[:cut]
}
