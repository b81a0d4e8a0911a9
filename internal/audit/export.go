package audit

import (
	"context"
	"encoding/json"
	"time"
)

// Export gives the events of a span, since included and until not, in the order of the
// chain, each as a FHIR AuditEvent. A zero time is no limit.
func (k *Keeper) Export(ctx context.Context, since, until time.Time, write func(line []byte) error) error {
	if err := k.Chain(ctx); err != nil {
		return err
	}
	for behind := int64(0); ; {
		places, err := k.deps.Store.ReadChain(ctx, behind, batch)
		if err != nil {
			return err
		}
		for _, c := range places {
			behind = c.Place
			if c.Gone || c.At.Before(since) || !until.IsZero() && !c.At.Before(until) {
				continue
			}
			line, err := json.Marshal(auditEvent(c.KeptEvent))
			if err != nil {
				return err
			}
			if err := write(line); err != nil {
				return err
			}
		}
		if len(places) < batch {
			return nil
		}
	}
}

// AuditEvent is FHIR R4 AuditEvent, as far as events fill it.
type AuditEvent struct {
	ResourceType string    `json:"resourceType"`
	ID           string    `json:"id"`
	Type         coding    `json:"type"`
	Subtype      []coding  `json:"subtype"`
	Action       string    `json:"action"`
	Recorded     string    `json:"recorded"`
	Outcome      string    `json:"outcome"`
	OutcomeDesc  string    `json:"outcomeDesc,omitempty"`
	Agent        []agent   `json:"agent"`
	Source       source    `json:"source"`
	Entity       []element `json:"entity,omitempty"`
}

type coding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
}

type identifier struct {
	Value string `json:"value"`
}

type reference struct {
	Reference  string      `json:"reference,omitempty"`
	Identifier *identifier `json:"identifier,omitempty"`
	Display    string      `json:"display,omitempty"`
}

type concept struct {
	Coding []coding `json:"coding"`
}

type agent struct {
	Type      *concept  `json:"type,omitempty"`
	Who       reference `json:"who"`
	Requestor bool      `json:"requestor"`
}

type source struct {
	Observer reference `json:"observer"`
}

type element struct {
	What reference `json:"what"`
	Type coding    `json:"type"`
	Role coding    `json:"role"`
}
