package app

import (
	"fmt"
	"os"

	"github.com/emberlatch/emberlatch/internal/brand"
)

// brands are those of the operator's file, or the one of a sandbox; none otherwise.
func (c Config) brands() (brand.Bundle, error) {
	if c.Brands.File == "" {
		if c.Sandbox {
			return brand.Generate(c.Organisation.Name, c.PublicURL, c.FHIRBase())
		}
		return brand.Bundle{}, nil
	}
	raw, err := os.ReadFile(c.Brands.File)
	if err != nil {
		return brand.Bundle{}, fmt.Errorf("brands.file: %w", err)
	}
	b, err := brand.Parse(raw, c.FHIRBase(), c.Brands.Identifier)
	if err != nil {
		return brand.Bundle{}, fmt.Errorf("brands.file %s: %w", c.Brands.File, err)
	}
	return b, nil
}
