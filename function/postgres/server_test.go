package postgres

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server speaks enough of Postgres' protocol to answer one query the same way each time. What real servers answer was tried by hand
// against Postgres 15; the tests of the whole stack read from one.
type server struct {
	columns []string // of the answer's row, nil: no row; "\x00" is null
	refuse  *pgproto3.ErrorResponse
	login   *pgproto3.ErrorResponse

	mu      sync.Mutex
	session string
	sql     string
	args    []string
}

// start serves until the test ends and returns the URL.
func (s *server) start(t *testing.T) string {
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
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return "postgres://reader:s3cret@" + listener.Addr().String() + "/shop?sslmode=disable"
}

func (s *server) serve(b *pgproto3.Backend) error {
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return err
	}
	if s.login != nil {
		b.Send(s.login)
		return b.Flush()
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
		if _, bye := m.(*pgproto3.Terminate); bye {
			return nil
		}
		s.answer(b, m)
	}
}

func (s *server) answer(b *pgproto3.Backend, message pgproto3.FrontendMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m := message.(type) {
	case *pgproto3.Query:
		s.session = m.String
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SET")})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	case *pgproto3.Parse:
		s.sql = m.Query
		if s.refuse != nil {
			b.Send(s.refuse)
			return
		}
		b.Send(&pgproto3.ParseComplete{})
	case *pgproto3.Describe:
		if s.refuse == nil && m.ObjectType == 'S' {
			b.Send(&pgproto3.ParameterDescription{ParameterOIDs: make([]uint32, strings.Count(s.sql, "$"))})
		}
		if s.refuse == nil {
			b.Send(s.described())
		}
	case *pgproto3.Bind:
		s.args = nil
		for _, p := range m.Parameters {
			s.args = append(s.args, string(p))
		}
		b.Send(&pgproto3.BindComplete{})
	case *pgproto3.Execute:
		if s.columns != nil {
			b.Send(&pgproto3.DataRow{Values: s.values()})
		}
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT")})
	case *pgproto3.Sync:
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}

func (s *server) described() *pgproto3.RowDescription {
	fields := make([]pgproto3.FieldDescription, max(len(s.columns), 2))
	for i := range fields {
		fields[i] = pgproto3.FieldDescription{Name: []byte("c"), DataTypeOID: 25, DataTypeSize: -1, TypeModifier: -1}
	}
	return &pgproto3.RowDescription{Fields: fields}
}

func (s *server) values() [][]byte {
	values := make([][]byte, len(s.columns))
	for i, c := range s.columns {
		if c != "\x00" {
			values[i] = []byte(c)
		}
	}
	return values
}
