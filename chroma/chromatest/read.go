package chromatest

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
)

func (c *collection) get(in *payload) (any, *failure) {
	pass, failed := in.passes()
	if failed != nil {
		return nil, failed
	}
	found := c.ordered(pass)
	found = found[min(in.Offset, len(found)):]
	if in.Limit != nil {
		found = found[:min(*in.Limit, len(found))]
	}
	include := in.Include
	if include == nil {
		include = []string{"documents", "metadatas"}
	}
	answer := columns(found, include)
	answer["include"] = include
	return answer, nil
}

// passes is the filter of a request: ids and where.
func (p *payload) passes() (func(*record) bool, *failure) {
	var wanted map[string]bool
	if p.IDs != nil {
		wanted = make(map[string]bool, len(p.IDs))
		for _, id := range p.IDs {
			wanted[id] = true
		}
	}
	where, ok := parseWhere(p.Where)
	if !ok {
		return nil, invalid("Invalid where clause")
	}
	text, ok := containedText(p.WhereDocument)
	if !ok {
		return nil, invalid("Invalid where document clause")
	}
	return func(r *record) bool {
		return (wanted == nil || wanted[r.ID]) && where(r.Metadata) && (text == "" || r.Document != nil && strings.Contains(*r.Document, text))
	}, nil
}

// containedText is the operand of {"$contains": "text"}, the one filter on documents that rowvec uses.
func containedText(where map[string]any) (string, bool) {
	if where == nil {
		return "", true
	}
	text, ok := where["$contains"].(string)
	return text, ok && len(where) == 1
}

// query compares with every record: exact, where Chroma's index is approximate.
func (c *collection) query(in *payload) (any, *failure) {
	if in.NResults != nil && *in.NResults == 0 {
		return dropped, nil // Chroma 1.5.9 does
	}
	if failed := c.checkDimension(in.QueryEmbeddings); failed != nil {
		return nil, failed
	}
	pass, failed := in.passes()
	if failed != nil {
		return nil, failed
	}
	include := in.Include
	if include == nil {
		include = []string{"documents", "metadatas", "distances"}
	}
	k := 10
	if in.NResults != nil {
		k = *in.NResults
	}
	answer := map[string]any{"include": include, "distances": nil}
	lists := map[string][]any{"ids": {}, "documents": {}, "metadatas": {}, "embeddings": {}}
	distances := [][]float32{}
	for _, vector := range in.QueryEmbeddings {
		found := c.ordered(pass)
		slices.SortStableFunc(found, func(a, b *record) int {
			return cmp.Compare(c.distance(vector, a.Vector), c.distance(vector, b.Vector))
		})
		found = found[:min(k, len(found))]
		one := columns(found, include)
		for name := range lists {
			lists[name] = append(lists[name], one[name])
		}
		near := make([]float32, len(found))
		for i, r := range found {
			near[i] = float32(c.distance(vector, r.Vector))
		}
		distances = append(distances, near)
	}
	for name, list := range lists {
		if name == "ids" || slices.Contains(include, name) {
			answer[name] = list
		}
	}
	if slices.Contains(include, "distances") {
		answer["distances"] = distances
	}
	return answer, nil
}

// columns are the lists of an answer; what was not asked for is null.
func columns(found []*record, include []string) map[string]any {
	ids, documents := make([]string, len(found)), make([]*string, len(found))
	metadatas, vectors := make([]any, len(found)), make([][]float32, len(found))
	for i, r := range found {
		ids[i], documents[i], vectors[i] = r.ID, r.Document, r.Vector
		if len(r.Metadata) > 0 {
			metadatas[i] = exact(r.Metadata)
		}
	}
	out := map[string]any{"ids": ids, "documents": nil, "metadatas": nil, "embeddings": nil, "uris": nil}
	for name, list := range map[string]any{"documents": documents, "metadatas": metadatas, "embeddings": vectors} {
		if slices.Contains(include, name) {
			out[name] = list
		}
	}
	return out
}

// exact writes floats so that they stay floats.
func exact(metadata map[string]any) map[string]any {
	out := make(map[string]any, len(metadata))
	for key, value := range metadata {
		switch v := value.(type) {
		case float64:
			out[key] = float(v)
		case []float64:
			list := make([]float, len(v))
			for i, x := range v {
				list[i] = float(x)
			}
			out[key] = list
		default:
			out[key] = value
		}
	}
	return out
}

type float float64

// MarshalJSON writes 1 as 1.0.
func (f float) MarshalJSON() ([]byte, error) {
	out, err := json.Marshal(float64(f))
	if err == nil && !slices.ContainsFunc(out, func(b byte) bool { return b == '.' || b == 'e' }) {
		out = append(out, ".0"...)
	}
	return out, err //nolint:wrapcheck // encoding/json adds the type itself
}

// distance is the collection's: 1 - cosine, 1 - dot product, or squared Euclidean.
func (c *collection) distance(a, b []float32) float64 {
	var dot, aa, bb, square float64
	for i := range min(len(a), len(b)) {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb, square = dot+x*y, aa+x*x, bb+y*y, square+(x-y)*(x-y)
	}
	switch c.index.Space {
	case "ip":
		return 1 - dot
	case "cosine":
		if aa == 0 || bb == 0 {
			return 1
		}
		return 1 - dot/math.Sqrt(aa*bb)
	}
	return square
}
