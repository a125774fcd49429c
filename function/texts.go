package function

import (
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/tokens"
)

// MaxTextTokens is the most tokens that a text may have: the setting, else what the model is known to take; 0 when there is no limit.
func MaxTextTokens(c config.Embedding) int {
	if c.MaxTextTokens > 0 {
		return c.MaxTextTokens
	}
	return tokens.Limit(c.Model)
}

// tokenizer counts as the model does where its vocabulary is known, else by an estimate on the safe side.
func tokenizer(model string) document.Tokenizer {
	if c, ok := tokens.ForModel(model); ok {
		return c
	}
	return document.Estimate{}
}

// counter is the same for the endpoint's client, which has an estimate of its own: nil.
func counter(model string) func(text string) int {
	if c, ok := tokens.ForModel(model); ok {
		return c.Count
	}
	return nil
}
