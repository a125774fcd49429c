package postgres

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/wire"
)

// rotated is a URL's source that a test writes.
type rotated struct{ url, fault atomic.Value }

func (s *rotated) read() (string, error) {
	if fault, _ := s.fault.Load().(string); fault != "" {
		return "", errors.New(fault)
	}
	return s.url.Load().(string), nil
}

func openRotated(t *testing.T, url string) (*Reader, *rotated) {
	t.Helper()
	source := &rotated{}
	source.url.Store(url)
	r, err := Open(url, source.read)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r, source
}

func fetch(t *testing.T, r *Reader) (any, error) {
	t.Helper()
	row, _, err := r.Fetch(t.Context(), update(), byID(int64(7)), []string{"body"})
	return row["body"], err
}

// Also the connections that are open are another user's, or lead to another host.
func TestAnotherURLTakesTheNextRead(t *testing.T) {
	t.Parallel()
	first, second := &server{columns: []string{"of the first"}}, &server{columns: []string{"of the second"}}
	from, to := first.start(t), second.start(t)
	r, source := openRotated(t, from)
	for range 2 {
		body, err := fetch(t, r)
		require.NoError(t, err)
		require.Equal(t, "of the first", body)
	}
	require.Same(t, r.to.Load(), r.known.Load())
	source.url.Store(to)
	body, err := fetch(t, r)
	require.NoError(t, err)
	require.Equal(t, "of the second", body)
	require.Contains(t, second.session, "default_transaction_read_only = on")

	source.fault.Store("gone")
	body, err = fetch(t, r)
	require.NoError(t, err, "the last good one goes on")
	require.Equal(t, "of the second", body)
}

// What was found in the database before says nothing of this one: it must not make a change poison.
func TestAnotherDatabaseMayBeTheWrongOne(t *testing.T) {
	t.Parallel()
	right, wrong := &server{columns: []string{"x"}}, &server{table: []wire.Column{}}
	from, to := right.start(t), wrong.start(t)
	r, source := openRotated(t, from)
	_, err := fetch(t, r)
	require.NoError(t, err)
	source.url.Store(to)
	_, err = fetch(t, r)
	requireFault(t, err, "halt", ReasonNotFound)
}

// hold lets a server wait before it answers the question for a table.
type hold struct{ asking, answering chan struct{} }

func held(s *server) *hold {
	h := &hold{make(chan struct{}), make(chan struct{})}
	s.looked = func() {
		select {
		case h.asking <- struct{}{}:
			<-h.answering
		case <-h.answering:
		}
	}
	return h
}

// during does what is to be done while a row's table is looked for, and returns the row's error.
func (h *hold) during(t *testing.T, r *Reader, do func()) error {
	t.Helper()
	fetched := make(chan error, 1)
	go func() {
		_, err := fetch(t, r)
		fetched <- err
	}()
	<-h.asking
	do()
	close(h.answering)
	return <-fetched
}

// Four rows are read at a time: what one of them finds where the URL led before says nothing of where it leads now.
func TestWhatIsFoundDuringTheMoveIsOfTheOldDatabase(t *testing.T) {
	t.Parallel()
	right, wrong := &server{columns: []string{"x"}}, &server{table: []wire.Column{}}
	there := held(right)
	from, to := right.start(t), wrong.start(t)
	r, source := openRotated(t, from)
	_ = there.during(t, r, func() {
		source.url.Store(to)
		_, err := fetch(t, r)
		requireFault(t, err, "halt", ReasonNotFound)
	})
	_, err := fetch(t, r)
	requireFault(t, err, "halt", ReasonNotFound)
}

func TestATableThatIsMissedDuringTheMoveIsLookedForAgain(t *testing.T) {
	t.Parallel()
	wrong, right := &server{table: []wire.Column{}}, &server{columns: []string{"x"}, publications: "1"}
	there := held(wrong)
	from, to := wrong.start(t), right.start(t)
	r, source := openRotated(t, from)
	err := there.during(t, r, func() {
		source.url.Store(to)
		_, err := fetch(t, r)
		require.NoError(t, err)
	})
	requireFault(t, err, "retry", ReasonUnreachable)
	body, err := fetch(t, r)
	require.NoError(t, err)
	require.Equal(t, "x", body)
}

func TestARefusedPasswordIsReplaced(t *testing.T) {
	t.Parallel()
	good := &server{columns: []string{"x"}}
	locked := &server{login: &pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "password authentication failed"}}
	from, to := locked.start(t), strings.Replace(good.start(t), "s3cret", "other-s3cret", 1)
	r, source := openRotated(t, from)
	_, err := fetch(t, r)
	requireFault(t, err, "halt", ReasonUnauthorized)
	require.NotContains(t, err.Error(), "what the setting names now")

	source.fault.Store("open /keys/postgres: no such file")
	_, err = fetch(t, r)
	requireFault(t, err, "halt", ReasonUnauthorized)
	require.ErrorContains(t, err, "what the setting names now cannot be used: the last one read is used: open /keys/postgres: no such file")

	source.fault.Store("")
	source.url.Store("postgres://reader:s3cret@host:bad/shop")
	_, err = fetch(t, r)
	requireFault(t, err, "halt", ReasonUnauthorized)
	require.ErrorContains(t, err, "expected an address such as")

	source.url.Store(to)
	body, err := fetch(t, r)
	require.NoError(t, err)
	require.Equal(t, "x", body)
}
