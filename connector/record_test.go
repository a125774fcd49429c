package connector

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrderingKeyIsWhatTheBrokerGoesBy(t *testing.T) {
	t.Parallel()
	marked := base64.StdEncoding.EncodeToString([]byte(`{"id":7}`))
	for name, c := range map[string]struct {
		record Record
		want   string
	}{
		"Pulsar's source":                 {Record{Key: marked, Payload: []byte(`{"op":"c"}`)}, `{"id":7}`},
		"white space":                     {Record{Key: base64.StdEncoding.EncodeToString([]byte("\n {\"id\":7}")), Payload: []byte(`{}`)}, "\n {\"id\":7}"},
		"a payload that cannot be read":   {Record{Key: marked, Payload: []byte(`{`)}, `{"id":7}`},
		"a frame, whose key has no mark":  {Record{Key: marked, Payload: []byte{0, 0, 0, 8}}, ""},
		"Debezium Server":                 {Record{Key: `{"id":7}`, Payload: []byte(`{"op":"c"}`)}, ""},
		"Debezium Server without a key":   {Record{Key: nullKey, Payload: []byte(`{"op":"c"}`)}, ""},
		"no key":                          {Record{Payload: []byte(`{"op":"c"}`)}, ""},
		"base64 by chance":                {Record{Key: "user1234", Payload: []byte(`{"op":"c"}`)}, ""},
		"base64 of something else":        {Record{Key: base64.StdEncoding.EncodeToString([]byte("7")), Payload: []byte(`{"op":"c"}`)}, ""},
		"base64 of what is not even text": {Record{Key: base64.StdEncoding.EncodeToString([]byte{0xff, 0}), Payload: []byte(`{"op":"c"}`)}, ""},
	} {
		require.Equal(t, c.want, c.record.OrderingKey(), name)
	}
}
