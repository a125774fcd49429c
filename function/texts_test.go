package function

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/instance"
)

// titled is a change of a row with that title.
func titled(id int, title string) *instance.Delivery {
	d := change(id, "articles")
	d.Payload = []byte(strings.Replace(string(d.Payload), "Trail shoe", title, 1))
	return d
}

// openAI is a model whose tokens are counted as it does, with a limit of seven of them.
func openAI(embedding, _ map[string]any) {
	embedding["model"], embedding["maxTextTokens"], embedding["prefix"] = "openai/text-embedding-3-small", 7, "p: "
}

func truncate(_, table map[string]any) { table["overflow"] = "truncate" }

func TestATextOverTheLimitIsADeadLetterWithItsCure(t *testing.T) {
	t.Parallel()
	b := benchWith(t, openAI)
	s := within(t, b.handle(t, t.Context(), titled(7, "hello world, hello world, hello")))
	require.Equal(t, instance.DeadLetter, s.Verdict)
	require.Equal(t, "text_too_long", s.Reason)
	require.Equal(t, "7", s.RowID)
	for _, part := range []string{"row 7", "9 tokens", "maxTextTokens is 7", "chunk", "overflow: truncate"} {
		require.Contains(t, s.Message, part)
	}
	require.Zero(t, b.endpoint.Stats().Requests, "the endpoint is not asked")
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), titled(8, "hello world"))).Verdict)
	require.InDelta(t, 0, b.metrics.user()["rowvec_texts_truncated_total{table=app.articles}"], 0)
}

func TestATextOverTheLimitIsTruncatedAndCounted(t *testing.T) {
	t.Parallel()
	b := benchWith(t, openAI, truncate)
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), titled(7, "hello world, hello world, hello"))).Verdict)
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), titled(8, "hello world"))).Verdict)
	records := b.index.Records("articles")
	require.Equal(t, "hello world, hello", *records["7"].Document)
	require.Equal(t, 1, b.endpoint.Seen("p: hello world, hello"), "what is stored is what is embedded")
	require.Equal(t, "hello world", *records["8"].Document)
	require.InDelta(t, 1, b.metrics.user()["rowvec_texts_truncated_total{table=app.articles}"], 0)

	behind := titled(7, "hello world, hello world, again")
	behind.Payload = []byte(strings.NewReplacer(`"lsn":100`, `"lsn":200`, `\"100\"`, `\"200\"`).Replace(string(behind.Payload)))
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), behind)).Verdict)
	require.InDelta(t, 1, b.metrics.user()["rowvec_records_total{outcome=metadata_only,table=app.articles}"], 0, "nothing before the cut changed")
	require.InDelta(t, 1, b.metrics.user()["rowvec_texts_truncated_total{table=app.articles}"], 0)
}

func TestOtherModelsHaveNoLimitOfOurs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	long := strings.TrimSpace(strings.Repeat("hello world ", 10_000))
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), titled(7, long))).Verdict)
	require.Equal(t, long, *b.index.Records("articles")["7"].Document)
}

func TestChunksOverTheLimitAreAWrongSetting(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Embedding.Model, c.Embedding.Prefix = "text-embedding-3-large", "passage: "
	c.Tables["app.a"] = config.Table{Text: "{{.t}}", Chunk: &config.Chunk{Tokens: 8187}}
	_, err := Builders(&c)
	require.NoError(t, err)
	c.Tables["app.a"].Chunk.Tokens++
	_, err = Builders(&c)
	require.ErrorContains(t, err, "userConfig.tables.app.a.chunk.tokens: 8188 tokens")
	require.ErrorContains(t, err, "embedding.maxTextTokens (8191)")
	c.Embedding.MaxTextTokens = 8192 // an endpoint that takes more
	_, err = Builders(&c)
	require.NoError(t, err)
	c.Embedding.MaxTextTokens = 4
	_, err = Builders(&c)
	require.ErrorContains(t, err, "userConfig.embedding.maxTextTokens: ")
}

func TestTheLimitIsTheSettingElseTheModels(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		model         string
		setting, want int
	}{
		{"text-embedding-3-small", 0, 8191},
		{"openai/text-embedding-3-small", 2000, 2000},
		{"multilingual-e5-small", 0, 0},
		{"multilingual-e5-small", 512, 512},
	} {
		require.Equal(t, tt.want, MaxTextTokens(config.Embedding{Model: tt.model, MaxTextTokens: tt.setting}), tt)
	}
}
