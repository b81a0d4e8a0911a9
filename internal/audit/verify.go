package audit

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Head names the end of the chain, to be noted elsewhere.
type Head struct {
	Place int64
	Link  []byte
}

// ErrHead: the text is no head.
var ErrHead = errors.New("audit: a head is PLACE:LINK, as verify prints it")

// String is PLACE:LINK, empty for the beginning.
func (h Head) String() string {
	if h.Place == 0 {
		return ""
	}
	return strconv.FormatInt(h.Place, 10) + ":" + hex.EncodeToString(h.Link)
}

// ParseHead reads what String writes.
func ParseHead(text string) (Head, error) {
	if text == "" {
		return Head{}, nil
	}
	number, link, _ := strings.Cut(text, ":")
	place, err := strconv.ParseInt(number, 10, 64)
	raw, hexErr := hex.DecodeString(link)
	h := Head{place, raw}
	if err != nil || hexErr != nil || place < 1 || len(raw) != 32 || h.String() != text {
		return Head{}, ErrHead
	}
	return h, nil
}

// Finding is something that is not as it was written.
type Finding struct {
	What  string `json:"what"`            // changed, removed, inserted, cut, missing-place, beginning
	Place int64  `json:"place,omitempty"` // in the chain
	Seq   int64  `json:"seq,omitempty"`   // number of the event
}

// Report is the outcome of Verify.
type Report struct {
	OK     bool   `json:"ok"`
	Events int64  `json:"events"` // places that were looked at
	Head   string `json:"head"`
	// Pruned is the last place that was removed by this server because of its age.
	Pruned   int64     `json:"pruned,omitempty"`
	Findings []Finding `json:"findings"`
	// More: there are more findings than are listed.
	More bool `json:"more,omitempty"`
}

// maxFindings bounds the list; the first are those to look at.
const maxFindings = 100

func (r *Report) found(f Finding) {
	if len(r.Findings) == maxFindings {
		r.More = true
		return
	}
	r.Findings = append(r.Findings, f)
}

// Verify chains what waits and computes every link again. Each link is judged behind
// the one that is stored before it, so that one change is one finding. The head of an
// earlier run, if one is given, has to be in the chain.
func (k *Keeper) Verify(ctx context.Context, noted Head) (Report, error) {
	if err := k.settle(ctx); err != nil {
		return Report{}, err
	}
	r, behind := Report{Findings: []Finding{}}, int64(0)
	last, err := k.beginning(ctx, &r)
	if err != nil {
		return Report{}, err
	}
	if last.Place > 0 && last.Place == noted.Place && !hmac.Equal(last.Link, noted.Link) {
		r.found(Finding{What: "changed", Place: noted.Place})
	}
	for {
		places, err := k.deps.Store.ReadChain(ctx, behind, batch)
		if err != nil {
			return Report{}, err
		}
		for _, c := range places {
			if behind = c.Place; c.Place <= r.Pruned { // before the beginning
				r.found(Finding{What: "inserted", Place: c.Place, Seq: c.Seq})
				continue
			}
			k.judge(&r, last, c)
			if last = (Head{c.Place, c.Link}); c.Place == noted.Place && !hmac.Equal(c.Link, noted.Link) {
				r.found(Finding{What: "changed", Place: c.Place, Seq: c.Seq})
			}
			r.Events++
		}
		if len(places) < batch {
			break
		}
	}
	if last.Place < noted.Place {
		r.found(Finding{What: "cut", Place: last.Place + 1})
	}
	r.Head = last.String()
	err = k.loose(ctx, &r)
	return r, err
}

// beginning is the place behind which the chain begins, if it was pruned; its seal shows
// that this server did it.
func (k *Keeper) beginning(ctx context.Context, r *Report) (Head, error) {
	a, err := k.deps.Store.Anchor(ctx)
	if err != nil || a.Place == 0 {
		return Head{}, err
	}
	if r.Pruned = a.Place; !hmac.Equal(a.Seal, k.seal(a.Place, a.Link)) {
		r.found(Finding{What: "beginning", Place: a.Place})
	}
	return Head{a.Place, a.Link}, nil
}

func (k *Keeper) judge(r *Report, last Head, c store.Chained) {
	switch {
	case c.Place != last.Place+1:
		r.found(Finding{What: "missing-place", Place: last.Place + 1})
	case c.Gone:
		r.found(Finding{What: "removed", Place: c.Place, Seq: c.Seq})
	case !hmac.Equal(c.Link, k.link(last.Link, c.Place, c.KeptEvent)):
		r.found(Finding{What: "changed", Place: c.Place, Seq: c.Seq})
	}
}

// loose are events beside the chain.
func (k *Keeper) loose(ctx context.Context, r *Report) error {
	inserted, gone, err := k.deps.Store.LooseEvents(ctx, maxFindings)
	if err != nil {
		return err
	}
	for _, seq := range inserted {
		r.found(Finding{What: "inserted", Seq: seq})
	}
	for _, seq := range gone {
		r.found(Finding{What: "removed", Seq: seq})
	}
	r.OK = len(r.Findings) == 0
	return nil
}
