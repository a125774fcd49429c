package chroma_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

const (
	leakToken    = "tok-0123456789abcdef"
	leakUser     = "operator-of-chroma"
	leakPassword = "p4ss:w0rd!/+"
	leakDocument = "Patient Jane Roe was admitted on Monday, <b>room 12</b>"
)

// confidential is all that may not be seen, in every form it travels in.
func confidential(vector []float32) []string {
	packed, _ := binary.Append(nil, binary.LittleEndian, vector)
	numbers, _ := json.Marshal(vector)
	document, _ := json.Marshal(leakDocument)
	return []string{
		leakToken, leakUser, leakPassword, "p4ss%3Aw0rd", "b3BlcmF0b3It", // base64 of the user's beginning
		leakDocument, "Jane Roe", string(document), string(numbers), strings.Trim(string(numbers), "[]"), base64.StdEncoding.EncodeToString(packed),
	}
}

// texts are all the words an error can be made to say.
func texts(err error) string {
	var b strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&b, "%v\n%+v\n%#v\n", err, err, err.Error())
	}
	return b.String()
}

func TestNoErrorHoldsASecretADocumentOrAVector(t *testing.T) {
	t.Parallel()
	vector := []float32{0.12345678, -0.98765432, 0.5}
	server := chromatest.New(t)
	col := newCollection(t, server, func(cfg *chroma.Config) {
		cfg.URL = strings.Replace(cfg.URL, "://", "://"+leakUser+":p4ss%3Aw0rd%21%2F%2B@", 1)
		cfg.Token = leakToken
	})
	calls := operations(t, col)
	calls["upsert"] = func() error {
		return col.Upsert(t.Context(), []string{"a"}, [][]float32{vector}, []string{leakDocument}, nil)
	}
	calls["query"] = func() error {
		_, err := col.Query(t.Context(), vector, 1, nil)
		return err
	}
	// A server, or a proxy before it, that repeats all it was sent.
	echo := func(status int, form func(r chromatest.Request) string) {
		for op, call := range calls {
			server.Control(func(r chromatest.Request) *chromatest.Response {
				if r.Op != op {
					return nil
				}
				return &chromatest.Response{Status: status, Body: form(r), Header: http.Header{"Location": {form(r)}}}
			})
			err := call()
			require.Error(t, err)
			said := texts(err)
			for _, secret := range confidential(vector) {
				require.NotContains(t, said, secret, "%s %d", op, status)
			}
			require.Less(t, len(err.Error()), 700)
		}
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 413, 422, 429, 500, 503} {
		for _, form := range []func(r chromatest.Request) string{
			func(r chromatest.Request) string { return fmt.Sprint(r.Header, string(r.Body)) },
			func(r chromatest.Request) string { return said("invalid body: " + string(r.Body)) },
			func(r chromatest.Request) string { return said(fmt.Sprint("invalid headers: ", r.Header)) },
			func(r chromatest.Request) string { return said("bad document: " + cited(r)) },
			func(chromatest.Request) string { return said("bad " + strings.Repeat("very ", 1000) + leakToken) },
			func(chromatest.Request) string { return said("bad vector " + fmt.Sprint(vector) + " " + leakToken) },
			func(r chromatest.Request) string { return said(string(r.Body[:len(r.Body)-len(r.Body)/3])) },
		} {
			echo(status, form)
		}
	}
}

// cited is the document of a request, as a server would cite it.
func cited(r chromatest.Request) string {
	var sent struct {
		Documents []string `json:"documents"`
	}
	if json.Unmarshal(r.Body, &sent) != nil || len(sent.Documents) == 0 {
		return "none"
	}
	return sent.Documents[0]
}

// said is Chroma's form of an error.
func said(message string) string {
	out, _ := json.Marshal(map[string]string{"error": "InvalidArgumentError", "message": message})
	return string(out)
}

func TestNoSettingErrorHoldsASecret(t *testing.T) {
	t.Parallel()
	for _, cfg := range []chroma.Config{
		{URL: "http://" + leakUser + ":" + leakPassword + "@host:bad-port", Token: leakToken},
		{URL: "ftp://" + leakUser + ":secret@host", Token: leakToken},
		{URL: "http://" + leakUser + ":secret@host/?token=" + leakToken},
		{URL: "http://host", Token: leakToken + "\nX-Other: 1"},
		{URL: "http://" + leakUser + ":secret@host", Tenant: "a/b"},
		{URL: "http://" + leakUser + ":secret@host", Database: "a b"},
	} {
		_, err := chroma.New(cfg)
		require.Error(t, err)
		for _, secret := range []string{leakToken, leakUser, leakPassword, "secret"} {
			require.NotContains(t, texts(err), secret)
		}
		require.Regexp(t, `^chroma\.(url|token|tenant|database): `, err.Error())
	}
}

func TestNoNetworkErrorHoldsTheCredentials(t *testing.T) {
	t.Parallel()
	client, err := chroma.New(chroma.Config{URL: "http://" + leakUser + ":secret-pass@127.0.0.1:1/base", Token: leakToken})
	require.NoError(t, err)
	_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
	requireError(t, err, "retry", chroma.ReasonNetwork)
	for _, secret := range []string{leakToken, leakUser, "secret-pass"} {
		require.NotContains(t, texts(err), secret)
	}
}

func TestErrorsAreBoundedAndOneLine(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	col := newCollection(t, server, nil)
	server.Control(only("upsert", &chromatest.Response{Status: 500, Body: said("line\none\r\x00" + strings.Repeat("é", 5000))}))
	id := strings.Repeat("ü\n", 3000)
	for _, err := range []error{
		col.Upsert(t.Context(), []string{id}, [][]float32{{1}}, nil, nil),
		col.Upsert(t.Context(), []string{id}, [][]float32{{}}, nil, nil),
		col.Upsert(t.Context(), []string{id}, [][]float32{{1}}, nil, []map[string]any{{strings.Repeat("k", 5000): struct{}{}}}),
	} {
		require.Error(t, err)
		require.Less(t, len(err.Error()), 700)
		require.NotContains(t, err.Error(), "\n")
		require.True(t, strings.HasPrefix(err.Error(), `chroma upsert "articles"`), err.Error())
	}
}
