package main

import (
	"testing"
)

// A factor that is not there cannot be removed, and nobody's neither.
//
// spec: LOGIN-13
func TestRemovingAFactor(t *testing.T) {
	dir := t.TempDir()
	dev(t, dir)
	refuses(t, "no second factor", "user", "remove-factor", "chen", "--data", dir)
	refuses(t, `the user "nobody-here": not found`, "user", "remove-factor", "nobody-here", "--data", dir)
}
