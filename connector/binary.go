package connector

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// bits writes Debezium's Bits (base64 of little-endian bytes) as Postgres prints a bit string, with the declared length's number of
// digits. A bit varying without a length is written without leading zeros: the source does not tell them.
func bits(v any, length string) (string, error) {
	raw, err := base64Bytes(v, "Bits")
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for i := len(raw) - 1; i >= 0; i-- {
		fmt.Fprintf(&text, "%08b", raw[i])
	}
	digits := text.String()
	if n, err := strconv.Atoi(length); err == nil && n > 0 && n <= len(digits) {
		return digits[len(digits)-n:], nil
	}
	if significant := strings.TrimLeft(digits, "0"); significant != "" || digits == "" {
		return significant, nil
	}
	return "0", nil
}

// point writes a Postgres point, or a PostGIS one, as well-known text.
func point(v any) (string, error) {
	object, _ := v.(map[string]any)
	x, xOK := coordinate(object["x"])
	y, yOK := coordinate(object["y"])
	if !xOK || !yOK {
		return "", badValue("Point", "an object with numbers x and y", v)
	}
	return srid(object) + "POINT(" + x + " " + y + ")", nil
}

// geometry writes the well-known binary of a PostGIS value, in which the SRID already is, in hex.
func geometry(v any) (string, error) {
	object, _ := v.(map[string]any)
	raw, err := base64Bytes(object["wkb"], "Geometry")
	if err != nil {
		return "", err
	}
	return strings.ToUpper(hex.EncodeToString(raw)), nil
}

// coordinate writes a number in its shortest form; NaN and infinities come as text.
func coordinate(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return strconv.FormatFloat(f, 'g', -1, 64), err == nil
	case string:
		return v, v == "NaN" || v == "Infinity" || v == "-Infinity"
	default:
		return "", false
	}
}

func srid(object map[string]any) string {
	if n, err := integer(object["srid"]); err == nil && n != 0 {
		return "SRID=" + strconv.FormatInt(n, 10) + ";"
	}
	return ""
}

func base64Bytes(v any, typeName string) ([]byte, error) {
	text, ok := v.(string)
	if !ok {
		return nil, badValue(typeName, "base64 text", v)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, malformedBy(err, ReasonBadValue, "base64 text for "+typeName)
	}
	return raw, nil
}
