package source_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/gateway/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server speaks enough of Postgres' simple protocol to answer with one value. What a real one answers to EXPLAIN was seen on Postgres 15 and
// later: a table with partitions that were never analyzed has an Append on top, with the sum of what their files' sizes let expect.
type server struct {
	plan, count string
	refuse      string        // a statement that begins so
	counting    chan struct{} // nil: nobody waits; else a count says so and waits until somebody says go on

	mu    sync.Mutex
	asked []string
}

func (s *server) start(t *testing.T) *source.Postgres {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				_ = s.serve(pgproto3.NewBackend(conn, conn))
			})
		}
	})
	p, err := source.New("postgres://reader:s3cret@" + listener.Addr().String() + "/shop?sslmode=disable&default_query_exec_mode=simple_protocol")
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Close()
		_ = listener.Close()
		serving.Wait()
	})
	return p
}

func (s *server) serve(b *pgproto3.Backend) error {
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return err
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	b.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	for {
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if err := b.Flush(); err != nil {
			return err
		}
		m, err := b.Receive()
		if err != nil {
			return err
		}
		q, ok := m.(*pgproto3.Query)
		if !ok {
			return nil
		}
		s.answer(b, q.String)
	}
}

func (s *server) answer(b *pgproto3.Backend, sql string) {
	if s.counting != nil && strings.HasPrefix(sql, "SELECT count") {
		s.counting <- struct{}{}
		<-s.counting
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(sql, "-- ping") {
		s.asked = append(s.asked, sql)
	}
	if s.refuse != "" && strings.HasPrefix(sql, s.refuse) {
		b.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42501", Message: "permission denied"})
		return
	}
	value, oid := s.count, uint32(20)
	if strings.HasPrefix(sql, "EXPLAIN") {
		value, oid = s.plan, 114
	}
	b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("v"), DataTypeOID: oid, DataTypeSize: -1, TypeModifier: -1}}})
	b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(value)}})
	b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
}

const explain = `EXPLAIN (FORMAT JSON) SELECT 1 FROM "app"."Parted"`

// TestALargeTableIsNotCounted: neither one with partitions, whose own figure in pg_class is -1, nor one that was never analyzed.
func TestALargeTableIsNotCounted(t *testing.T) {
	t.Parallel()
	s := &server{plan: `[{"Plan": {"Node Type": "Append", "Plan Rows": 2733712, "Plans": [{"Plan Rows": 1300000}, {"Plan Rows": 1433712}]}}]`, count: "1"}
	rows, err := s.start(t).Rows(t.Context(), "app.Parted")
	require.NoError(t, err)
	require.EqualValues(t, 2_733_712, rows)
	require.Equal(t, []string{explain}, s.asked)
}

func TestASmallTableIsCountedExactly(t *testing.T) {
	t.Parallel()
	s := &server{plan: `[{"Plan": {"Node Type": "Seq Scan", "Plan Rows": 1200}}]`, count: "0"} // what is expected of an empty table
	rows, err := s.start(t).Rows(t.Context(), "app.Parted")
	require.NoError(t, err)
	require.Zero(t, rows)
	require.Equal(t, []string{explain, `SELECT count(*) FROM "app"."Parted"`}, s.asked)
}

func TestWhatCannotBeExpectedIsNotCounted(t *testing.T) {
	t.Parallel()
	for _, plan := range []string{`[]`, `[{"Plan": {}}]`, `{}`, `nothing`} {
		s := &server{plan: plan, count: "1"}
		_, err := s.start(t).Rows(t.Context(), "app.Parted")
		require.ErrorContains(t, err, "count the rows of app.Parted", plan)
		require.Equal(t, []string{explain}, s.asked, "it may be a table that takes hours")
	}
}

func TestErrorsNameTheTableAndNoPassword(t *testing.T) {
	t.Parallel()
	for _, refuse := range []string{"EXPLAIN", "SELECT count"} {
		s := &server{plan: `[{"Plan": {"Plan Rows": 1}}]`, count: "1", refuse: refuse}
		_, err := s.start(t).Rows(t.Context(), "app.Parted")
		require.ErrorContains(t, err, "count the rows of app.Parted: ERROR: permission denied")
		require.NotContains(t, err.Error(), "s3cret")
	}
	for url, want := range map[string]string{
		"postgres://reader:s3cret@host:port/shop":                                                   "cannot be parsed",
		"postgres://reader:s3cret@localhost/shop?sslmode=verify-full&sslrootcert=/nowhere/else.pem": "(sslrootcert, sslcert, sslkey, servicefile) cannot be read: no such file",
	} {
		_, err := source.New(url)
		require.ErrorContains(t, err, "userConfig.postgres.url: ")
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "s3cret")
	}
}

// TestASignOfLifeDoesNotWaitForACount, which may take minutes.
func TestASignOfLifeDoesNotWaitForACount(t *testing.T) {
	t.Parallel()
	s := &server{plan: `[{"Plan": {"Plan Rows": 1}}]`, count: "7", counting: make(chan struct{})}
	p := s.start(t)
	var counted sync.WaitGroup
	counted.Go(func() {
		rows, err := p.Rows(t.Context(), "app.Parted")
		assert.NoError(t, err)
		assert.EqualValues(t, 7, rows)
	})
	<-s.counting
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := errors.Join(p.Ping(ctx), p.Ping(ctx))
	s.counting <- struct{}{}
	counted.Wait()
	require.NoError(t, err)

	p.Close()
	require.ErrorContains(t, p.Ping(t.Context()), "ping Postgres")
}
