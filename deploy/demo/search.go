package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// searcher is the operator's program, as it is called from the project's root.
const searcher = "bin/rowvec"

// questions are put in other words than the rows that answer them.
func questions() []string {
	return []string{"what to wear when it is freezing", "my back hurts at work", "cappuccino like in a bar"}
}

func searchArgs(question string, more ...string) []string {
	return append(append([]string{"search", "-f", functionFile, "--table", table}, more...), question)
}

// search shows what the operator's command finds.
func (d *demo) search(ctx context.Context) error {
	for _, q := range questions() {
		if err := d.ask(ctx, q, "--top", "3"); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) ask(ctx context.Context, question string, more ...string) error {
	args := searchArgs(question, more...)
	printed, err := d.program(ctx, shellLine(append([]string{searcher}, args...)...), searcher, args...)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	d.screen.output(printed)
	return nil
}

// hit is one result of `rowvec search --json`.
type hit struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

func (d *demo) hits(ctx context.Context, question string) ([]hit, error) {
	printed, err := output(ctx, searcher, searchArgs(question, "--json")...)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	var found struct {
		Results []hit `json:"results"`
	}
	if err := json.Unmarshal([]byte(printed), &found); err != nil {
		return nil, fmt.Errorf("read what the search printed: %w", err)
	}
	return found.Results, nil
}

// searchChanged asks for the new text of a row and for its old one.
func (d *demo) searchChanged(ctx context.Context) error {
	r := d.rewrites[0]
	d.screen.line("Row %d was %q and is now %q.", r.id, r.oldTitle, r.newTitle)
	if err := d.ask(ctx, r.newQuestion); err != nil {
		return err
	}
	found, err := d.hits(ctx, r.newQuestion)
	if err != nil {
		return err
	}
	if err := r.foundFirst(found); err != nil {
		return err
	}
	d.screen.line("The new text of row %d comes first.", r.id)
	if err := d.ask(ctx, r.oldQuestion); err != nil {
		return err
	}
	if found, err = d.hits(ctx, r.oldQuestion); err != nil {
		return err
	}
	if err := r.gone(found); err != nil {
		return err
	}
	d.screen.line("Row %d is no longer among them, nor is its old text.", r.id)
	return nil
}

// foundFirst objects unless the row's new text is the first result.
func (r rewrite) foundFirst(found []hit) error {
	want := hit{ID: strconv.FormatInt(r.id, 10), Text: r.newText()}
	if len(found) == 0 || found[0] != want {
		return fmt.Errorf("a search for %q finds %+v; expected %+v first", r.newQuestion, found, want)
	}
	return nil
}

// gone objects if the row, or its old text, is among the results.
func (r rewrite) gone(found []hit) error {
	id := strconv.FormatInt(r.id, 10)
	if i := slices.IndexFunc(found, func(h hit) bool { return h.ID == id || h.Text == r.oldText() }); i >= 0 {
		return fmt.Errorf("a search for %q still finds %+v; expected it to be gone", r.oldQuestion, found[i])
	}
	return nil
}
