package tokens

import (
	"strings"
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"
)

// embeddingLimit is the most tokens that OpenAI's embedding models take in one text, as its guide to embeddings says ("max input").
const embeddingLimit = 8191

// Limit returns the most tokens that the model takes in one text; 0 when that is not known here.
func Limit(model string) int {
	if isOpenAI(model) {
		return embeddingLimit
	}
	return 0
}

// ForModel returns the counter of a model whose vocabulary is known: OpenAI's embedding models, also behind a provider's name
// ("openai/text-embedding-3-small", as gateways call it). The vocabulary is read with the first count, and once per process.
func ForModel(model string) (*Counter, bool) {
	if !isOpenAI(model) {
		return nil, false
	}
	return &Counter{load: sync.OnceValue(codec.NewCl100kBase), window: window, long: longRun}, true
}

// isOpenAI knows the models whose encoding is cl100k_base in OpenAI's tiktoken (model.py).
func isOpenAI(model string) bool {
	switch model[strings.LastIndexByte(model, '/')+1:] {
	case "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002":
		return true
	default:
		return false
	}
}
