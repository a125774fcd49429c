package connector

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

// Postgres' numeric has at most 131,072 digits before the point and 16,383 behind it, and a declared scale of at least -1000.
const (
	maxScale         = 16383
	minScale         = -1000
	maxUnscaledBytes = 64 << 10
)

// maxZeros is how many zeros plain writes around the digits. More would let a few bytes of JSON become many kilobytes of text.
const maxZeros = 100

// decimal reads Kafka Connect's Decimal: base64 of the unscaled value as big-endian two's complement, the scale beside it in the
// schema. A converter set to write plain numbers is understood, too.
func decimal(v any, scale string) (string, error) {
	if n, ok := v.(json.Number); ok {
		return numeric(n)
	}
	digits, err := strconv.Atoi(scale)
	if err != nil {
		return "", &SchemaError{why: "the scale of a Decimal must be an integer, and is " + strconv.Quote(clip(scale))}
	}
	return scaled(v, int64(digits))
}

// variableDecimal reads Debezium's VariableScaleDecimal, which carries its scale in the value.
func variableDecimal(v any) (string, error) {
	object, _ := v.(map[string]any)
	scale, err := integer(object["scale"])
	if err != nil {
		return "", badValue("VariableScaleDecimal", "an object with scale and value", v)
	}
	return scaled(object["value"], scale)
}

func scaled(v any, scale int64) (string, error) {
	text, ok := v.(string)
	if !ok {
		return "", badValue("Decimal", "base64 text", v)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", malformedBy(err, ReasonBadValue, "base64 text for Decimal")
	}
	if len(raw) > maxUnscaledBytes || scale > maxScale || scale < minScale {
		return "", malformed(ReasonBadValue, "a numeric that Postgres can hold",
			strconv.Itoa(len(raw))+" bytes with scale "+strconv.FormatInt(scale, 10))
	}
	return plain(twosComplement(raw), int(scale)), nil
}

// numeric rewrites a JSON number with its digits as they are.
func numeric(n json.Number) (string, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(n.String()), "e")
	whole, behind, _ := strings.Cut(mantissa, ".")
	scale := len(behind)
	if exponent != "" {
		shift, err := strconv.Atoi(exponent)
		if err != nil || shift > -minScale || shift < -maxScale {
			return "", badValue("Decimal", "a number that Postgres can hold", n)
		}
		scale -= shift
	}
	if len(whole)+len(behind) > 2*maxUnscaledBytes+maxScale || scale > maxScale {
		return "", badValue("Decimal", "a number that Postgres can hold", n)
	}
	digits, ok := new(big.Int).SetString(whole+behind, 10)
	if !ok {
		return "", badValue("Decimal", "a decimal number", n)
	}
	return plain(digits, scale), nil
}

func twosComplement(raw []byte) *big.Int {
	n := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(raw))*8))
	}
	return n
}

// plain writes n * 10^-scale, with an exponent only beyond maxZeros.
func plain(n *big.Int, scale int) string {
	digits := new(big.Int).Abs(n).String()
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
	}
	switch {
	case -scale > maxZeros || scale-len(digits) > maxZeros:
		return sign + digits + "E" + strconv.Itoa(-scale)
	case scale < 0 && n.Sign() != 0:
		return sign + digits + strings.Repeat("0", -scale)
	case scale <= 0:
		return sign + digits
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}
