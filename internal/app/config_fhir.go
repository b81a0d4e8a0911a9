package app

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/emberlatch/emberlatch/internal/upstream"
)

// FHIRConfig says who holds the records: this server, unless there is an upstream.
type FHIRConfig struct {
	Upstream upstream.Config `yaml:"upstream"`
}

// validate reports what is wrong with the section; nothing set is nothing wrong.
func (f FHIRConfig) validate(own string) error {
	if reflect.ValueOf(f.Upstream).IsZero() {
		return nil
	}
	if f.Upstream.URL == own || strings.HasPrefix(f.Upstream.URL, own+"/") {
		return fmt.Errorf("fhir.upstream.url: %q is this server itself", f.Upstream.URL)
	}
	return f.Upstream.Validate()
}
