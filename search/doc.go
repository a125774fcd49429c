// Package search answers questions about the rows that the function keeps in the index: the nearest rows to a text or to another row, and
// a stored row itself. `rowvec search` stands on it, and the gateway.
//
// It only reads. A question costs one request to the embedding endpoint, unless its vector is cached, and one or two to Chroma:
//
//	where.go, value.go    a filter over the table's metadata columns, checked and rebuilt; nothing else is sent
//	vectors.go            the question's vector: cached, and one request for equal questions at the same time
//	opened.go             the table's collection, and whether its vectors are of the configured model
//	several.go            one vector for several tables, asked at the same time
//	seek.go               the nearest records that are the table's, best chunk per row if wanted; asks for more until there are enough
//	hit.go                what a record tells: row, key, chunk, offsets, version
//	row.go, similar.go    a stored row put together again, and its neighbours
//	count.go              how many there are
//	errors.go             what went wrong, by who can mend it
package search
