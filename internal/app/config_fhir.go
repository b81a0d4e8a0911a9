package app

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/upstream"
)

// FHIRConfig says who holds the records: this server, unless there is an upstream.
type FHIRConfig struct {
	Upstream upstream.Config `yaml:"upstream"`
	// Export bounds bulk exports, which are of records that this server holds.
	Export ExportConfig `yaml:"export"`
}

// ExportConfig bounds bulk exports.
type ExportConfig struct {
	// Life is how long an export may be fetched after it was asked for.
	Life time.Duration `yaml:"life"`
	// JobsPerClient is how many of a client may be unfinished.
	JobsPerClient int `yaml:"jobs_per_client"`
	// MaxResources is how many resources one may have.
	MaxResources int `yaml:"max_resources"`
}

func defaultExport() ExportConfig {
	return ExportConfig{Life: 24 * time.Hour, JobsPerClient: 2, MaxResources: 10_000_000}
}

func (e ExportConfig) validate() error {
	switch {
	case e.Life < time.Minute || e.Life > 30*24*time.Hour:
		return fmt.Errorf("fhir.export.life: %s; from 1m to 720h", e.Life)
	case e.JobsPerClient < 1 || e.JobsPerClient > 100:
		return fmt.Errorf("fhir.export.jobs_per_client: %d; from 1 to 100", e.JobsPerClient)
	case e.MaxResources < 1:
		return fmt.Errorf("fhir.export.max_resources: %d; 1 or more", e.MaxResources)
	}
	return nil
}

// validate reports what is wrong with the section; nothing set is nothing wrong.
func (f FHIRConfig) validate(own string) error {
	if err := f.Export.validate(); err != nil {
		return err
	}
	if reflect.ValueOf(f.Upstream).IsZero() {
		return nil
	}
	if f.Upstream.URL == own || strings.HasPrefix(f.Upstream.URL, own+"/") {
		return fmt.Errorf("fhir.upstream.url: %q is this server itself", f.Upstream.URL)
	}
	return f.Upstream.Validate()
}
