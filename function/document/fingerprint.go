package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// fingerprint hashes all that the row's vectors depend on: what the settings add (identity), the text, and where it is cut. The
// bounds stand for the chunk settings and the tokenizer: when a change of these leaves a row's chunks as they were, its vectors
// stay. Every part is preceded by its length. b is scratch space.
func fingerprint(b *bytes.Buffer, identity, text string, chunks []Chunk) string {
	b.Reset()
	writePart(b, identity)
	writePart(b, text)
	for _, c := range chunks {
		writeInt(b, c.Start)
		writeInt(b, c.End)
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:16])
}

func writePart(b *bytes.Buffer, s string) {
	writeInt(b, len(s))
	b.WriteString(s)
}

func writeInt(b *bytes.Buffer, n int) {
	b.Write(binary.AppendUvarint(b.AvailableBuffer(), uint64(n)))
}
