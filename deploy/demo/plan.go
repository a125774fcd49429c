package main

import (
	"fmt"
	"strconv"
)

// change is one statement, and how Chroma shows that it has arrived.
type change struct {
	kind      string
	what      string
	id        int64
	statement string
	args      []any
	arrived   func(metadata map[string]any) bool // metadata is nil while there is no record
}

// rewrite is a row that gets another text, with a question for each of the texts.
type rewrite struct {
	id                       int64
	oldTitle, oldBody        string
	newTitle, newBody        string
	oldQuestion, newQuestion string
}

func (r rewrite) oldText() string { return article{Title: r.oldTitle, Body: r.oldBody}.document() }

func (r rewrite) newText() string { return article{Title: r.newTitle, Body: r.newBody}.document() }

// rewritten are the rows that get another text, without ids and old bodies.
func rewritten() []rewrite {
	return []rewrite{{
		oldTitle: "Classic hammock", oldQuestion: "parachute nylon that hangs between two trees",
		newTitle: "Folding telescope", newBody: "Shows the rings of Saturn from a balcony and fits into a coat pocket.", newQuestion: "looking at planets on a clear night",
	}, {
		oldTitle: "Junior fountain pen", oldQuestion: "steel nib for letters in real ink",
		newTitle: "Tin whistle", newBody: "Six holes, a bright tone, and a booklet with thirty Irish tunes.", newQuestion: "learning to play folk melodies",
	}}
}

// plan makes the changes for the table as it is: each kind twice, and the rewrites among them.
func plan(rows map[string]article) ([]change, []rewrite, error) {
	byTitle := make(map[string]article, len(rows))
	var last int64
	for _, a := range rows {
		byTitle[a.Title] = a
		last = max(last, a.ID)
	}
	changes := inserts(last)
	rewrites := rewritten()
	for i := range rewrites {
		r := &rewrites[i]
		a, ok := byTitle[r.oldTitle]
		if !ok {
			return nil, nil, missingRow(r.oldTitle)
		}
		r.id, r.oldBody = a.ID, a.Body
		changes = append(changes, r.change())
	}
	for _, title := range []string{"Premium espresso machine", "Recycled backpack"} {
		a, ok := byTitle[title]
		if !ok {
			return nil, nil, missingRow(title)
		}
		c, err := reprice(a)
		if err != nil {
			return nil, nil, err
		}
		changes = append(changes, c)
	}
	for _, title := range []string{"Classic spice rack", "Junior chef's knife"} {
		a, ok := byTitle[title]
		if !ok {
			return nil, nil, missingRow(title)
		}
		changes = append(changes, change{
			kind: "delete", what: a.Title, id: a.ID, statement: "DELETE FROM " + table + " WHERE id = $1", args: []any{a.ID},
			arrived: func(metadata map[string]any) bool { return metadata == nil },
		})
	}
	return changes, rewrites, nil
}

func missingRow(title string) error {
	return fmt.Errorf("the table has no row %q; expected the rows of the catalogue", title)
}

func inserts(last int64) []change {
	fresh := []product{
		{title: "Snow shovel", body: "Aluminium edge and a bent shaft that clears a driveway without a sore back.", tags: []string{"garden", "new"}, price: 34.90},
		{title: "Ukulele", body: "Four nylon strings and a mahogany body; in tune within a minute.", tags: []string{"music", "new"}, price: 79},
	}
	changes := make([]change, len(fresh))
	for i, p := range fresh {
		id := last + 1 + int64(i)
		changes[i] = change{
			kind: "insert", what: p.title, id: id, statement: insertRow, args: []any{id, p.title, p.body, price(p.price), p.tags},
			arrived: func(metadata map[string]any) bool { return metadata["title"] == p.title },
		}
	}
	return changes
}

func (r rewrite) change() change {
	return change{
		kind: "new text", what: r.oldTitle + " → " + r.newTitle, id: r.id,
		statement: "UPDATE " + table + " SET title = $2, body = $3 WHERE id = $1", args: []any{r.id, r.newTitle, r.newBody},
		arrived: func(metadata map[string]any) bool { return metadata["title"] == r.newTitle },
	}
}

// reprice takes ten per cent off: metadata changes, the text and so the vector stay.
func reprice(a article) (change, error) {
	old, err := strconv.ParseFloat(a.Price, 64)
	if err != nil {
		return change{}, fmt.Errorf("price of row %d: %w", a.ID, err)
	}
	lower := price(old * 0.9)
	return change{
		kind: "new price", what: a.Title + ", " + a.Price + " → " + lower, id: a.ID,
		statement: "UPDATE " + table + " SET price = $2::text::numeric WHERE id = $1", args: []any{a.ID, lower},
		arrived: func(metadata map[string]any) bool { return metadata["price"] == lower },
	}, nil
}
