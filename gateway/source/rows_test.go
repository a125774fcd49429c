package source_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/gateway/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server speaks enough of Postgres' protocol to answer the two questions. What a real one answers the tests of the whole stack see.
type server struct {
	expected, rows int64 // by the planner, and counted
	missing        bool  // the table

	mu      sync.Mutex
	startup map[string]string
	sql     []string
	arg     string
}

func (s *server) start(t *testing.T) *source.Postgres {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
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
				_ = s.serve(pgproto3.NewBackend(conn, conn)) // it ends when the client goes
			})
		}
	})
	p, err := source.New("postgres://reader:s3cret@" + listener.Addr().String() + "/shop?sslmode=disable")
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Close()
		_ = listener.Close()
		serving.Wait()
	})
	return p
}

func (s *server) serve(b *pgproto3.Backend) error {
	m, err := b.ReceiveStartupMessage()
	if err != nil {
		return err
	}
	if startup, ok := m.(*pgproto3.StartupMessage); ok {
		s.mu.Lock()
		s.startup = startup.Parameters
		s.mu.Unlock()
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for {
		if err := b.Flush(); err != nil {
			return err
		}
		m, err := b.Receive()
		if err != nil {
			return err
		}
		s.answer(b, m)
	}
}

const int8OID, textOID = 20, 25

func (s *server) answer(b *pgproto3.Backend, message pgproto3.FrontendMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m := message.(type) {
	case *pgproto3.Parse:
		s.sql = append(s.sql, m.Query)
		b.Send(&pgproto3.ParseComplete{})
	case *pgproto3.Describe:
		if m.ObjectType == 'S' {
			b.Send(&pgproto3.ParameterDescription{ParameterOIDs: []uint32{textOID}[:strings.Count(s.sql[len(s.sql)-1], "$")]})
		}
		b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("n"), DataTypeOID: int8OID, DataTypeSize: 8, TypeModifier: -1}}})
	case *pgproto3.Bind:
		if len(m.Parameters) > 0 {
			s.arg = string(m.Parameters[0])
		}
		b.Send(&pgproto3.BindComplete{})
	case *pgproto3.Execute:
		s.execute(b)
	case *pgproto3.Sync:
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}

func (s *server) execute(b *pgproto3.Backend) {
	n := s.rows
	if strings.Contains(s.sql[len(s.sql)-1], "reltuples") {
		if n = s.expected; s.missing {
			b.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42P01", Message: "relation does not exist"})
			return
		}
	}
	b.Send(&pgproto3.DataRow{Values: [][]byte{binary(n)}})
	b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
}

// binary is an int8 as pgx asks for it.
func binary(n int64) []byte {
	out := make([]byte, 8)
	for i := range out {
		out[i] = byte(n >> (56 - 8*i))
	}
	return out
}

func TestSmallTablesAreCountedAndLargeOnesEstimated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expected, rows, want int64 }{
		{-1, 0, 0}, // never analyzed
		{100, 7, 7},
		{1_999_999, 1_500_000, 1_500_000},
		{2_000_000, 1, 2_000_000},
		{3_000_000_000, 1, 3_000_000_000},
	} {
		s := &server{expected: c.expected, rows: c.rows}
		n, err := s.start(t).Rows(t.Context(), "app.articles")
		require.NoError(t, err)
		require.Equal(t, c.want, n, strconv.FormatInt(c.expected, 10))
		require.Equal(t, c.expected < 2_000_000, len(s.sql) == 2, "a large table is not read")
	}
}

func TestNamesAreQuoted(t *testing.T) {
	t.Parallel()
	s := &server{expected: 1, rows: 1}
	_, err := s.start(t).Rows(t.Context(), `Shop."x"; DROP TABLE y; --.z`)
	require.NoError(t, err)
	const quoted = `"Shop"."""x""; DROP TABLE y; --.z"`
	require.Equal(t, quoted, s.arg)
	require.Equal(t, "SELECT count(*) FROM "+quoted, s.sql[1])
}

func TestTheConnectionOnlyReads(t *testing.T) {
	t.Parallel()
	s := &server{}
	_, err := s.start(t).Rows(t.Context(), "app.articles")
	require.NoError(t, err)
	require.Equal(t, "on", s.startup["default_transaction_read_only"])
	require.Equal(t, "rowvec serve", s.startup["application_name"])
}

func TestErrorsNameTheTableAndNoPassword(t *testing.T) {
	t.Parallel()
	_, err := (&server{missing: true}).start(t).Rows(t.Context(), "app.nothing")
	require.ErrorContains(t, err, "count the rows of app.nothing: ")
	require.NotContains(t, err.Error(), "s3cret")

	ended, end := context.WithCancel(t.Context())
	end()
	_, err = (&server{}).start(t).Rows(ended, "app.articles")
	require.ErrorIs(t, err, context.Canceled)

	for _, url := range []string{"postgres://reader:s3cret@127.0.0.1:port/shop", "postgres://reader:s3cret@127.0.0.1/shop?sslmode=maybe"} {
		_, err = source.New(url)
		require.ErrorContains(t, err, "userConfig.postgres.url: expected an address")
		require.NotContains(t, err.Error(), "s3cret")
	}
}
