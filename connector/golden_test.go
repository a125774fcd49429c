package connector_test

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

var update = flag.Bool("update", false, "write testdata/*.golden from what is decoded")

// TestDecodeCaptures compares every captured record with its line of the golden file. The lines are meant to be read: see
// captures_test.go for the ones that matter most, spelled out.
func TestDecodeCaptures(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		defaults, stringDecimals, schemaEnvelope, server, connectModes, stringModes, server2, connectModes2, stringModes2, toasts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireGolden(t, name, capture(t, name))
		})
	}
}

// TestDecodeCapturesWithTheRegistry is the same for records without a schema of their own, with the schemas that the connector
// registered.
func TestDecodeCapturesWithTheRegistry(t *testing.T) {
	t.Parallel()
	for _, name := range []string{defaults, moreTypes} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := capture(t, name)
			for i := range records {
				records[i].Schema = registered(t, records[i].Topic)
			}
			requireGolden(t, name+"-registry", records)
		})
	}
}

func requireGolden(t *testing.T, name string, records []connector.Record) {
	t.Helper()
	var lines strings.Builder
	for i, r := range records {
		c, err := connector.Decode(r)
		fmt.Fprintf(&lines, "%02d %s\n", i+1, line(c, err))
	}
	golden := "testdata/" + name + ".golden"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(lines.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(lines.String(), "\n"))
}

func line(c *connector.Change, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %s key=%s lsn=%d at=%s %s before=%s after=%s", c.Op, c.Table, keyText(c.Key), c.Version.LSN,
		c.Version.CommitTime.Format(time.RFC3339Nano), [...]string{"streamed", "initial", "incremental"}[c.Snapshot],
		rowText(c.Before), rowText(c.After))
}

func keyText(columns []connector.Column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.Name + ":" + valueText(c.Value)
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func rowText(row connector.Row) string {
	if row == nil {
		return "none"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(row)) {
		parts = append(parts, name+":"+valueText(row[name]))
	}
	return "{" + strings.Join(parts, " ") + "}"
}

// valueText shows the Go type by its spelling: text quoted, a float64 with a point, an int64 without.
func valueText(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) > 60 {
			return fmt.Sprintf("%.20q…%d bytes, sha256 %.4x", v, len(v), sha256.Sum256([]byte(v)))
		}
		return fmt.Sprintf("%q", v)
	case float64:
		text := fmt.Sprint(v)
		if !math.IsNaN(v) && !math.IsInf(v, 0) && !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return text
	case int64, bool:
		return fmt.Sprint(v)
	case nil:
		return "null"
	case json.Number:
		return "number " + v.String()
	case connector.Unavailable:
		return "UNAVAILABLE"
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = valueText(v[i])
		}
		return "[" + strings.Join(parts, " ") + "]"
	case map[string]any:
		return rowText(v)
	default:
		return fmt.Sprintf("unexpected %T", v)
	}
}
