package emergency

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Fields of the form.
const (
	FieldReason   = "reason"
	FieldWords    = "words"
	FieldMinutes  = "minutes"
	FieldPassword = "password"
)

// Other is the reason that needs words.
const Other = "other"

// Reasons are those to choose from. Records name them; a published one keeps its meaning.
func Reasons() []string { return []string{"urgent-care", "cannot-be-asked", "covering", Other} }

// MaxWords bounds what is said about a reason, in characters.
const MaxWords = 200

// lengths are those to choose from, in minutes.
var lengths = []int{15, 30, 60, 120, 240, 480}

// Limits of how long a record may be open.
const (
	DefaultLongest = time.Hour
	Shortest       = 15 * time.Minute
	Longest        = 8 * time.Hour
)

// Lengths are how long a record can be opened, in minutes: none longer than the longest.
func (d *Desk) Lengths() []int { return within(d.deps.Longest) }

// Usual is the length that is offered: an hour, or less where none is as long.
func (d *Desk) Usual() string {
	some := within(min(time.Hour, d.deps.Longest))
	return strconv.Itoa(some[len(some)-1])
}

func within(longest time.Duration) []int {
	n := 0
	for n < len(lengths) && time.Duration(lengths[n])*time.Minute <= longest {
		n++
	}
	return lengths[:n:n]
}

// Stated is what somebody says: a reason of the list, more words about it, and how long.
type Stated struct{ Reason, Words, Minutes string }

// Problem is a mistake in a field; its message is a key of the pages.
type Problem struct{ Field, Message string }

// check returns the reason as it is kept: never empty, one line, bounded.
func (s Stated) check(longest time.Duration) (reason string, life time.Duration, problems []Problem) {
	words := oneLine(s.Words)
	known := slices.Contains(Reasons(), s.Reason)
	switch {
	case !known:
		problems = append(problems, Problem{FieldReason, "emergency.no-reason"})
	case utf8.RuneCountInString(words) > MaxWords:
		problems = append(problems, Problem{FieldWords, "emergency.long"})
	case s.Reason == Other && words == "":
		problems = append(problems, Problem{FieldWords, "emergency.no-words"})
	}
	minutes, err := strconv.Atoi(s.Minutes)
	if err != nil || !slices.Contains(within(longest), minutes) {
		problems = append(problems, Problem{FieldMinutes, "emergency.no-length"})
	}
	if reason = s.Reason; words != "" {
		reason += ": " + words
	}
	return reason, time.Duration(minutes) * time.Minute, problems
}

// Word is the reason of the list in a reason that was kept: what is told without the words of
// who stated it.
func Word(reason string) string {
	word, _, _ := strings.Cut(reason, ":")
	return word
}

// oneLine is a text on one line, of characters that can be seen.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text), " ")
}
