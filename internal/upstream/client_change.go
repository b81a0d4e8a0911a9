package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// change makes one call that changes something. What was sent is waited for, though the
// caller has gone: what became of it goes into the record. Errors are
// fhirstore.ErrNotFound, errFaster, an OperationOutcome of ours, or a Failure, which says
// whether the change may have been made.
func (c *client) change(ctx context.Context, r call) (answer, error) {
	got, err := c.renewing(context.WithoutCancel(ctx), r)
	var f *fhirstore.Failure
	switch {
	case errors.As(err, &f) && f.Status == http.StatusServiceUnavailable: // nothing was sent
		return answer{}, err
	case err != nil:
		return answer{}, unsure(err)
	}
	return got, c.judgeChange(ctx, got)
}

// judgeChange turns the status of a change into what callers are told, in words of ours
// (rows 66, 106 and 107).
func (c *client) judgeChange(ctx context.Context, got answer) error {
	switch got.status {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
		return nil
	case http.StatusNotFound, http.StatusGone:
		return fhirstore.ErrNotFound
	}
	c.log.WarnContext(ctx, "the upstream refused a change or failed", "status", got.status, "body", string(got.body), "id", c.requestID(ctx))
	cause := fmt.Errorf("it answered a change with status %d", got.status)
	switch got.status {
	case http.StatusConflict, http.StatusPreconditionFailed:
		return errFaster
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		return untaken()
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return &fhirstore.Failure{Status: http.StatusServiceUnavailable, Cause: cause}
	case http.StatusUnauthorized, http.StatusForbidden:
		return &fhirstore.Failure{Status: http.StatusBadGateway, Cause: cause}
	case http.StatusGatewayTimeout:
		return &fhirstore.Failure{Status: http.StatusGatewayTimeout, Unsure: true, Cause: cause}
	}
	return &fhirstore.Failure{Status: http.StatusBadGateway, Unsure: true, Cause: cause}
}

// untaken: why not may name what is hidden, and is for the log.
func untaken() error {
	return outcome(http.StatusUnprocessableEntity, "business-rule", "The server that holds the records does not take this content. It is built as R4 defines it; that server asks for more, or for something else. Its operator finds the reason in the log.")
}

// readMade reads the resource in the answer to a change, if there is one that can be
// read: what was made can be read back otherwise. Of a refusal it reads the beginning, for
// the log.
func readMade(resp *http.Response, limit int64) []byte {
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated:
	default:
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxLogged)) // for the log; there may be less
		return body
	}
	if plainJSON(resp.Header) != nil {
		return nil
	}
	body, err := readWhole(resp, limit)
	if err != nil { // the change was made
		return nil
	}
	defer giveBack(body)
	return bytes.Clone(body)
}
