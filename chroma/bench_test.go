package chroma_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

// canned answers without a network, so that only the client is measured.
func canned(answers map[string]string) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		body := answers[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]]
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
}

const benchRecords = 1000

func benchCollection(b *testing.B, answers map[string]string) *chroma.Collection {
	b.Helper()
	answers["pre-flight-checks"] = `{"max_batch_size":5461,"supports_base64_encoding":true}`
	answers["collections"] = `{"id":"b5c1a6a4-5a1f-4a55-8a5e-6a4d6b0a1f00","name":"bench","tenant":"default_tenant","database":"default_database",` +
		`"configuration_json":{"hnsw":{"space":"cosine"}}}`
	client, err := chroma.New(chroma.Config{URL: "http://chroma.test", Transport: canned(answers)})
	require.NoError(b, err)
	col, err := client.Ensure(b.Context(), chroma.CollectionSpec{Name: "bench"})
	require.NoError(b, err)
	return col
}

func benchRow(i int) map[string]any {
	return map[string]any{
		"title": fmt.Sprintf("Product %d", i), "price": 19.5, "stock": int64(i), "tags": []string{"red", "new"}, "gone": nil,
		"_rv_lsn": int64(i), "_rv_fp": "0123456789abcdef",
	}
}

// BenchmarkUpsertEncode is a batch of 1,000 records with 384 dimensions, 400 characters and 7 keys each.
func BenchmarkUpsertEncode(b *testing.B) {
	col := benchCollection(b, map[string]string{"upsert": "{}"})
	ids, vectors, documents := rows(benchRecords, 400)
	metadatas := make([]map[string]any, benchRecords)
	for i := range metadatas {
		metadatas[i] = benchRow(i)
		vectors[i] = make([]float32, 384)
		for j := range vectors[i] {
			vectors[i][j] = float32(i*j%97) / 97
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := col.Upsert(b.Context(), ids, vectors, documents, metadatas); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*benchRecords)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkGet is the look-up of 1,000 records with 7 keys of metadata each.
func BenchmarkGet(b *testing.B) {
	ids, _, _ := rows(benchRecords, 0)
	var answer strings.Builder
	answer.WriteString(`{"ids":["` + strings.Join(ids, `","`) + `"],"documents":null,"metadatas":[`)
	for i := range ids {
		if i > 0 {
			answer.WriteByte(',')
		}
		fmt.Fprintf(&answer, `{"title":"Product %d","price":19.5,"stock":%d,"tags":["red","new"],"_rv_lsn":%d,"_rv_fp":"0123456789abcdef"}`, i, i, i)
	}
	answer.WriteString(`]}`)
	col := benchCollection(b, map[string]string{"get": answer.String()})
	b.ReportAllocs()
	for b.Loop() {
		got, err := col.Get(b.Context(), ids)
		if err != nil || len(got) != benchRecords {
			b.Fatal(err, len(got))
		}
	}
	b.ReportMetric(float64(b.N*benchRecords)/b.Elapsed().Seconds(), "records/s")
}
