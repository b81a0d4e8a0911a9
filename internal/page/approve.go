package page

import (
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/smart"
)

// App is who asks (page C5).
type App struct {
	Name, Maker, Host, Status string // Status: checked, registered, self, test
	PolicyURI, TermsURI       string
}

// Unknown reports whether the app says of itself what the page shows of it, and
// nobody vouches for that.
func (a App) Unknown() bool { return a.Status == "self" }

// ScopeRow is one kind of information.
type ScopeRow struct {
	Group   string // key below "group." of the catalogue; "other" for the rest
	Type    string // resource type, for "other"
	Choices []ScopeChoice
	New     bool // not asked for before
}

// ScopeChoice is one checkbox.
type ScopeChoice struct {
	ID    string // of the input
	Value string // the scope
	// Label is a key of the catalogue, "type.…" or "part.…", or words as they are;
	// empty: the words of the row's group. What may be written is named by the scope.
	Label  string
	Ticked bool
	Parts  []ScopeChoice
}

// Duration is the choice of how long an app keeps access (CONS-08, CONS-20).
type Duration struct {
	Scope   string
	Ticked  bool
	Until   time.Time // the end when there are no Options; zero: not told
	Options []DurationOption
}

// DurationOption is one of the lengths; Value is day, quarter or year.
type DurationOption struct {
	Value  string
	Until  time.Time
	Chosen bool
}

// Approve asks whether the app may (page C5).
type Approve struct {
	Shell
	UserName    string
	Patient     Person
	HasPatient  bool
	App         App
	Identity    bool // the app learns who the user is
	Read, Write []ScopeRow
	Wildcard    bool // the app asked for all kinds, future ones too
	Offline     *Duration
	Online      *Duration
	CanRemember bool
	Nothing     bool // nothing was chosen in the last try
}

// FirstID is the id of the first checkbox, where a mistake can be put right.
func (p Approve) FirstID() string {
	for _, rows := range [][]ScopeRow{p.Read, p.Write} {
		for _, r := range rows {
			for _, c := range r.Choices {
				return c.ID
			}
		}
	}
	return "main"
}

// kind is a group as a person sees it: one name, its examples, one line a choice.
type kind struct {
	group           string
	Words, Examples string
	Lines           []line
}

// Several reports whether the group needs a heading of its own.
func (k kind) Several() bool { return len(k.Lines) > 1 }

// line is one checkbox with its words.
type line struct {
	ScopeChoice
	Words, Examples string
	New             bool
	Parts           []line
	typ             string
}

// PartTicked reports whether a part is chosen in place of the whole.
func (l line) PartTicked() bool {
	for _, p := range l.Parts {
		if p.Ticked {
			return true
		}
	}
	return false
}

// kinds gathers neighbouring rows of one group under its name. self says that the
// record is the person's own: some words are about "you" then.
func (l *tongue) kinds(rows []ScopeRow, self bool) []kind {
	var list []kind
	for _, r := range rows {
		if len(list) == 0 || list[len(list)-1].group != r.Group || r.Group == "other" {
			list = append(list, l.kindOf(r, self))
		}
		k := &list[len(list)-1]
		for _, c := range r.Choices {
			k.Lines = append(k.Lines, line{ScopeChoice: c, New: r.New, typ: r.Type})
		}
	}
	for i := range list {
		l.word(&list[i], self)
	}
	return list
}

func (l *tongue) kindOf(r ScopeRow, self bool) kind {
	key := "group." + r.Group
	return kind{group: r.Group, Words: l.about(key, self, "type", r.Type), Examples: l.optional(key + ".examples")}
}

// about is the sentence of a key, in its form for another person's record if it
// has one.
func (l *tongue) about(key string, self bool, pairs ...any) string {
	if theirs := key + ".theirs"; !self && l.has(theirs) {
		key = theirs
	}
	return l.text(key, pairs...)
}

func (l *tongue) optional(key string) string {
	if !l.has(key) {
		return ""
	}
	return l.text(key)
}

// word gives every line of a kind its words: short below a heading, in full when
// the line stands alone.
func (l *tongue) word(k *kind, self bool) {
	for i := range k.Lines {
		n := &k.Lines[i]
		n.Words = l.lineWords(*k, *n, self)
		if !k.Several() {
			n.Examples = k.Examples
		}
		for _, p := range n.ScopeChoice.Parts {
			n.Parts = append(n.Parts, line{ScopeChoice: p, Words: l.label(p.Label, self)})
		}
	}
}

// namesakes are types that need no more words than those of their group when they
// stand in it alone.
var namesakes = []string{"Immunization", "Encounter", "Device"}

func (l *tongue) lineWords(k kind, n line, self bool) string {
	what := l.label(n.Label, self)
	if writes := l.writes(n.Value); writes != "" {
		what = writes
		if k.Several() && l.has("type."+n.typ) {
			what = l.text("approve.pair", "kind", l.label("type."+n.typ, self), "part", writes)
		}
	}
	switch {
	case what == "", !k.Several() && n.Label == "type."+n.typ && slices.Contains(namesakes, n.typ):
		return k.Words
	case k.Several():
		return what
	}
	return l.text("approve.pair", "kind", k.Words, "part", what)
}

// label is a sentence of the catalogue, or words that are none of its keys: a
// scope whose condition has no name, a type that has no words yet.
func (l *tongue) label(label string, self bool) string {
	if !l.has(label) {
		return strings.TrimPrefix(label, "type.")
	}
	return l.about(label, self)
}

// writes names what a scope allows beside reading, empty when it does not.
func (l *tongue) writes(value string) string {
	scope, err := smart.ParseScope(value)
	if err != nil {
		return ""
	}
	letters := strings.Map(func(r rune) rune {
		if r == 'r' || r == 's' {
			return -1
		}
		return r
	}, scope.Permissions())
	return l.optional("access." + letters)
}
