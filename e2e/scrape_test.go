//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// scrape returns what Prometheus would get from the broker.
func scrape(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, world.env.PulsarAdminURL+"/metrics/", http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("metrics: %s", resp.Status)
	}
	return string(body), err
}

// sample finds the first series of a name that has all the labels.
func sample(text, name string, labels ...string) (float64, bool) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, name+"{") || !containsAll(line, labels) {
			continue
		}
		fields := strings.Fields(line[strings.LastIndex(line, "}")+1:])
		v, err := strconv.ParseFloat(fields[0], 64)
		return v, err == nil
	}
	return 0, false
}

func containsAll(line string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(line, p) {
			return false
		}
	}
	return true
}
