package factor

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Offer is a secret to set up, as people take it over.
type Offer struct {
	Secret string // in groups of four, to type
	URI    string // otpauth://totp/…, for an app on the same device
	QR     Drawing
}

// Drawing is a QR code: black squares of a square.
type Drawing struct {
	Size int    // squares on a side, without the quiet zone
	Path string // as an SVG path draws them
}

// Offer makes the secret of a session of a person.
func (f *Factors) Offer(user store.User, session []byte) (Offer, error) {
	secret := text(f.offered(user.ID, session))
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: f.deps.Issuer, AccountName: user.Username, Secret: f.offered(user.ID, session),
		Period: uint(period.Seconds()), Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return Offer{}, fmt.Errorf("offering a second factor: %w", err)
	}
	drawing, err := draw(key.URL())
	return Offer{Secret: inFours(secret, " "), URI: key.URL(), QR: drawing}, err
}

// draw makes the QR code; neighbours in a row are one rectangle.
func draw(uri string) (Drawing, error) {
	code, err := qr.Encode(uri, qr.M, qr.Auto)
	if err != nil {
		return Drawing{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	size := code.Bounds().Dx()
	black := func(x, y int) bool { return x < size && code.At(x, y) == color.Color(color.Black) }
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			from := x
			for black(x, y) {
				x++
			}
			if n := x - from; n > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from, y, n, n)
			}
		}
	}
	return Drawing{Size: size, Path: path.String()}, nil
}

// Made is a factor that was confirmed, with its backup codes, which are shown once.
type Made struct {
	Change store.FactorChange
	Codes  []string
}

// Confirm sets the offer of a session up when the code is one of it: what has to be
// stored is returned, in the place of the factor that there is. False: it is no code of
// the offer.
func (f *Factors) Confirm(ctx context.Context, user store.User, session []byte, typed string) (Made, bool, error) {
	secret := f.offered(user.ID, session)
	step, right, err := match(secret, typed, f.deps.Now())
	if err != nil || !right {
		return Made{}, false, err
	}
	sealed, err := f.seal(user.ID, secret)
	if err != nil {
		return Made{}, false, err
	}
	before, err := f.deps.Store.Factor(ctx, user.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Made{}, false, err
	}
	codes, hashes := BackupCodes()
	return Made{store.FactorChange{UserID: user.ID, Was: before.Sealed, Sealed: sealed, Step: step, BackupHashes: hashes}, codes}, true, nil
}

// Known is a factor with a secret in base32 that others know: that of a sandbox.
func (f *Factors) Known(user store.User, secret string) (store.FactorChange, error) {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil || len(raw) != secretSize {
		return store.FactorChange{}, fmt.Errorf("factor: %q is not %d bytes in base32", secret, secretSize)
	}
	sealed, err := f.seal(user.ID, raw)
	return store.FactorChange{UserID: user.ID, Sealed: sealed}, err
}

// inFours makes long texts readable.
func inFours(s, between string) string {
	var groups []string
	for len(s) > 4 {
		groups, s = append(groups, s[:4]), s[4:]
	}
	return strings.Join(append(groups, s), between)
}

// Sides is the box of the drawing with the quiet zone of four squares (ISO/IEC 18004
// §9.1), as an SVG viewBox.
func (d Drawing) Sides() string {
	n := strconv.Itoa(d.Size + 8)
	return "-4 -4 " + n + " " + n
}
