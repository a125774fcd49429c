package indexer

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rowvec/rowvec/function/document"
)

// proof finds out whose fault it is that a store refuses a record. One that refuses a plain record as well refuses everything: a quota is
// used up, or a proxy stands before it. No row is at fault then, and to dead-letter rows would empty the topic.
type proof struct {
	left atomic.Bool // the plain record may be left in the store
}

// judge returns the refusal of one record if the store refuses it again and takes another right after it, else what is wrong in truth, or nil. Again: a proxy
// may refuse now and then, whatever it is asked. Right after it: a quota may have let that one pass a moment before. The other record goes by the same call,
// "add" or "upsert", with a vector of that size, or "update".
func (p *proof) judge(ctx context.Context, s Store, op string, size int, refusal error, again func() error) error {
	if !refused(refusal) {
		return refusal
	}
	if refusal = again(); !refused(refusal) {
		return refusal
	}
	switch err := p.probe(ctx, s, op, size); {
	case err == nil:
		return refusal
	case refused(err):
		return &fault{
			class: ClassHalt, reason: reasonRefusesAll, err: err,
			text: "the index refuses every write, that of a plain record too; raise the quota, or mend the proxy or the setting that its " +
				"answer is about: rows wait until it takes one",
		}
	default:
		return fmt.Errorf("see whether the index takes any write: %w", err)
	}
}

// refused reports whether an error says that the store does not take a record.
func refused(err error) bool {
	return err != nil && Classify(err) == ClassPoison && Reason(err) != reasonMissing
}

// probe makes one attempt to write a record that no store refuses for its own sake, and removes it. An update is of a record that is not there.
func (p *proof) probe(ctx context.Context, s Store, op string, size int) error {
	ids, metas := []string{document.ProbeID}, []map[string]any{{document.KeyProbe: time.Now().UnixMilli()}}
	if op == opUpdate {
		return s.Update(ctx, ids, metas)
	}
	vector := make([]float32, max(1, size))
	vector[0] = 1
	put := s.Upsert
	if op == opAdd {
		put = s.Add
	}
	err := put(ctx, ids, [][]float32{vector}, []string{plainText}, metas)
	if refused(err) {
		return err
	}
	p.left.Store(true) // without an answer it may be there all the same
	if err != nil {
		return err
	}
	return p.tidy(ctx, s)
}

// tidy removes the plain record where it may be left.
func (p *proof) tidy(ctx context.Context, s Store) error {
	if !p.left.Swap(false) {
		return nil
	}
	if err := s.Delete(ctx, []string{document.ProbeID}); err != nil {
		p.left.Store(true)
		return fmt.Errorf("remove the plain record: %w", err)
	}
	return nil
}
