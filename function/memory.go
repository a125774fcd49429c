package function

import (
	"log/slog"
	"math"
	"runtime/debug"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/instance"
)

const (
	baseMemory    = 128 << 20 // program, vocabulary, connections, buffers for events, log lines and answers
	recordCopies  = 4         // of a record in work: as it came, decoded, as text, in a request
	vectorMemory  = 64 << 10  // for each dimension of a collection: a thousand vectors, and the request that writes them
	manyDimension = 1536      // where the settings do not say
)

// memoryBound is what the process's memory stays under, in bytes, while the tables of so many inputs are kept (README, Limits): every
// buffer that has no size of its own is bounded by one of the settings here.
func memoryBound(c *config.Config, inputs int) int64 {
	b := c.Batch
	collections := map[string]bool{}
	for _, t := range c.Tables {
		collections[t.Collection] = true
	}
	dimensions := c.Embedding.Dimensions
	if dimensions == 0 {
		dimensions = manyDimension
	}
	inWork := b.MaxBytes*b.InFlight + inputs*b.MaxRecordBytes
	bound := baseMemory + recordCopies*inWork + instance.DefaultPrefetch*b.MaxRecordBytes + len(collections)*dimensions*vectorMemory
	return int64(bound + chunkVectors(c, inWork, dimensions))
}

// chunkVectors is what the vectors of the chunks take of records with so many bytes: four bytes a dimension for each chunk, and a chunk for each
// tokens − overlap, of four bytes each, in the table that cuts its texts the finest.
func chunkVectors(c *config.Config, inWork, dimensions int) (most int) {
	for _, t := range c.Tables {
		if t.Chunk != nil {
			most = max(most, inWork/max(t.Chunk.Tokens-t.Chunk.Overlap, 1)*dimensions)
		}
	}
	return most
}

// limitMemory has the garbage collected in time for the process to stay under the bound. By itself Go lets the heap double between
// collections: a burst of large records would take twice of what it needs. It leaves a limit alone that is set already (GOMEMLIMIT).
func limitMemory(bound int64, log *slog.Logger) {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(bound)
		log.Info("memory", "bound_bytes", bound)
	}
}
