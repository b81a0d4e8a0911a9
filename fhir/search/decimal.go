package search

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Decimal is an exact decimal number: unscaled × 10^-scale. FHIR decimals keep
// their precision (FHIR R4 datatypes §2.24.0.1), so floats are never used.
type Decimal struct {
	unscaled *big.Int
	scale    int
}

// maxExponent bounds the size of numbers that are understood.
const maxExponent = 400

// ParseDecimal reads a JSON number.
func ParseDecimal(s string) (Decimal, bool) {
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa = s[:i]
		if len(s)-i > 6 {
			return Decimal{}, false
		}
		var err error
		if exponent, err = strconv.Atoi(s[i+1:]); err != nil || exponent > maxExponent || exponent < -maxExponent {
			return Decimal{}, false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if len(digits) == 0 || len(digits) > maxExponent || whole == "" || whole == "-" || strings.ContainsAny(fraction, "+-") {
		return Decimal{}, false
	}
	for i, c := range digits {
		if (c < '0' || c > '9') && !(i == 0 && c == '-') {
			return Decimal{}, false
		}
	}
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return Decimal{}, false
	}
	return Decimal{n, len(fraction) - exponent}, true
}

// halfStep is half a unit of the last digit: the implied precision.
func (d Decimal) halfStep() Decimal { return Decimal{big.NewInt(5), d.scale + 1} }

func (d Decimal) align(e Decimal) (a, b *big.Int, scale int) {
	scale = max(d.scale, e.scale)
	grow := func(x Decimal) *big.Int {
		f := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale-x.scale)), nil)
		return f.Mul(f, x.unscaled)
	}
	return grow(d), grow(e), scale
}

func (d Decimal) add(e Decimal) Decimal {
	a, b, scale := d.align(e)
	return Decimal{a.Add(a, b), scale}
}

func (d Decimal) sub(e Decimal) Decimal {
	a, b, scale := d.align(e)
	return Decimal{a.Sub(a, b), scale}
}

// tenth is |d| / 10.
func (d Decimal) tenth() Decimal { return Decimal{new(big.Int).Abs(d.unscaled), d.scale + 1} }

// Ends of the order of sortable decimals.
const (
	minDecimal = "0"
	maxDecimal = "3"
)

// Sortable is a string whose byte order is the numeric order, so that any
// database compares exact decimals: sign, biased exponent, digits; negative
// numbers with every digit complemented.
func (d Decimal) Sortable() string {
	if d.unscaled.Sign() == 0 {
		return "1"
	}
	digits := new(big.Int).Abs(d.unscaled).String()
	exponent := len(digits) - d.scale + 5000 // value = 0.digits × 10^(exponent-5000)
	digits = strings.TrimRight(digits, "0")
	if d.unscaled.Sign() > 0 {
		return fmt.Sprintf("2%04d%s", exponent, digits)
	}
	complement := []byte(digits)
	for i, c := range complement {
		complement[i] = '0' + '9' - c
	}
	return fmt.Sprintf("0%04d%s~", 9999-exponent, complement)
}
