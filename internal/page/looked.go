package page

import (
	"strings"
	"time"
)

// Looked is who looked at the person's own record, day by day, the newest first.
type Looked struct {
	Shell
	Days []LookedDay
	// Earlier is where older ones stand; empty: nowhere. Later is the first page, on all
	// that follow.
	Earlier, Later, Back string
}

// LookedDay is a day.
type LookedDay struct {
	ID    string // of the heading
	Day   time.Time
	Looks []Look
}

// Look is what one app did on a day for the same people, in one way.
type Look struct {
	App   App
	By    string // who was behind it: the key below "looked-by." of the catalogue
	What  string // shown, changed, allowed, refused: the key below "looked." of the catalogue
	Kinds []Kind
	// Sensitive are the categories of sensitive content that were in it.
	Sensitive []Words
	Times     int
	Last      time.Time
}

// Words are what people read, by language.
type Words map[string]string

// said are the words in the language of the page, one after the other.
func (l *tongue) said(list []Words) string {
	all := make([]string, len(list))
	for i, w := range list {
		all[i] = w[l.code]
	}
	return strings.Join(all, ", ")
}

// Kind is a kind of information: a group of the catalogue, and the type where the group
// is named by it.
type Kind struct{ Group, Type string }

func (Looked) name() string { return "looked" }

// groups names kinds of information, one after the other.
func (l *tongue) groups(kinds []Kind) string {
	words := ""
	for i, k := range kinds {
		if i > 0 {
			words += ", "
		}
		words += l.text("group."+k.Group, "type", k.Type)
	}
	return words
}
