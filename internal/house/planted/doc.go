// Command planted proves that the tests of access can fail: it plants named bugs, one at
// a time, and runs the tests that must notice.
//
//	bug: file, text ─▶ the text exchanged, in an overlay ─▶ go build ─▶ go test ─▶ caught by
//	     matches not once ◀┘  (no file is touched)   does not compile ◀┘      by nobody ◀┘
//
// Each line of the table stands for a row or a family of rows of the leak catalogue: what
// others have forgotten once, a filter, a claim, an old state. A bug that nobody notices is
// a hole in the tests, and the command fails; so does one whose text is not in the file any
// more, or that no longer compiles.
//
//	go run ./internal/house/planted            all of them, as in make nightly
//	go run ./internal/house/planted -only page those whose names hold a word
package main
