package chroma

import (
	"context"
	"errors"
	"unicode/utf8"
)

// jsonOverhead is what a record costs in a request besides its values: quotes and commas in each of the lists.
const jsonOverhead = 16

// span is a run of records that travel in one request.
type span struct{ from, to, bytes int }

// split cuts ids into spans of at most batch records and body bytes, in order. An id that comes again starts a new span:
// chroma-go refuses it twice in one request, and in order the later one wins, as it would in one. A record over the
// limit gets a span of its own.
func split(ids []string, size func(i int) int, batch, body int) []span {
	var (
		spans []span
		now   span
		seen  = make(map[string]struct{}, min(len(ids), batch))
	)
	for i, id := range ids {
		bytes := size(i) + jsonSize(id) + jsonOverhead
		_, again := seen[id]
		if i > now.from && (again || i-now.from >= batch || now.bytes+bytes > body) {
			spans = append(spans, now)
			now = span{from: i, to: i}
			clear(seen)
		}
		seen[id] = struct{}{}
		now.to, now.bytes = i+1, now.bytes+bytes
	}
	if now.to > now.from {
		spans = append(spans, now)
	}
	return spans
}

// each sends the records in as few requests as the limits allow, in order, and stops at the first failure: what was sent
// before stays written. Where 413 says that something on the way takes less than Chroma, smaller requests follow.
func (col *Collection) each(
	ctx context.Context, op string, ids []string, size func(i int) int, send func(ctx context.Context, s span) error,
) error {
	if len(ids) == 0 {
		return nil
	}
	server, err := col.client.preflight(ctx)
	if err != nil {
		return err
	}
	for from := 0; from < len(ids); {
		rest := split(ids[from:], func(i int) int { return size(from + i) }, server.Batch, int(col.client.limits.body.Load()))
		sent, err := col.sendSpans(ctx, op, ids, rest, from, send)
		from += sent
		var refused *Error
		switch {
		case err == nil:
		case errors.As(err, &refused) && refused.reason == ReasonTooLarge && refused.status != 0:
			s := spanAt(rest, sent)
			if s.to-s.from < 2 || !col.client.limits.shrink(s.bytes) {
				return err
			}
		default:
			return err
		}
	}
	return nil
}

// sendSpans returns how many records went through.
func (col *Collection) sendSpans(
	ctx context.Context, op string, ids []string, spans []span, offset int, send func(context.Context, span) error,
) (int, error) {
	sent := 0
	for _, s := range spans {
		if s.to-s.from == 1 && s.bytes > maxBody {
			return sent, &Error{
				Op: op, Collection: col.name, RecordID: ids[offset+s.from], class: classPoison, reason: ReasonTooLarge,
				detail: "the record does not fit into a request of 32 MiB: index a shorter text, or set chunk",
			}
		}
		if err := send(ctx, span{from: offset + s.from, to: offset + s.to, bytes: s.bytes}); err != nil {
			return sent, err
		}
		sent = s.to
	}
	return sent, nil
}

func spanAt(spans []span, from int) span {
	for _, s := range spans {
		if s.from == from {
			return s
		}
	}
	return span{}
}

// jsonSize bounds the bytes of s as a JSON string, from above; encoding/json escapes <, > and & too.
func jsonSize(s string) int {
	size := len(s) + 2
	ascii := true
	for i := range len(s) {
		switch b := s[i]; {
		case b == '"' || b == '\\':
			size++
		case b < ' ' || b == '<' || b == '>' || b == '&':
			size += 5
		case b >= utf8.RuneSelf:
			ascii = false
		}
	}
	if ascii {
		return size
	}
	if utf8.ValidString(s) {
		return 2*size + 2 // U+2028 and U+2029: three bytes become six
	}
	return 6*len(s) + 2
}
