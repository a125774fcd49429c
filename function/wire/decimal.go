package wire

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// decimal writes a numeric as the connector does under its decimal.handling.mode:
//
//	string   the digits as Postgres prints them, as seen of Debezium 1.9 ("0.000000012"); see JavaDecimal for the other way
//	double   float64
//	precise  with a schema the text that package connector makes of it; without one, base64 of the unscaled value, beside its scale
//	         where the column declares none
//
// NaN and infinities are the names of Debezium's SpecialValueDecimal, as captured ("NAN").
func decimal(c *Column, text string, f Form) (any, error) {
	switch text {
	case "NaN":
		return "NAN", nil
	case "Infinity":
		return "POSITIVE_INFINITY", nil
	case "-Infinity":
		return "NEGATIVE_INFINITY", nil
	}
	switch f.Decimals {
	case DecimalDouble:
		x, err := strconv.ParseFloat(text, 64)
		return x, c.misread(err)
	case DecimalPrecise:
		if f.Temporals == TemporalText {
			return text, nil
		}
		return unscaled(c, text)
	default:
		return text, nil
	}
}

// JavaDecimal writes plain decimal digits as java.math.BigDecimal.toString does: with an exponent when the number is below 1e-6. Where
// the index has that, it is not taken for a fault.
func JavaDecimal(text string) string {
	sign, digits := "", text
	if strings.HasPrefix(text, "-") {
		sign, digits = "-", text[1:]
	}
	whole, behind, _ := strings.Cut(digits, ".")
	scale := len(behind)
	significant := strings.TrimLeft(whole+behind, "0")
	if significant == "" {
		significant = "0"
	}
	exponent := len(significant) - 1 - scale
	if scale == 0 || exponent >= -6 {
		return text
	}
	mantissa := significant[:1]
	if len(significant) > 1 {
		mantissa += "." + significant[1:]
	}
	return fmt.Sprintf("%s%sE%d", sign, mantissa, exponent)
}

// unscaled writes the digits without the point as Kafka Connect does: big-endian two's complement, in base64.
func unscaled(c *Column, text string) (any, error) {
	whole, behind, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole+behind, 10)
	if !ok {
		return nil, c.misread(fmt.Errorf("%q is not a decimal number", text))
	}
	encoded := base64.StdEncoding.EncodeToString(twosComplement(n))
	if c.Modifier < 0 { // Debezium's VariableScaleDecimal
		return map[string]any{"scale": int64(len(behind)), "value": encoded}, nil
	}
	return encoded, nil
}

func twosComplement(n *big.Int) []byte {
	if n.Sign() >= 0 {
		raw := n.Bytes()
		if len(raw) == 0 || raw[0]&0x80 != 0 {
			raw = slices.Insert(raw, 0, 0)
		}
		return raw
	}
	size := len(new(big.Int).Not(n).Bytes())
	if size == 0 || new(big.Int).Not(n).Bit(size*8-1) == 1 {
		size++
	}
	whole := new(big.Int).Lsh(big.NewInt(1), uint(size)*8)
	return new(big.Int).Add(whole, n).Bytes()
}
