package main

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

//go:embed catalogue.tsv
var catalogueText string

// product is a row of the demo's table.
type product struct {
	title string
	body  string
	tags  []string
	price float64
}

// edition turns one product of the catalogue into several, each with a word of its own in title and text.
type edition struct {
	adjective string
	sentence  string
	factor    float64
}

var editions = []edition{
	{"Classic", "The one that most customers come back for.", 1},
	{"Compact", "Smaller and lighter than the classic, for those who carry everything themselves.", 0.85},
	{"Premium", "Better materials, longer warranty, made in small series.", 1.6},
	{"Junior", "Sized and priced for children.", 0.6},
	{"Recycled", "Made from recovered materials and free of plastic packaging.", 1.1},
}

// catalogue makes the demo's rows: every product in every edition.
func catalogue() ([]product, error) {
	r := csv.NewReader(strings.NewReader(catalogueText))
	r.Comma = '\t'
	r.LazyQuotes = true
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the demo's catalogue: %w", err)
	}
	products := make([]product, 0, len(lines)*len(editions))
	for _, e := range editions {
		for _, line := range lines {
			price, err := strconv.ParseFloat(line[2], 64)
			if err != nil {
				return nil, fmt.Errorf("price of %s: %w", line[0], err)
			}
			products = append(products, product{
				title: e.adjective + " " + line[0],
				body:  line[3] + " " + e.sentence,
				tags:  []string{line[1], strings.ToLower(e.adjective)},
				price: price * e.factor,
			})
		}
	}
	return products, nil
}
