package connector

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

// Postgres' numeric has at most 131,072 digits before the point and 16,383 behind it. The bounds keep a malformed scale from becoming
// gigabytes of zeros.
const (
	maxScale         = 16383
	minScale         = -131072
	maxUnscaledBytes = 64 << 10
)

// decimal reads Kafka Connect's Decimal: base64 of the unscaled value as big-endian two's complement, the scale beside it in the
// schema. A converter set to write plain numbers is understood, too.
func decimal(v any, scale string) (string, error) {
	if n, ok := v.(json.Number); ok {
		return n.String(), nil
	}
	digits, err := strconv.Atoi(scale)
	if err != nil {
		return "", malformed(ReasonBadValue, "an integer as the scale of a Decimal", strconv.Quote(clip(scale)))
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

func twosComplement(raw []byte) *big.Int {
	n := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(raw))*8))
	}
	return n
}

// plain writes n * 10^-scale without an exponent.
func plain(n *big.Int, scale int) string {
	digits := new(big.Int).Abs(n).String()
	switch {
	case scale < 0 && n.Sign() != 0:
		digits += strings.Repeat("0", -scale)
	case scale > 0:
		if missing := scale + 1 - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}
