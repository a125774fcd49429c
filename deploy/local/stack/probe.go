package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// probeClient keeps no connections: a part that is asked now and then should not be held by idle ones, nor a test by their goroutines.
func probeClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

// ask sends one request (a POST when there is a body) and wants 200; the answer goes into into, unless that is nil.
func ask(ctx context.Context, address, body string, into any) error {
	return askBy(ctx, probeClient(), address, body, into)
}

func askBy(ctx context.Context, client *http.Client, address, body string, into any) error {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only read
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", address, response.Status)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("the answer of %s: %w", address, err)
	}
	return nil
}

// local is the address of a port of this machine, which nothing outside of it reaches.
func local(scheme string, port int) string { return scheme + "://127.0.0.1:" + strconv.Itoa(port) }
