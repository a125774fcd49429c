package indexer

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// provenFor is how long an accepted write vouches for the store: within it, a record that is refused alone is at fault itself.
const provenFor = time.Minute

// refusal is a row that the store refused alone.
type refusal struct {
	job *job
	err error
}

// refusedByStatus tells a refusal that a whole server, a quota or a proxy may be to blame for from one that the record's own content
// explains (a value that cannot be sent, a record over the size limit, a damaged commit mark).
func refusedByStatus(err error) bool {
	var answered interface{ Status() int }
	if !errors.As(err, &answered) {
		return false
	}
	return answered.Status() == http.StatusBadRequest || answered.Status() == http.StatusUnprocessableEntity
}

// condemn ends the rows that a group's bisection left. A row is poison only if the store takes others: one that refuses everything
// must not empty the topic into the dead-letter topic (design decision 7), so it halts the collection until it takes something.
func (w *Writer) condemn(ctx context.Context, refused []refusal) {
	waited := false
	for _, r := range refused {
		if !refusedByStatus(r.err) || (w.proven() && !waited) {
			r.job.reply(false, r.err)
			continue
		}
		// Once one had to wait, the refusals of the others are old news: they are tried again, too.
		waited = true
		if err := w.persist(ctx, &group{writer: w, jobs: []*job{r.job}}, w.doubt); err != nil {
			r.job.reply(false, err)
		}
	}
}

// doubt makes a refusal a halt while nothing vouches for the store.
func (w *Writer) doubt(err error) error {
	if w.proven() {
		return err
	}
	return &fault{class: ClassHalt, reason: "refuses_everything", text: "the index refuses this record and has taken no other within a minute", err: err}
}

func (w *Writer) proven() bool { return !w.accepted.IsZero() && time.Since(w.accepted) <= provenFor }
