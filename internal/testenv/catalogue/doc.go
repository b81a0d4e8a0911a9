// Package catalogue is the leak catalogue as tests: each row of the design law of access
// (B.1 to B.6, 109 rows) under its number, asked of the embedded store and of the gateway
// before a second store with the same data.
//
//	                 ┌▶ fhirapi ─▶ fhirsql ("store")
//	row ─▶ requests ─┤
//	                 └▶ fhirapi ─▶ upstream ─▶ HTTP ─▶ fhirapi ─▶ fhirsql ("gateway")
//
// What every answer must fulfil is asked of all: no text of a resource outside of the
// view, nothing of the upstream's address, cookies or credentials. Numbers that a row
// states for one of the two only carry both verdicts.
//
// The gateway offers no transaction, no history of a type or of all, no search over all
// types and no export: a row then asserts the refusal (offeredByTheStore), and when the
// gateway offers one, the row fails and says so.
//
// It holds no test of the login, of tokens or of limits of requests: packages tokens,
// holder and door have their own.
package catalogue
