package search

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func columns() []string { return []string{"price", "brand", "tags", "in stock", "größe"} }

// decoded reads a filter as the gateway does.
func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var where map[string]any
	require.NoError(t, d.Decode(&where))
	return where
}

func TestFiltersAsChromaGetsThem(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`{}`:                                              `null`,
		`{"price": 5}`:                                    `{"price":{"$eq":5}}`,
		`{"price": 5.0}`:                                  `{"price":{"$eq":5}}`,
		`{"price": 5.5}`:                                  `{"price":{"$eq":5.5}}`,
		`{"price": -9223372036854775808}`:                 `{"price":{"$eq":-9223372036854775808}}`,
		`{"brand": "<b>\"x\""}`:                           `{"brand":{"$eq":"<b>\"x\""}}`,
		`{"in stock": true}`:                              `{"in stock":{"$eq":true}}`,
		`{"größe": {"$ne": "XL"}}`:                        `{"größe":{"$ne":"XL"}}`,
		`{"price": {"$lt": 5}}`:                           `{"price":{"$lt":5}}`,
		`{"price": {"$lte": 5, "$gt": 1.5}}`:              `{"$and":[{"price":{"$gt":1.5}},{"price":{"$lte":5}}]}`,
		`{"price": {"$gte": 1}, "brand": "a"}`:            `{"$and":[{"brand":{"$eq":"a"}},{"price":{"$gte":1}}]}`,
		`{"brand": {"$in": ["a", "b"]}}`:                  `{"brand":{"$in":["a","b"]}}`,
		`{"price": {"$nin": [1, 2.5]}}`:                   `{"price":{"$nin":[1.0,2.5]}}`,
		`{"price": {"$in": [1, 2.0]}}`:                    `{"price":{"$in":[1,2]}}`,
		`{"price": {"$in": [9007199254740992, 0.5]}}`:     `{"price":{"$in":[9.007199254740992e+15,0.5]}}`,
		`{"price": {"$in": [-9223372036854775808, 0.5]}}`: `{"price":{"$in":[-9.223372036854776e+18,0.5]}}`,
		`{"price": {"$in": [9007199254740993, 1]}}`:       `{"price":{"$in":[9007199254740993,1]}}`,
		`{"price": {"$in": [1e300, 1]}}`:                  `{"price":{"$in":[1e+300,1.0]}}`,
		`{"price": 9223372036854775808.0}`:                `{"price":{"$eq":9.223372036854776e+18}}`,
		`{"in stock": {"$in": [true]}}`:                   `{"in stock":{"$in":[true]}}`,
		`{"tags": {"$contains": "red"}}`:                  `{"tags":{"$contains":"red"}}`,
		`{"tags": {"$contains": 5}}`:                      `{"$or":[{"tags":{"$contains":5}},{"tags":{"$contains":5.0}}]}`,
		`{"tags": {"$not_contains": 5}}`:                  `{"$and":[{"tags":{"$not_contains":5}},{"tags":{"$not_contains":5.0}}]}`,
		`{"tags": {"$contains": 5.5}}`:                    `{"tags":{"$contains":5.5}}`,
		`{"tags": {"$contains": 9007199254740993}}`:       `{"tags":{"$contains":9007199254740993}}`,
		`{"$and": [{"brand": "a"}]}`:                      `{"brand":{"$eq":"a"}}`,
		`{"$or": [{"brand": "a"}, {"$and": [{"price": 1}, {"price": 2, "brand": "b"}]}]}`: `{"$or":[{"brand":{"$eq":"a"}},{"$and":[{"price":{"$eq":1}},` +
			`{"$and":[{"brand":{"$eq":"b"}},{"price":{"$eq":2}}]}]}]}`,
	} {
		got, _, err := parseWhere(decoded(t, given), columns())
		require.NoError(t, err, given)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, escaped(want), string(text), given)
	}
}

// escaped is how encoding/json writes it.
func escaped(s string) string { return strings.NewReplacer("<", `\u003c`, ">", `\u003e`).Replace(s) }

func TestFiltersThatAreRefused(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`{"prise": 5}`:                                     `where.prise: unknown column; did you mean price?`,
		`{"colour": 5}`:                                    `where.colour: unknown column; known are price, brand, tags, in stock, größe`,
		`{"_rv_lsn": 5}`:                                   `where._rv_lsn: is rowvec's own; filter by the table's metadata columns`,
		`{"$and": [{"_rv_row": "1"}]}`:                     `where.$and[0]._rv_row: is rowvec's own; filter by the table's metadata columns`,
		`{"#document": "x"}`:                               `where.#document: unknown column; known are`,
		`{"$not": {"price": 5}}`:                           `where.$not: expected a column, $and or $or`,
		`{"$and": {"price": 5}}`:                           `where.$and: expected a list of conditions, found an object`,
		`{"$or": []}`:                                      `where.$or: expected a list of conditions, found an empty list`,
		`{"$or": [{"price": 5}, 7]}`:                       `where.$or[1]: expected a condition, found a number`,
		`{"$or": [{}]}`:                                    `where.$or[0]: expected a condition such as {"stock": {"$gt": 0}}, found none`,
		`{"price": {}}`:                                    `where.price: expected an operator such as {"$gt": 5}, found none`,
		`{"price": {"$regex": "x"}}`:                       `where.price.$regex: unknown operator; known are $eq`,
		`{"price": {"gt": 1}}`:                             `where.price.gt: unknown operator`,
		`{"price": {"$gt": "1"}}`:                          `where.price.$gt: expected a number, found a string: other values have no order here`,
		`{"price": {"$gt": null}}`:                         `where.price.$gt: expected a number, found null`,
		`{"price": null}`:                                  `where.price: expected a string, a number or a bool, found null: a column that is null is not stored`,
		`{"price": [1]}`:                                   `where.price: expected a string, a number or a bool, found a list`,
		`{"price": {"$eq": {"a": 1}}}`:                     `where.price.$eq: expected a string, a number or a bool, found an object`,
		`{"price": {"$in": []}}`:                           `where.price.$in: expected a list of values, found an empty list`,
		`{"price": {"$in": 5}}`:                            `where.price.$in: expected a list of values, found a number`,
		`{"price": {"$in": [1, "1"]}}`:                     `where.price.$in[1]: expected a number like the others, found a string`,
		`{"price": {"$in": [1, null]}}`:                    `where.price.$in[1]: expected a string`,
		`{"price": {"$in": [9007199254740993, 0.5]}}`:      "where.price.$in[0]: a whole number over 2^53 is not exact beside a fraction; give each a list of its own",
		`{"price": {"$nin": [0.5, 1, -9007199254740993]}}`: "where.price.$nin[2]: a whole number over 2^53 is not exact beside a fraction; give each a list of its own",
		`{"price": {"$in": [1e300, 9223372036854775807]}}`: "where.price.$in[1]: a whole number over 2^53",
		`{"price": 9223372036854775808}`:                   `where.price: expected a number of at most 64 bits: greater integers are stored as text, give it as a string`,
		`{"price": 1e999}`:                                 `where.price: expected a number of at most 64 bits`,
		`{"tags": {"$contains": ["a"]}}`:                   `where.tags.$contains: expected a string, a number or a bool, found a list`,
		`{"price": {"$gt": true}}`:                         `where.price.$gt: expected a number, found a bool`,
		strings.Repeat(`{"$and":[`, 8) + `{"price":1}` + strings.Repeat(`]}`, 8): `expected at most 8 levels`,
		`{"$or": [` + strings.Repeat(`{"price": 1},`, 100) + `{"price": 1}]}`:    `where.$or[100].price: expected at most 100 conditions`,
		`{"price": {"$in": [` + strings.Repeat(`1,`, 1000) + `1]}}`:              `expected at most 1000 values, found 1001`,
		`{"brand": "` + strings.Repeat("x", 5000) + `"}`:                         `where.brand: expected at most 4096 bytes, found 5000`,
		`{"brand": {"$in": ["` + strings.Repeat("x", 5000) + `"]}}`:              `where.brand.$in[0]: expected at most 4096 bytes, found 5000`,
	} {
		_, _, err := parseWhere(decoded(t, given), columns())
		var e *Error
		require.ErrorAs(t, err, &e, given)
		require.Equal(t, Invalid, e.Kind)
		require.Contains(t, err.Error(), want)
		require.True(t, strings.HasPrefix(e.Field, whereField))
	}
	_, _, err := parseWhere(map[string]any{"price": 1}, nil)
	require.ErrorContains(t, err, "the table has no metadata columns to filter by")
}

func TestValuesThatJSONDoesNotGive(t *testing.T) {
	t.Parallel()
	for _, v := range []any{5, int32(5), int64(5), uint32(5), float32(5), 5.0} {
		got, _, err := parseWhere(map[string]any{"price": v}, columns())
		require.NoError(t, err)
		require.Equal(t, map[string]any{"price": map[string]any{"$eq": int64(5)}}, got)
	}
	for _, v := range []any{math.NaN(), math.Inf(1), "\xff", struct{}{}, []string{"a"}} {
		_, _, err := parseWhere(map[string]any{"brand": v}, columns())
		require.Error(t, err, v)
	}
}

// FuzzWhere: whatever comes, either it is refused with its place, or what is sent is understood by Chroma and names only the table's columns.
func FuzzWhere(f *testing.F) {
	for _, seed := range []string{
		`{"price": {"$in": [1, 2.5]}, "$or": [{"brand": "a"}, {"tags": {"$contains": 5}}]}`, `{"$and":[{"_rv_row":"x"}]}`, `{"price":{"$gt":{}}}`,
		`{"in stock":{"$nin":[true,false]}}`, `{"größe":1e400}`, `{"price":null}`, `{"":{"":""}}`, `{"$or":[{"$or":[{"$or":[]}]}]}`,
	} {
		f.Add(seed)
	}
	server := chromatest.Start(chromatest.Options{})
	f.Cleanup(server.Close)
	client, err := chroma.New(chroma.Config{URL: server.URL})
	require.NoError(f, err)
	f.Cleanup(func() { _ = client.Close() })
	col, err := client.Ensure(f.Context(), chroma.CollectionSpec{Name: "fuzz"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var where map[string]any
		if d.Decode(&where) != nil {
			return
		}
		sent, _, err := parseWhere(where, columns())
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.True(t, e.Kind == Invalid && strings.HasPrefix(e.Field, whereField))
			return
		}
		requireKnown(t, sent)
		_, err = col.Nearest(t.Context(), chroma.Question{Vector: []float32{1}, K: 1, Where: sent})
		require.NoError(t, err)
	})
}

// requireKnown walks what is sent: one key on each level, which is $and, $or or a column of the table.
func requireKnown(t *testing.T, where map[string]any) {
	t.Helper()
	for key, value := range where {
		require.Len(t, where, 1)
		if parts, ok := value.([]map[string]any); ok {
			require.Contains(t, []string{"$and", "$or"}, key)
			for _, part := range parts {
				requireKnown(t, part)
			}
			continue
		}
		require.Contains(t, columns(), key)
		require.Len(t, value, 1)
	}
}
