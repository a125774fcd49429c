package chroma

import (
	"context"
	"errors"
	"fmt"
	"math"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
	"github.com/amikos-tech/chroma-go/pkg/embeddings"
)

// Upsert writes whole records: element i of each slice belongs to ids[i]. Vectors are required, finite and of one dimension;
// documents and metadatas may be nil (nothing is said about them) or else of the same length. Metadata values are nil (the
// key is removed), bool, int64, float64, string, []string, []int64, []float64, []bool, or []any of one of these types; an
// empty list removes the key. Chroma merges metadata: a stored key that is not named stays.
//
// What exceeds the server's limits goes in several requests, in order; when one fails, those before it stay written. An
// id that comes twice is written twice, in order. An Error of class poison names the record at fault where it is known.
func (col *Collection) Upsert(
	ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any,
) error {
	return col.put(ctx, opUpsert, col.remote.Upsert, ids, vectors, documents, metadatas)
}

// Add is Upsert of records that are not there: those that are stay as they are, whole, and nothing says which these were. A nil
// metadata value says nothing here, as there is no stored key to remove.
func (col *Collection) Add(
	ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any,
) error {
	return col.put(ctx, opAdd, col.remote.Add, ids, vectors, documents, metadatas)
}

// put writes whole records by one of the two operations.
func (col *Collection) put(
	ctx context.Context, op string, call func(context.Context, ...v2.CollectionAddOption) error,
	ids []string, vectors [][]float32, documents []string, metadatas []map[string]any,
) error {
	if err := col.checkLengths(op, ids, map[string]int{
		"vectors": len(vectors), "documents": optional(documents, len(ids)), "metadatas": optional(metadatas, len(ids)),
	}); err != nil {
		return err
	}
	if err := col.checkVectors(op, ids, vectors); err != nil {
		return err
	}
	encoded, err := col.encodeAll(op, ids, metadatas)
	if err != nil {
		return err
	}
	size := func(i int) int {
		n := vectorSize(len(vectors[i]))
		if documents != nil {
			n += jsonSize(documents[i])
		}
		if encoded != nil {
			n += len(encoded[i].json)
		}
		return n
	}
	return col.each(ctx, op, ids, size, func(ctx context.Context, s span) error {
		ex := col.exchange(op, s.to-s.from)
		opts := []v2.CollectionAddOption{v2.WithIDs(documentIDs(ids[s.from:s.to])...), v2.WithEmbeddings(pack(vectors[s.from:s.to])...)}
		if documents != nil {
			ex.private = documents[s.from:s.to]
			opts = append(opts, v2.WithTexts(ex.private...))
		}
		if encoded != nil {
			opts = append(opts, v2.WithMetadatas(asMetadatas(encoded[s.from:s.to])...))
		}
		err := col.client.do(ctx, ex, func(ctx context.Context) error { return call(ctx, opts...) }, decodeDone)
		return col.explain(ctx, err, len(vectors[s.from]))
	})
}

// Update merges metadata (values as in Upsert) into the records that exist; vector and document stay, unknown ids are
// ignored.
func (col *Collection) Update(ctx context.Context, ids []string, metadatas []map[string]any) error {
	if err := col.checkLengths(opUpdate, ids, map[string]int{"metadatas": len(metadatas)}); err != nil {
		return err
	}
	encoded, err := col.encodeAll(opUpdate, ids, metadatas)
	if err != nil {
		return err
	}
	size := func(i int) int { return len(encoded[i].json) + len("null") }
	return col.each(ctx, opUpdate, ids, size, func(ctx context.Context, s span) error {
		kept := make([]embeddings.Embedding, s.to-s.from)
		for i := range kept {
			kept[i] = keepVector{}
		}
		err := col.client.do(ctx, col.exchange(opUpdate, s.to-s.from), func(ctx context.Context) error {
			return col.remote.Update(ctx, v2.WithIDs(documentIDs(ids[s.from:s.to])...),
				v2.WithMetadatas(asMetadatas(encoded[s.from:s.to])...), v2.WithEmbeddings(kept...))
		}, decodeDone)
		return col.explain(ctx, err, 0)
	})
}

// Delete removes records; unknown ids are ignored, and so are ids that come twice.
func (col *Collection) Delete(ctx context.Context, ids []string) error {
	ids = unique(ids)
	if err := col.checkLengths(opDelete, ids, nil); err != nil {
		return err
	}
	return col.each(ctx, opDelete, ids, func(int) int { return 0 }, func(ctx context.Context, s span) error {
		err := col.client.do(ctx, col.exchange(opDelete, s.to-s.from), func(ctx context.Context) error {
			return col.remote.Delete(ctx, v2.WithIDs(documentIDs(ids[s.from:s.to])...))
		}, decodeDone)
		return col.explain(ctx, err, 0)
	})
}

// keepVector stands for "leave the vector": JSON null, one for each record. Without it chroma-go sends an empty list
// whenever the server takes base64, and Chroma refuses lists of different lengths.
type keepVector struct{ embeddings.Embedding }

// MarshalJSON implements json.Marshaler.
func (keepVector) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// checkLengths refuses parallel slices of different lengths and empty ids before anything is sent.
func (col *Collection) checkLengths(op string, ids []string, others map[string]int) error {
	for name, n := range others {
		if n != len(ids) {
			return col.poison(op, "", ReasonInvalidArguments, fmt.Sprintf("%d ids, %d %s", len(ids), n, name))
		}
	}
	for i, id := range ids {
		if id == "" {
			return col.poison(op, "", ReasonInvalidID, fmt.Sprintf("the id at index %d is empty", i))
		}
	}
	return nil
}

// checkVectors refuses what Chroma cannot index. One dimension for all also keeps one bad record from failing as a
// dimension mismatch of the whole collection.
func (col *Collection) checkVectors(op string, ids []string, vectors [][]float32) error {
	for i, vector := range vectors {
		switch {
		case len(vector) == 0:
			return col.poison(op, ids[i], ReasonInvalidVector, "the vector is empty")
		case len(vector) != len(vectors[0]):
			return col.poison(op, ids[i], ReasonInvalidVector,
				fmt.Sprintf("%d dimensions, others of the call have %d", len(vector), len(vectors[0])))
		case !finite(vector):
			return col.poison(op, ids[i], ReasonInvalidVector, "the vector has a component that is not finite")
		}
	}
	return nil
}

func (col *Collection) encodeAll(op string, ids []string, metadatas []map[string]any) ([]rawMetadata, error) {
	if metadatas == nil {
		return nil, nil
	}
	out := make([]rawMetadata, len(metadatas))
	for i, metadata := range metadatas {
		encoded, err := encodeMetadata(metadata, op != opAdd)
		if err != nil {
			failure := col.poison(op, ids[i], ReasonInvalidMetadata, "metadata "+err.Error())
			if errors.Is(err, errBadKey) {
				// Keys are names of columns, or set by metadata[].as: no record of the table could ever pass.
				failure.class, failure.reason = classHalt, ReasonInvalidKey
			}
			return nil, failure
		}
		out[i].json = encoded
	}
	return out, nil
}

func (col *Collection) poison(op, id, reason, detail string) *Error {
	return &Error{Op: op, Collection: col.name, RecordID: id, class: classPoison, reason: reason, detail: detail}
}

func finite(vector []float32) bool {
	for _, x := range vector {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return false
		}
	}
	return true
}

// vectorSize bounds a vector's bytes in a request: base64 takes 16/3 bytes a component, JSON up to 16.
func vectorSize(dimensions int) int { return 16 * dimensions }

func pack(vectors [][]float32) []embeddings.Embedding {
	out := make([]embeddings.Embedding, len(vectors))
	for i := range vectors {
		out[i] = &embeddings.Float32Embedding{ArrayOfFloat32: &vectors[i]}
	}
	return out
}

func asMetadatas(encoded []rawMetadata) []v2.DocumentMetadata {
	out := make([]v2.DocumentMetadata, len(encoded))
	for i := range encoded {
		out[i] = encoded[i]
	}
	return out
}

func documentIDs(ids []string) []v2.DocumentID {
	out := make([]v2.DocumentID, len(ids))
	for i, id := range ids {
		out[i] = v2.DocumentID(id)
	}
	return out
}

// optional is the length of a slice that may be left out.
func optional[T any](s []T, otherwise int) int {
	if s == nil {
		return otherwise
	}
	return len(s)
}

func unique(ids []string) []string {
	seen := make(map[string]struct{}, len(ids))
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if _, again := seen[id]; !again {
			seen[id] = struct{}{}
			out = append(out, id)
		}
	}
	return out
}
