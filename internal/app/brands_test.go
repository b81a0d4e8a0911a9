package app_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/brand"
)

// A server does not start with a file of brands that is missing or wrong, and
// starts with a good one.
//
// spec: DISC-26
func TestBrandsAreJudgedAtTheStart(t *testing.T) {
	cfg, err := app.DevConfig(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "brands.json")
	good, err := brand.Generate("Valley Clinic", cfg.PublicURL, cfg.FHIRBase())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, text, want string
		identifier       brand.Identifier
	}{
		{"missing", "", "brands.file", brand.Identifier{}},
		{"wrong", `{"resourceType":"Bundle"}`, "type collection", brand.Identifier{}},
		{"of another server", strings.ReplaceAll(string(good.JSON()), "localhost:8765", "localhost:1"), "address is the https", brand.Identifier{}},
		{"another identifier", string(good.JSON()), "0 Organizations", brand.Identifier{System: "a", Value: "b"}},
		{"good", string(good.JSON()), "", brand.Identifier{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.text != "" {
				if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c := cfg
			c.Brands = app.BrandConfig{File: file, Identifier: row.identifier}
			a, err := app.Open(t.Context(), c, slog.New(slog.DiscardHandler))
			if row.want == "" {
				if err != nil || a.Close() != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error about %q", err, row.want)
			}
		})
	}
	cfg.Brands.Identifier = brand.Identifier{System: "a", Value: "b"}
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "brands.identifier") {
		t.Errorf("an identifier without a file: %v", err)
	}
}
