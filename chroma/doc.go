// Package chroma is rowvec's client of a Chroma server (REST API v2, seen with 1.5.9). It stands on
// github.com/amikos-tech/chroma-go and adds what a pipeline needs: one attempt per call, a class for every
// failure (Error), requests that respect the server's limits, and answers decoded without loss.
//
// Where chroma-go v0.4.0 alone is not enough, the HTTP transport of this package helps, and nothing else does:
//
//   - its errors drop the cause and the headers, and a status of 201 to 399 or 599 passes as success: the transport
//     records status, headers, body and network error of every request, and only that record is classified;
//   - it fails to read records without a document, reads whole numbers of a query as floats, and writes small floats as
//     zero: metadata is encoded and answers are decoded here;
//   - its update of metadata alone sends an empty list of embeddings, which Chroma refuses with 400: one null for each
//     record is sent instead;
//   - it refuses a request that names an id twice: such requests are split, in order.
package chroma
