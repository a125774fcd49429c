package function

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
)

// A letter that is sent again has to come to the instance that has its row.
func TestLettersAreOrderedByWhatTheBrokerGoesBy(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.endpoint.Control(embedtest.Poison("Trail"))
	refused, malformed, plain := change(7, "articles"), change(8, "articles"), change(9, "articles")
	refused.Key, malformed.Key = base64.StdEncoding.EncodeToString([]byte(refused.Key)), base64.StdEncoding.EncodeToString([]byte(malformed.Key))
	malformed.Payload = []byte("not JSON")
	require.Equal(t, `{"id":7}`, within(t, b.handle(t, t.Context(), refused)).OrderingKey)
	require.Equal(t, `{"id":8}`, within(t, b.handle(t, t.Context(), malformed)).OrderingKey)
	require.Empty(t, within(t, b.handle(t, t.Context(), plain)).OrderingKey, "its key is what the broker goes by")
}
