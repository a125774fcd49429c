package postgres

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
)

// ParseURL reads a postgres:// URL, and the files that it names (sslrootcert, sslcert, sslkey, servicefile). Its errors never show the URL, which may hold a
// password, nor the path of a file, which may hold it by mistake.
func ParseURL(url string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	var file *fs.PathError
	if errors.As(err, &file) {
		return nil, fmt.Errorf("a file that it names (sslrootcert, sslcert, sslkey, servicefile) cannot be read: %w", file.Err)
	}
	if err != nil {
		return nil, errors.New("expected an address such as postgres://user:password@host:5432/database; what is there, or in a file that it names (sslrootcert), cannot be parsed")
	}
	return cfg, nil
}
