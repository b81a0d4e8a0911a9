package app

import (
	"fmt"
	"os"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

// SensitiveConfig says what is sensitive beyond whose record it is, and who reads it.
// Without categories nothing is, and labels mean nothing.
type SensitiveConfig struct {
	Categories []CategoryConfig `yaml:"categories"`
	// OrdinaryLabels are labels, as system|code, that put nothing into a category.
	OrdinaryLabels []string `yaml:"ordinary_labels"`
}

// CategoryConfig is one category of sensitive content.
type CategoryConfig struct {
	// Name stands in records: small letters, digits, hyphens.
	Name string `yaml:"name"`
	// Words are what people read, in each language of the pages.
	Words map[string]string `yaml:"words"`
	// Codes, as system|code, that stand in its content; system|F10* begins so, system|* is
	// every code of the system.
	Codes []string `yaml:"codes"`
	// ValueSets are files with more of them: FHIR R4 ValueSets.
	ValueSets []string `yaml:"value_sets"`
	// Labels, as system|code, that stand in its meta.security.
	Labels  []string       `yaml:"labels"`
	Readers []ReaderConfig `yaml:"readers"`
}

// ReaderConfig is an audience that reads a category, in some apps.
type ReaderConfig struct {
	Audience string `yaml:"audience"` // patient, representative, practitioner, service
	// Apps are client ids, or "*" for every app.
	Apps []string `yaml:"apps"`
}

// sensitive are the categories, and everything that is wrong with them.
func (c Config) sensitive() (*sensitive.Categories, []error) {
	var wrong []error
	read := func(key string, texts []string, parse func(string) (sensitive.Code, error)) (list []sensitive.Code) {
		for i, text := range texts {
			code, err := parse(text)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s[%d]: %q: %w", key, i, text, err))
			}
			list = append(list, code)
		}
		return list
	}
	var list []sensitive.Definition
	for n, category := range c.Sensitive.Categories {
		key := fmt.Sprintf("sensitive.categories[%d]", n)
		d := sensitive.Definition{Name: category.Name, Words: category.Words,
			Codes:  read(key+".codes", category.Codes, sensitive.ParseCode),
			Labels: read(key+".labels", category.Labels, sensitive.ParseLabel)}
		for i, path := range category.ValueSets {
			codes, err := readValueSet(path)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s.value_sets[%d]: %w", key, i, err))
			}
			d.Codes = append(d.Codes, codes...)
		}
		for _, r := range category.Readers {
			d.Readers = append(d.Readers, access.Reader{Audience: access.Audience(r.Audience), Apps: r.Apps})
		}
		list = append(list, d)
	}
	ordinary := read("sensitive.ordinary_labels", c.Sensitive.OrdinaryLabels, sensitive.ParseLabel)
	if len(wrong) == 0 { // else a list is shorter than what was written
		wrong = sensitive.Check(list, ordinary, page.Languages, func(n int, part string) string {
			return fmt.Sprintf("sensitive.categories[%d].%s", n, part)
		})
	}
	if len(list) == 0 && len(ordinary) > 0 {
		wrong = append(wrong, fmt.Errorf("sensitive.ordinary_labels: without categories no label means anything"))
	}
	return sensitive.New(list, ordinary), wrong
}

// readValueSet reads a file; errors name it with the line.
func readValueSet(path string) ([]sensitive.Code, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	codes, err := sensitive.ReadValueSet(raw)
	if err != nil {
		return nil, fmt.Errorf("%s, %w", path, err)
	}
	return codes, nil
}
