package page_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A page in a window: the width of a phone held upright and of a screen at 400 %
// (WCAG 1.4.10), or of a desk; by day or by night.
type window struct {
	name, scheme string
	width        int64
	resized      bool // the window before, made narrower
}

var windows = []window{{"wide", "light", 1280, false}, {"narrow", "light", 320, true}, {"narrow-dark", "dark", 320, false}}

// Every page in every window: nothing is cut off, also with wider text spacing; no
// rule of axe is broken; what is pressed is large enough. go test -artifacts takes
// pictures, and keeps them.
//
// spec: LOGIN-25
func TestPagesInChromium(t *testing.T) {
	tab, server := chromium(t), site(t)
	axe := axeCore(t)
	for _, s := range samples() {
		for _, w := range windows {
			t.Run(s.name+" "+w.name, func(t *testing.T) {
				if w.resized {
					do(t, tab, plainSpacing, chromedp.EmulateViewport(w.width, 900))
				} else {
					show(t, tab, w, server.URL+"/sample/"+s.name+"?lang="+langOf(w))
				}
				takePicture(t, tab, s.name+"-"+w.name+".png")
				checkWidth(t, tab, w)
				checkSelects(t, tab, w)
				checkTargets(t, tab)
				if !w.resized { // once for each language and set of colours
					checkAxe(t, tab, axe)
				}
				do(t, tab, spacing)
				checkWidth(t, tab, w)
			})
		}
	}
}

// takePicture takes one when somebody wants to look at it.
func takePicture(t *testing.T, tab context.Context, name string) {
	t.Helper()
	if wanted := flag.Lookup("test.artifacts"); wanted == nil || wanted.Value.String() != "true" {
		return
	}
	picture := ask(t, tab, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

// langOf shows half of the pictures in the language with the longer words.
func langOf(w window) string {
	if w.scheme == "dark" {
		return "es"
	}
	return "en"
}

func show(t *testing.T, tab context.Context, w window, address string) {
	t.Helper()
	scheme := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: w.scheme}},
		})
		return err
	})
	do(t, tab, scheme, chromedp.EmulateViewport(w.width, 900), chromedp.Navigate(address))
}

// spacing is what readers may set for themselves (WCAG 1.4.12).
var spacing = chromedp.Evaluate[chromedp.Void](`(() => {
	const sheet = new CSSStyleSheet();
	sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }");
	document.adoptedStyleSheets = [sheet];
})()`)

var plainSpacing = chromedp.Evaluate[chromedp.Void](`document.adoptedStyleSheets = []; undefined`)

// checkSelects: on a desk what is selected is read whole.
func checkSelects(t *testing.T, tab context.Context, w window) {
	t.Helper()
	if w.name != "wide" {
		return
	}
	cut := ask(t, tab, chromedp.Evaluate[[]string](`[...document.querySelectorAll("select")].filter(e => {
		const alone = e.cloneNode();
		alone.append(e.selectedOptions[0].cloneNode(true));
		alone.style.width = alone.style.maxWidth = "max-content";
		e.after(alone);
		const needs = alone.offsetWidth;
		alone.remove();
		return needs > e.offsetWidth;
	}).map(e => e.id)`))
	if len(cut) > 0 {
		t.Errorf("the text of %q is cut off", cut)
	}
}

func checkWidth(t *testing.T, tab context.Context, w window) {
	t.Helper()
	if got := ask(t, tab, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); got > w.width {
		wide := ask(t, tab, chromedp.Evaluate[[]string](`[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.className !== "unseen").map(e => e.outerHTML.slice(0, 120))`))
		t.Errorf("%d pixels wide in a window of %d: %q", got, w.width, wide)
	}
}

// checkTargets: buttons are 44 pixels high, and so is the label that belongs to a
// checkbox or radio button (WCAG 2.5.8 asks for 24).
func checkTargets(t *testing.T, tab context.Context) {
	t.Helper()
	small := ask(t, tab, chromedp.Evaluate[[]string](`[...document.querySelectorAll("button:not(.unseen), summary, label.tick, select, textarea, input[type=text], input[type=password]")]
		.filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.9).map(e => e.outerHTML.slice(0, 120))`))
	if len(small) > 0 {
		t.Errorf("lower than 44 pixels: %q", small)
	}
}

// axeCore is the source of axe, empty when the Node packages are not installed.
func axeCore(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../../test/clients/node_modules/axe-core/axe.min.js")
	switch {
	case err == nil:
		return string(source)
	case os.Getenv("CI") != "":
		t.Fatalf("axe is not installed, and CI is set: %v", err)
	}
	t.Log("axe is not installed (make setup); its rules are not checked")
	return ""
}

// checkAxe runs the rules of WCAG 2.2 AA and of good practice.
func checkAxe(t *testing.T, tab context.Context, axe string) {
	t.Helper()
	if axe == "" {
		return
	}
	do(t, tab, chromedp.Evaluate[chromedp.Void](axe+";undefined"))
	found := ask(t, tab, chromedp.Evaluate[string](`axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
		.then(r => JSON.stringify({passes: r.passes.length, violations: r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160) + " " + n.failureSummary).join("; "))}))`, chromedp.EvalAwaitPromise))
	var r struct {
		Passes     int
		Violations []string
	}
	if err := json.Unmarshal([]byte(found), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Violations) > 0 || r.Passes < 10 {
		t.Errorf("axe: %d rules passed, broken: %s", r.Passes, strings.Join(r.Violations, "\n"))
	}
}

// By keyboard a page is walked in the order in which it is read, from the link
// that skips to the content, and the focus is always seen.
//
// spec: LOGIN-25
func TestKeyboardOrder(t *testing.T) {
	tab, server := chromium(t), site(t)
	for _, name := range []string{"sign-in", "identify", "choose-patient", "emergency", "open-records", "choose-encounter", "approve", "connected", "stop-sharing", "change-password", "register-app", "app-state-shown", "start"} {
		t.Run(name, func(t *testing.T) {
			show(t, tab, windows[0], server.URL+"/sample/"+name)
			want := ask(t, tab, chromedp.Evaluate[[]string](`[...document.querySelectorAll("a[href], button:not(.unseen):not(:disabled), :is(input:not([type=hidden]), select, textarea):not(:disabled), summary")]
				.filter(e => e.checkVisibility()).map(e => e.outerHTML)`))
			want = oneRadioPerGroup(want)
			got := walkByTab(t, tab, len(want))
			if !slices.Equal(want, got) {
				t.Errorf("walked:\n%s\nread:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// walkByTab presses Tab and tells where the focus is; an element without a ring of
// two pixels is a mistake.
func walkByTab(t *testing.T, tab context.Context, steps int) []string {
	t.Helper()
	var list []string
	for range steps {
		do(t, tab, chromedp.KeyEvent("\t"))
		list = append(list, ask(t, tab, chromedp.Evaluate[string](`document.activeElement.outerHTML`)))
		ring := ask(t, tab, chromedp.Evaluate[float64](`(s => s.outlineStyle === "none" ? 0 : parseFloat(s.outlineWidth))(getComputedStyle(document.activeElement))`))
		if ring < 2 {
			t.Errorf("the focus on %s is not seen", list[len(list)-1])
		}
	}
	return list
}

// oneRadioPerGroup: Tab enters a group of radio buttons once, at the one that is
// chosen, or at the first.
func oneRadioPerGroup(list []string) []string {
	chosen, seen := map[string]bool{}, map[string]bool{}
	for _, e := range list {
		chosen[groupOf(e)] = chosen[groupOf(e)] || strings.Contains(e, "checked")
	}
	return slices.DeleteFunc(slices.Clone(list), func(e string) bool {
		group := groupOf(e)
		if group == "" {
			return false
		}
		keep := !seen[group] && (!chosen[group] || strings.Contains(e, "checked"))
		seen[group] = seen[group] || keep
		return !keep
	})
}

var groupName = regexp.MustCompile(`type="radio".* name="([^"]+)"`)

// groupOf is the name of the group that a radio button belongs to, empty for all else.
func groupOf(element string) string {
	if m := groupName.FindStringSubmatch(element); m != nil {
		return m[1]
	}
	return ""
}
