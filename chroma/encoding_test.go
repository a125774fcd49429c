package chroma

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestSplitPacksTightAndInOrder(t *testing.T) {
	t.Parallel()
	const fixed = jsonOverhead + 3 // of an id of one character
	for _, c := range []struct {
		ids         string
		sizes       []int
		batch, body int
		want        string
	}{
		{"", nil, 10, 1000, ""},
		{"abc", []int{1, 1, 1}, 10, 1000, "abc"},
		{"abc", []int{1, 1, 1}, 2, 1000, "ab|c"},
		{"abc", []int{1, 1, 1}, 1, 1000, "a|b|c"},
		{"abcd", []int{81, 81, 81, 81}, 10, 2 * (81 + fixed), "ab|cd"},
		{"abcd", []int{81, 81, 82, 81}, 10, 2 * (81 + fixed), "ab|c|d"},
		{"abc", []int{1, 9000, 1}, 10, 200, "a|b|c"},
		{"abcab", []int{1, 1, 1, 1, 1}, 10, 1000, "abc|ab"},
		{"aaa", []int{1, 1, 1}, 10, 1000, "a|a|a"},
		{"abca", []int{1, 1, 1, 1}, 2, 1000, "ab|ca"},
	} {
		ids := strings.Split(c.ids, "")
		var got []string
		for _, s := range split(ids, func(i int) int { return c.sizes[i] }, c.batch, c.body) {
			got = append(got, strings.Join(ids[s.from:s.to], ""))
		}
		require.Equal(t, c.want, strings.Join(got, "|"), "%v", c)
	}
}

func FuzzJSONSizeIsAnUpperBound(f *testing.F) {
	for _, s := range []string{"", "plain", "\x00\x1f<>&\"\\\n\t", "é😀\u2028\u2029", "\xff\xfe", "a\xc3", strings.Repeat("\u2028", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out, err := json.Marshal(s)
		require.NoError(t, err)
		require.LessOrEqual(t, len(out), jsonSize(s))
		if utf8.ValidString(s) && !strings.ContainsAny(s, "<>&") {
			require.LessOrEqual(t, jsonSize(s), 6*len(out)+2, "and not a wild one")
		}
	})
}

func TestCutKeepsCharactersWhole(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"short": "short", "12345678": "12345678", "123456789": "12345678…", "1234567é9": "1234567…", "a\nb\x00c": "a b c", "ééééé": "éééé…",
		"\xff\xff": "  ",
	} {
		require.Equal(t, want, cut(s, 8))
		require.True(t, utf8.ValidString(cut(s, 8)))
	}
}

func TestFloatsStayFloats(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0.0", 5: "5.0", -5: "-5.0", 0.1: "0.1", 1e-20: "1e-20", 1e21: "1e+21", 123456789012: "1.23456789012e+11",
		math.MaxFloat64: "1.7976931348623157e+308", math.SmallestNonzeroFloat64: "5e-324",
	} {
		out, err := appendFloat(nil, v)
		require.NoError(t, err)
		require.Equal(t, want, string(out))
	}
}

func TestMetadataOfOtherClientsIsRead(t *testing.T) {
	t.Parallel()
	var answer getAnswer
	require.NoError(t, answer.decode([]byte(`{"ids":["a","b"],"documents":["d",null],"metadatas":[null,
		{"nested":{"a":[1]},"mixed":[1,"x"],"sum":[1,2.5],"none":null,"empty":[],"lists":[[1]],"big":9223372036854775808,"exp":1e3,"nulls":[null]}]}`)))
	found, err := answer.matches()
	require.NoError(t, err)
	require.Equal(t, []Match{
		{ID: "a", Document: "d", Metadata: map[string]any{}},
		{ID: "b", Metadata: map[string]any{
			"nested": map[string]any{"a": []any{1.0}}, "mixed": []any{1.0, "x"}, "sum": []float64{1, 2.5}, "none": nil, "empty": []any{},
			"lists": []any{[]any{1.0}}, "big": 9223372036854775808.0, "exp": 1000.0, "nulls": []any{nil},
		}},
	}, found)
}

// FuzzDecodeText: what is read without encoding/json reads the same.
func FuzzDecodeText(f *testing.F) {
	for _, s := range []string{"", "plain", "a \"b\" \\ c", "é😀\u2028", "\x7f", "\xff\xfe", "a\xc3", "line\nline"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, raw := range [][]byte{[]byte(`"` + s + `"`), must(json.Marshal(s))} {
			var want string
			if json.Unmarshal(raw, &want) != nil {
				continue // encoding/json has refused the whole answer
			}
			got, err := decodeValue(raw)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
}

func must(raw []byte, _ error) []byte { return raw }

func TestRaggedAnswersAreRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"ids":["a"],"metadatas":[]}`, `{"ids":["a"],"documents":["x","y"]}`, `{"metadatas":[]}`, `{"ids":[1]}`, `{"ids":["a"],"metadatas":["x"]}`,
	} {
		require.Error(t, new(getAnswer).decode([]byte(body)), body)
	}
	for _, body := range []string{
		`{"ids":[]}`, `{"ids":[["a"],["b"]],"distances":[[1],[2]]}`, `{"ids":[["a"]]}`, `{"ids":[["a"]],"distances":[[1,2]]}`,
		`{"ids":[["a"]],"distances":[[null]]}`, `{"ids":[["a"]],"distances":[[1]],"metadatas":[[]]}`,
	} {
		_, err := decodeQuery([]byte(body))
		require.Error(t, err, body)
	}
}

// FuzzDecode feeds answers: no panic, and what was read can be written and read again without change.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"ids":["a"],"documents":["d"],"metadatas":[{"s":"x","i":1,"f":1.0,"b":true,"l":[1,2],"fl":[1.0,2],"sl":["a"],"bl":[false]}]}`))
	f.Add([]byte(`{"ids":["a"],"documents":null,"metadatas":[null]}`))
	f.Add([]byte(`{"ids":[["a"]],"distances":[[0.5]],"metadatas":[[{"k":[ 1 , 2 ]}]]}`))
	f.Add([]byte(`{"ids":["a"],"metadatas":[{"x":[{}],"y":[],"z":-0}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = decodeQuery(body)
		_ = identity(body)
		_ = limitsOnly(body)
		var answer getAnswer
		if answer.decode(body) != nil {
			return
		}
		found, err := answer.matches()
		if err != nil {
			return
		}
		for _, m := range found {
			encoded, err := encodeMetadata(m.Metadata, true)
			if err != nil {
				continue // another client's nested or mixed value, or key
			}
			require.True(t, json.Valid(encoded))
			again := getAnswer{}
			require.NoError(t, again.decode(fmt.Appendf(nil, `{"ids":["a"],"metadatas":[%s]}`, encoded)))
			second, err := again.matches()
			require.NoError(t, err)
			for key, value := range m.Metadata {
				if list, ok := value.([]any); ok && len(list) == 0 {
					value = nil // an empty list removes its key
				}
				require.Equal(t, value, second[0].Metadata[key], key)
			}
		}
	})
}
