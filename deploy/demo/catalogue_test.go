package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	products, err := catalogue()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(products), 300)
	titles, documents := map[string]bool{}, map[string]bool{}
	for _, p := range products {
		require.False(t, titles[p.title], "%s is there twice", p.title)
		titles[p.title] = true
		document := article{Title: p.title, Body: p.body}.document()
		require.False(t, documents[document], document)
		documents[document] = true
		require.Greater(t, p.price, 1.0, p.title)
		require.Less(t, p.price, 2000.0, p.title)
		require.Greater(t, len(p.body), 60, p.title)
		require.Len(t, p.tags, 2, p.title)
	}
	require.Equal(t, product{
		title: "Junior chef's knife", price: 79 * 0.6, tags: []string{"kitchen", "junior"},
		body: "Forged blade with a full tang that slices tomatoes and breaks down a squash. Sized and priced for children.",
	}, products[3*len(products)/len(editions)+20])
}

func TestPriceIsWhatADecimalOfTheTableHolds(t *testing.T) {
	t.Parallel()
	require.Equal(t, "47.40", price(79*0.6))
	require.Equal(t, "449.00", price(449))
	require.Equal(t, "5.70", price(9.5*0.6))
}
