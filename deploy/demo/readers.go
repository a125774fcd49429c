package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// readers lists the connections that read the function's topic on its subscription. An instance keeps its name when it is started anew, but not
// its connection: so an update is seen to have happened. Before the topic exists there are none.
func (d *demo) readers(ctx context.Context) ([]string, error) {
	address := d.env.PulsarAdminURL + "/admin/v2/persistent/" + inputTopic + "/stats"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask for the topic's readers: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for the topic's readers: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost with a body that was read
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, nil
	default:
		return nil, fmt.Errorf("ask for the topic's readers: %s", response.Status)
	}
	var stats struct {
		Subscriptions map[string]struct {
			Consumers []struct {
				Address string `json:"address"`
			} `json:"consumers"`
		} `json:"subscriptions"`
	}
	if err := json.NewDecoder(response.Body).Decode(&stats); err != nil {
		return nil, fmt.Errorf("ask for the topic's readers: %w", err)
	}
	var addresses []string
	for _, c := range stats.Subscriptions[functionName].Consumers {
		addresses = append(addresses, c.Address)
	}
	return addresses, nil
}

// replaced has an objection until there are readers, and none that was there before.
func replaced(before, after []string) error {
	if len(after) == 0 {
		return errors.New("nobody has subscribed yet")
	}
	if slices.ContainsFunc(after, func(a string) bool { return slices.Contains(before, a) }) {
		return errors.New("the process from before the update still reads")
	}
	return nil
}
