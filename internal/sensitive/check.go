package sensitive

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/emberlatch/emberlatch/access"
)

// named is what a category may be called: it stands in records and in queries.
var named = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// maxCategories is how many an operator may define: every search asks for each that is
// withheld.
const maxCategories = 50

// Check reports everything that is wrong with definitions; at names the place of the nth
// one, languages are those that people read.
func Check(list []Definition, ordinaryLabels []Code, languages []string, at func(n int, part string) string) []error {
	var wrong []error
	add := func(n int, part, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%s: %s", at(n, part), fmt.Sprintf(format, args...)))
	}
	if len(list) > maxCategories {
		add(maxCategories, "", "there may be %d categories", maxCategories)
	}
	names, labels := map[string]bool{}, map[Code]string{}
	for n, d := range list {
		switch {
		case !named.MatchString(d.Name) || len(d.Name) > 40:
			add(n, "name", "%q is not made of small letters and digits with hyphens between, 40 at most", d.Name)
		case names[d.Name]:
			add(n, "name", "%q is defined twice", d.Name)
		}
		names[d.Name] = true
		for _, language := range languages {
			if d.Words[language] == "" {
				add(n, "words", "there are none in the language %q, which people read", language)
			}
		}
		switch {
		case d.Name == Unlisted && len(d.Codes)+len(d.Labels) > 0:
			add(n, "name", "%q is what has a label that is not listed; it takes words and readers only", Unlisted)
		case d.Name != Unlisted && len(d.Codes)+len(d.Labels) == 0:
			add(n, "name", "%q has neither codes, nor value_sets, nor labels, so that nothing is in it", d.Name)
		}
		for _, label := range d.Labels {
			switch other, taken := labels[label]; {
			case taken && other != d.Name:
				add(n, "labels", "%s means %q already", label, other)
			case slices.Contains(ordinaryLabels, label):
				add(n, "labels", "%s stands among the ordinary_labels", label)
			}
			labels[label] = d.Name
		}
		for i, r := range d.Readers {
			checkReader(r, func(format string, args ...any) { add(n, fmt.Sprintf("readers[%d]", i), format, args...) })
		}
	}
	return wrong
}

func checkReader(r access.Reader, add func(format string, args ...any)) {
	if !slices.Contains(access.Audiences(), r.Audience) {
		add("the audience %q is not patient, representative, practitioner or service", r.Audience)
	}
	if len(r.Apps) == 0 {
		add(`apps: name the client ids of apps, or "*" for every app`)
	}
	for _, app := range r.Apps {
		if app == "" || app == access.AnyApp && len(r.Apps) > 1 {
			add(`apps: name client ids, or "*" alone`)
		}
	}
}
