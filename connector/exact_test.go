package connector

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDecimalText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw   []byte
		scale int64
		want  string
	}{
		{nil, 0, "0"},
		{[]byte{0}, 2, "0.00"},
		{[]byte{0xff}, 0, "-1"},
		{[]byte{0xff}, 3, "-0.001"},
		{[]byte{0x80}, 0, "-128"},
		{[]byte{0x00, 0x80}, 0, "128"},
		{[]byte{0x7f}, 1, "12.7"},
		{[]byte{0x0c}, -2, "1200"},
		{[]byte{0x00}, -2, "0"},
		{[]byte{0x0c}, -100, "12" + strings.Repeat("0", 100)},
		{[]byte{0x0c}, -101, "12E101"},
		{[]byte{0xf4}, 102, "-0." + strings.Repeat("0", 100) + "12"},
		{[]byte{0xf4}, 103, "-12E-103"},
	} {
		text, err := scaled(base64.StdEncoding.EncodeToString(c.raw), c.scale)
		require.NoError(t, err)
		require.Equal(t, c.want, text)
	}
	_, err := scaled(base64.StdEncoding.EncodeToString(make([]byte, maxUnscaledBytes+1)), 0)
	require.Error(t, err)
}

// Whatever the value, its text is the same number.
func TestDecimalTextIsExact(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		raw := make([]byte, random.IntN(20))
		for i := range raw {
			raw[i] = byte(random.Uint32())
		}
		scale := random.IntN(400) - 200
		text := plain(twosComplement(raw), scale)
		got, ok := new(big.Rat).SetString(text)
		require.True(t, ok, text)
		unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil))
		if scale > 0 {
			unit.Inv(unit)
		}
		want := unit.Mul(unit, new(big.Rat).SetInt(twosComplement(raw)))
		require.Zero(t, want.Cmp(got), "%x scale %d: %s", raw, scale, text)
	}
}

func TestNumericText(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"0": "0", "-1": "-1", "89.90": "89.90", "-0.001": "-0.001", "1E3": "1000", "1.25e1": "12.5", "1e-7": "0.0000001", "12e-1": "1.2",
	} {
		text, err := numeric(json.Number(number))
		require.NoError(t, err)
		require.Equal(t, want, text)
	}
}

func TestDateText(t *testing.T) {
	t.Parallel()
	for days, want := range map[int64]string{
		0: "1970-01-01", 11016: "2000-02-29", -719528: "0000-01-01", -719529: "-0001-12-31", 2932896: "9999-12-31", 2932897: "+10000-01-01",
		2145042905: "+5874897-12-31", -2440588: "-4713-11-24", // Postgres' last and first date
		dateInfinity: "infinity", dateNegativeInfinity: "-infinity", math.MaxInt32: "infinity", math.MinInt32: "-infinity",
	} {
		text, err := dateText(days)
		require.NoError(t, err)
		require.Equal(t, want, text)
	}
}

func TestTimestampText(t *testing.T) {
	t.Parallel()
	micro := timestampIn(time.Microsecond)
	for n, want := range map[int64]string{
		0: "1970-01-01T00:00:00", -1: "1969-12-31T23:59:59.999999", 1767323045678900: "2026-01-02T03:04:05.6789",
		-62167219200000001: "-0001-12-31T23:59:59.999999", 253402300800000000: "+10000-01-01T00:00:00",
		timestampInfinity: "infinity", timestampNegativeInfinity: "-infinity",
	} {
		text, err := micro(n)
		require.NoError(t, err)
		require.Equal(t, want, text)
	}
}

func TestClockText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "00:00:00", 1: "00:00:00.001", 86399999: "23:59:59.999", 86400000: "24:00:00", 3600500: "01:00:00.5"} {
		text, err := clockIn(time.Millisecond)(n)
		require.NoError(t, err)
		require.Equal(t, want, text)
	}
}

func TestDurationText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "PT0S", 1: "PT0.000001S", 1_000_000: "PT1S", 60_000_000: "PT1M", 3_661_500_000: "PT1H1M1.5S", -60_000_000: "-PT1M",
		math.MinInt64: "-PT2562047788H54.775808S",
	} {
		text, err := durationIn(time.Microsecond)(n)
		require.NoError(t, err)
		require.Equal(t, want, text)
	}
}

// nesting must agree with a decoder that keeps count, on text with brackets and quotes inside strings.
func TestNesting(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		``: 0, `1`: 0, `"[[["`: 0, `"\"[["`: 0, `"\\"`: 0, `["\\",[]]`: 2, `["\\\"]",{"a":[1]}]`: 3, `[[],[[]],[]]`: 3, `"[`: 0, `["`: 1, `]]][`: 0,
		strings.Repeat("[", 1000): 1000,
	} {
		require.Equal(t, want, nesting([]byte(text)), strconv.Quote(text))
	}
}
