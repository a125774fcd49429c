//go:build e2e

package e2e

import (
	"testing"

	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/instance/instancetest"
)

// What the fakes pass, the real servers pass too.

func TestChromaConforms(t *testing.T) { chromatest.Suite(t, world.env.ChromaURL) }

func TestEmbeddingEndpointConforms(t *testing.T) {
	embedtest.Suite(t, world.env.EmbeddingURL, world.env.EmbeddingModel, embedtest.SuiteOptions{})
}

func TestInstanceConforms(t *testing.T) {
	instancetest.Suite(t, world.env.PulsarURL, world.env.PulsarAdminURL)
}
