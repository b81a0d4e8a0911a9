package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// fillTime is how many times as long as one answer all sample resources may take.
const fillTime = 6

// Fill writes sample resources into an empty server, all or none, under their own ids:
// a transaction of updates (FHIR R4 http §3.1.0.11). Only a sandbox calls it, for a
// server on the same machine.
func (b *Backend) Fill(ctx context.Context, resources [][]byte) error {
	type request struct {
		Method string `json:"method"`
		URL    string `json:"url"`
	}
	type entry struct {
		Resource json.RawMessage `json:"resource"`
		Request  request         `json:"request"`
	}
	bundle := struct {
		ResourceType string  `json:"resourceType"`
		Type         string  `json:"type"`
		Entry        []entry `json:"entry"`
	}{"Bundle", "transaction", nil}
	for _, raw := range resources {
		r, err := fhir.ParseResource(raw)
		if err != nil {
			return err
		}
		bundle.Entry = append(bundle.Entry, entry{raw, request{http.MethodPut, r.Reference().String()}})
	}
	body, err := json.Marshal(bundle)
	if err != nil {
		return err
	}
	return b.client.post(ctx, body)
}

// post sends a transaction.
func (c *client) post(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, fillTime*c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", fhirJSON)
	req.Header.Set("Accept", fhirJSON)
	req.Header.Set("User-Agent", userAgent)
	if err := c.proof.sign(ctx, req); err != nil {
		return failure(err)
	}
	resp, err := c.up.RoundTrip(req)
	if err != nil {
		return failure(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &fhirstore.Failure{Status: http.StatusBadGateway, Cause: fmt.Errorf("it did not take sample records: status %d", resp.StatusCode)}
	}
	return nil
}
