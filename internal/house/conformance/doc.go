// Command conformance writes docs/conformance.md: which requirement and which
// attack is proven by which test.
//
//	*_test.go  "// spec: RT-22, RT-23"  "// attack: TK-05, B.40" ─┐
//	docs/conformance.txt  what is not done, and departures ───────┴▶ docs/conformance.md
//
// With -check it writes nothing and fails when the file is out of date, when a
// test names a row that does not exist, or when a SHALL group of the current
// milestone has a row with neither a test nor a reason. Reasons for rows of the
// attack catalogue stand behind the word attack.
//
//	go run ./internal/house/conformance
//	go run ./internal/house/conformance -check
package main
