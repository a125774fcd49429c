package embedtest

import (
	"net/http"
	"strconv"
)

// write sends the response, or as much of it as it says.
func (r *Response) write(w http.ResponseWriter) {
	if r.Drop {
		hangUp(w)
		return
	}
	for key, values := range r.Header {
		w.Header()[key] = values
	}
	body := r.Body
	if r.Truncate {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
	if r.Truncate {
		_ = http.NewResponseController(w).Flush()
		hangUp(w)
	}
}

// hangUp closes the connection under the response.
func hangUp(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_ = connection.Close()
}
