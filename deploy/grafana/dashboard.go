// Package grafana has the dashboard of rowvec, for Grafana 10 and newer, and reads it for the tests that hold it to the code.
package grafana

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed rowvec.json
var dashboard []byte

// Dashboard is what the tests look at of Grafana's dashboard model.
type Dashboard struct {
	UID        string  `json:"uid"`
	Title      string  `json:"title"`
	Panels     []Panel `json:"panels"`
	Templating struct {
		List []Variable `json:"list"`
	} `json:"templating"`
}

// Variable is a choice above the panels.
type Variable struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Definition string `json:"definition"` // of type query: label_values(series, label)
}

// Panel is a panel, or a row's heading (type row), which has no queries.
type Panel struct {
	ID          int     `json:"id"`
	Type        string  `json:"type"`
	Title       string  `json:"title"`
	Description string  `json:"description"`
	Grid        Grid    `json:"gridPos"`
	Queries     []Query `json:"targets"`
	Options     Options `json:"options"`
	Field       struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
}

// Options are how a panel looks.
type Options struct {
	Legend *struct {
		ShowLegend bool `json:"showLegend"`
		Show       bool `json:"show"` // of a heatmap
	} `json:"legend"`
	Tooltip *struct {
		Mode string `json:"mode"`
	} `json:"tooltip"`
}

// Grid is a panel's place, in Grafana's grid of 24 columns.
type Grid struct {
	X      int `json:"x"`
	Y      int `json:"y"`
	Width  int `json:"w"`
	Height int `json:"h"`
}

// Query is one query of a panel.
type Query struct {
	Ref        string `json:"refId"`
	Expr       string `json:"expr"`
	Legend     string `json:"legendFormat"`
	Datasource struct {
		UID string `json:"uid"`
	} `json:"datasource"`
}

// Read returns the dashboard that rowvec.json describes.
func Read() (*Dashboard, error) {
	d := &Dashboard{}
	if err := json.Unmarshal(dashboard, d); err != nil {
		return nil, fmt.Errorf("read rowvec.json: %w", err)
	}
	return d, nil
}
