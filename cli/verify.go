package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/function"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/verify"
)

// maxSample bounds --sample: a sample is held in memory.
const maxSample = 1_000_000

type verifyOptions struct {
	file   string
	tables []string
	all    bool
	sample int
	repair bool
	ghosts bool
	asJSON bool
}

func newVerify() *cobra.Command {
	var o verifyOptions
	c := &cobra.Command{
		Use:   "verify [flags]",
		Short: "Compare tables with their collections, and mend what differs",
		Long: `Compare every row of a table in Postgres with its records in Chroma, and every record with the table: missing, stale and ghost rows,
missing and surplus chunks, wrong metadata. What differs is compared again after 2 and 5 seconds, so that changes still on their way
are not taken for faults. It can run beside the live function; --repair, too.

Needs userConfig.postgres.url, with a role that has SELECT on the tables.

--repair deletes only records that rowvec wrote, and what it has of rows that the table does not have only up to a tenth of the
collection's records, or 100: where there is more, that is rather another table's, or another database, and --delete-ghosts has to be given.

Exit codes: 0 everything was compared and is equal (with --sample: all of the sample); 1 there are faults, or a table could not be
compared; 2 wrong usage; 3 no fault was found, but some could not be compared: values whose form cannot be told ("not checked"), rows
that changed each time. In --json "equal" is true only with 0.`,
		Example: `  rowvec verify -f function.yaml
  rowvec verify -f function.yaml --table app.articles --sample 10000 --json
  rowvec verify -f function.yaml --repair`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case o.sample < 0 || o.sample > maxSample:
				return &usageError{c.CommandPath(), fmt.Errorf("--sample: expected 0 to %d, found %d", maxSample, o.sample)}
			case o.ghosts && !o.repair:
				return &usageError{c.CommandPath(), errors.New("--delete-ghosts: only with --repair")}
			case o.all && len(o.tables) > 0:
				return &usageError{c.CommandPath(), errors.New("--all and --table: give one of them")}
			}
			return runVerify(c.Context(), &o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	fileFlag(c, &o.file)
	c.Flags().StringSliceVarP(&o.tables, "table", "t", nil, "a table to compare, as schema.table; may be given several times")
	c.Flags().BoolVar(&o.all, "all", false, "all tables of the configuration (the default)")
	c.Flags().IntVar(&o.sample, "sample", 0, "compare this many rows and records, taken at random")
	c.Flags().BoolVar(&o.repair, "repair", false, "mend what differs, through the indexer of the function")
	c.Flags().BoolVar(&o.ghosts, "delete-ghosts", false, "with --repair: delete records of rows that the table does not have, however many they are")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

// verifyResult is what `rowvec verify --json` prints: a contract.
type verifyResult struct {
	Equal  bool             `json:"equal"`
	Tables []*verify.Report `json:"tables"`
}

func runVerify(ctx context.Context, o *verifyOptions, stdout, stderr io.Writer) error {
	v, err := newVerifier(ctx, o)
	if err != nil {
		return err
	}
	defer v.close()
	result := &verifyResult{Equal: true, Tables: make([]*verify.Report, 0, len(v.tables))}
	for _, name := range v.tables {
		report, err := v.table(ctx, name, o.progress(stderr))
		if ctx.Err() != nil {
			return fmt.Errorf("verify table %s: %w", name, context.Cause(ctx))
		}
		if err != nil {
			report = verify.Failed(name, err)
		}
		report.Collection = v.function.Config.Tables[name].Collection
		result.Equal = result.Equal && report.Equal
		result.Tables = append(result.Tables, report)
	}
	if err := result.write(stdout, o.asJSON); err != nil {
		return err
	}
	return result.verdict()
}

// verdict is the error of the exit code.
func (r *verifyResult) verdict() error {
	switch {
	case slices.ContainsFunc(r.Tables, func(t *verify.Report) bool { return !t.Clean() }):
		return ErrNotOK
	case !r.Equal:
		return errUnsure
	default:
		return nil
	}
}

// verifier holds what all tables are compared with.
type verifier struct {
	options  *verifyOptions
	function *config.Function
	tables   []string
	builders map[string]*document.Builder
	index    *chroma.Client
	postgres *verify.Postgres
	endpoint *embed.Client // for repair
}

func newVerifier(ctx context.Context, o *verifyOptions) (_ *verifier, err error) {
	f, err := config.Load(o.file)
	if err != nil {
		return nil, err
	}
	v := &verifier{options: o, function: f}
	if v.tables, err = pickTables(f.Config, o.tables); err != nil {
		return nil, err
	}
	if v.builders, err = function.Builders(f.Config); err != nil {
		return nil, err
	}
	if v.index, err = function.NewChroma(f.Config.Chroma, f.Secret, nil, nil); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	if o.repair {
		if v.endpoint, err = function.NewEmbedding(f.Config.Embedding, 1, f.Secret, nil); err != nil {
			return nil, err
		}
	}
	v.postgres, err = openPostgres(ctx, f)
	return v, err
}

func openPostgres(ctx context.Context, f *config.Function) (*verify.Postgres, error) {
	const setting = config.Root + ".postgres.url"
	if !f.Config.Postgres.URL.Set() {
		return nil, errors.New(setting + ": required to compare with the tables: postgres://user:password@host:5432/database, best as " +
			"{secret: NAME}; a role with SELECT on the tables is enough, also with --repair")
	}
	url, err := f.Config.Postgres.URL.Resolve(f.Secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	p, err := verify.OpenPostgres(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return p, nil
}

func pickTables(c *config.Config, given []string) ([]string, error) {
	names := slices.Sorted(maps.Keys(c.Tables))
	if len(given) == 0 {
		return names, nil
	}
	for _, name := range given {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("--table: %s is not in the configuration, which has %s", name, strings.Join(names, ", "))
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(given))), nil
}

func (v *verifier) close() {
	if v.postgres != nil {
		v.postgres.Close()
	}
	if v.endpoint != nil {
		v.endpoint.Close()
	}
	_ = v.index.Close() // idle connections of a program that ends
}

// table compares one table.
func (v *verifier) table(ctx context.Context, name string, show display) (*verify.Report, error) {
	defer show.close()
	c := v.function.Config
	t := c.Tables[name]
	open, err := v.collection(ctx, name)
	if err != nil {
		return nil, err
	}
	cfg := verify.Config{
		Table: name, Builder: v.builders[name], Text: t.Text, Key: t.Key, Chunked: t.Chunk != nil, Schemas: c.Pulsar.AdminURL != "",
		Source: v.postgres, Index: open, Sample: v.options.sample, DeleteGhosts: v.options.ghosts, Progress: show.progress,
	}
	for _, f := range t.Metadata {
		cfg.Fields = append(cfg.Fields, document.Field{Column: f.Column, As: f.As})
	}
	cfg.Shared, cfg.Answers = sharing(c, name)
	if v.options.repair {
		pipeline := v.pipeline(ctx, name, show.waiting)
		defer pipeline.Close()
		cfg.Applier = pipeline
	}
	return verify.Run(ctx, cfg)
}

// collection opens the table's collection; a repair makes it when it is missing, as the function does.
func (v *verifier) collection(ctx context.Context, name string) (*chroma.Collection, error) {
	c := v.function.Config
	collection := c.Tables[name].Collection
	if v.options.repair {
		opened, err := v.index.Ensure(ctx, function.CollectionSpec(c, collection))
		if err != nil {
			return nil, fmt.Errorf("open collection %s: %w", collection, err)
		}
		return opened, nil
	}
	opened, err := v.index.Collection(ctx, collection)
	if err != nil && indexer.Reason(err) == chroma.ReasonCollectionMissing {
		return nil, fmt.Errorf("there is no collection %s yet: deploy the function, or have --repair fill it", collection)
	}
	if err != nil {
		return nil, fmt.Errorf("open collection %s: %w", collection, err)
	}
	return opened, nil
}

// sharing lists the tables that share a collection with the named one, and tells whether this one counts the records of nobody.
func sharing(c *config.Config, name string) (others []string, answers bool) {
	answers = true
	for _, other := range slices.Sorted(maps.Keys(c.Tables)) {
		if other != name && c.Tables[other].Collection == c.Tables[name].Collection {
			others = append(others, other)
			answers = answers && name < other
		}
	}
	return others, answers
}

// pipeline is the indexer for one table, as the function composes it: what it removes leaves tombstones, too.
func (v *verifier) pipeline(ctx context.Context, name string, waiting func(string)) *verify.Pipeline {
	c := v.function.Config
	writer := indexer.NewWriter(func(ctx context.Context) (indexer.Store, error) {
		opened, err := v.index.Ensure(ctx, function.CollectionSpec(c, c.Tables[name].Collection))
		if err != nil {
			return nil, fmt.Errorf("open collection %s: %w", c.Tables[name].Collection, err)
		}
		return opened, nil
	}, function.Tombstones(c, v.index, c.Tables[name].Collection, slog.New(slog.DiscardHandler)))
	table := indexer.TableConfig{
		Table: name, Builder: v.builders[name],
		Batch: indexer.Batch{MaxRecords: c.Batch.MaxRecords, MaxBytes: c.Batch.MaxBytes, InFlight: c.Batch.InFlight},
	}
	return verify.NewPipeline(ctx, table, indexer.NewEmbedPool(v.endpoint, c.Embedding.Concurrency), writer, waiting)
}
