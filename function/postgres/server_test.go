package postgres

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/function/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server speaks enough of Postgres' protocol to answer one query the same way each time. What real servers answer was tried by hand
// against Postgres 15; the tests of the whole stack read from one.
type server struct {
	table        []wire.Column // what the catalog says; nil: a bigint id and texts
	columns      []string      // of the row, nil: no row; "\x00" is null
	standby      bool
	silent       bool   // nothing is answered after the login's end
	snapshot     string // "" is one that has seen everything
	publications string // how many there are
	status       string // of a transaction; "" is one of the future
	refuse       *pgproto3.ErrorResponse
	login        *pgproto3.ErrorResponse
	gone         bool   // hangs up at the login
	looked       func() // called before the catalog is answered

	mu      sync.Mutex
	proof   *tls.Certificate // nil: speaks no TLS
	session string
	sql     string // of the question for the row
	asked   string // the last one
	refused *pgproto3.ErrorResponse
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
				_ = s.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return "postgres://reader:s3cret@" + listener.Addr().String() + "/shop?sslmode=disable"
}

func (s *server) serve(conn net.Conn) error {
	b, err := s.begin(conn)
	if err != nil || s.gone {
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
		if _, first := m.(*pgproto3.Query); first || !s.silent {
			s.answer(b, m)
		}
	}
}

// begin goes as far as the login, over TLS if that is asked for and there is a certificate.
func (s *server) begin(conn net.Conn) (*pgproto3.Backend, error) {
	b := pgproto3.NewBackend(conn, conn)
	message, err := b.ReceiveStartupMessage()
	if _, asked := message.(*pgproto3.SSLRequest); !asked || err != nil {
		return b, err
	}
	s.mu.Lock()
	proof := s.proof
	s.mu.Unlock()
	answer := "N"
	if proof != nil {
		answer = "S"
	}
	if _, err := conn.Write([]byte(answer)); err != nil {
		return nil, err
	}
	if proof != nil {
		conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*proof}, MinVersion: tls.VersionTLS12})
	}
	b = pgproto3.NewBackend(conn, conn)
	_, err = b.ReceiveStartupMessage()
	return b, err
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
		s.asked, s.refused = m.Query, nil
		switch {
		case s.refuse != nil:
			s.refused = s.refuse
		case strings.Contains(m.Query, "txid_status") && s.status == "":
			s.refused = &pgproto3.ErrorResponse{Severity: "ERROR", Code: "22023", Message: "transaction ID 7 is in the future"}
		case strings.Contains(m.Query, "LIMIT 1"):
			s.sql = m.Query
		}
		if s.refused != nil {
			b.Send(s.refused)
			return
		}
		b.Send(&pgproto3.ParseComplete{})
	case *pgproto3.Describe:
		if s.refused == nil && m.ObjectType == 'S' {
			b.Send(&pgproto3.ParameterDescription{ParameterOIDs: make([]uint32, parameters(s.asked))})
		}
		if s.refused == nil {
			b.Send(s.described())
		}
	case *pgproto3.Bind:
		if s.asked == s.sql {
			s.args = nil
			for _, p := range m.Parameters {
				s.args = append(s.args, string(p))
			}
		}
		b.Send(&pgproto3.BindComplete{})
	case *pgproto3.Execute:
		for _, values := range s.rows() {
			b.Send(&pgproto3.DataRow{Values: values})
		}
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT")})
	case *pgproto3.Sync:
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}

// parameters counts those of a statement.
func parameters(sql string) int {
	n := 0
	for strings.Contains(sql, fmt.Sprintf("$%d", n+1)) {
		n++
	}
	return n
}

const textOID, boolOID, int4OID = 25, 16, 23

func (s *server) described() *pgproto3.RowDescription {
	types := []uint32{textOID}
	switch {
	case strings.Contains(s.asked, "pg_attribute"):
		types = []uint32{textOID, textOID, boolOID, boolOID, int4OID, textOID, boolOID}
	case s.asked == s.sql:
		types = append([]uint32{boolOID, textOID, boolOID}, slices.Repeat([]uint32{textOID}, len(s.columns))...)
	}
	fields := make([]pgproto3.FieldDescription, len(types))
	for i := range fields {
		fields[i] = pgproto3.FieldDescription{Name: []byte("c"), DataTypeOID: types[i], DataTypeSize: -1, TypeModifier: -1}
	}
	return &pgproto3.RowDescription{Fields: fields}
}

func (s *server) rows() (rows [][][]byte) {
	switch {
	case strings.Contains(s.asked, "pg_attribute"):
		if s.looked != nil {
			s.looked()
		}
		for _, c := range s.catalog() {
			rows = append(rows, values(c.Name, c.Type, letter(c.Type == "enum"), letter(c.Array), strconv.Itoa(c.Modifier), c.SQL, letter(c.Generated)))
		}
		return rows
	case strings.Contains(s.asked, "pg_publication"):
		return [][][]byte{values(cmp.Or(s.publications, "0"))}
	case s.asked != s.sql:
		return [][][]byte{values(s.status)}
	}
	row := []string{letter(s.standby), cmp.Or(s.snapshot, "1000:1000:"), "\x00"}
	if s.columns != nil {
		row[2] = "t"
	}
	return [][][]byte{values(append(row, s.columns...)...)}
}

func (s *server) catalog() []wire.Column {
	if s.table != nil {
		return s.table
	}
	columns := []wire.Column{{Name: "id", Type: "int8", Modifier: -1, SQL: "bigint"}}
	for _, name := range []string{"part", "code", "body", `no"te`} {
		columns = append(columns, wire.Column{Name: name, Type: "text", Modifier: -1, SQL: "text"})
	}
	return columns
}

func letter(b bool) string {
	if b {
		return "t"
	}
	return "f"
}

func values(texts ...string) [][]byte {
	values := make([][]byte, len(texts))
	for i, c := range texts {
		if c != "\x00" {
			values[i] = []byte(c)
		}
	}
	return values
}
