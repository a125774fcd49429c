package indexer

// bisect runs op on items. When op fails as poison it is run on the halves, and so on, until the culprits stand alone: one bad item
// must not fail those that happened to travel with it. failed gets every item that op could not do: a single one with its poison
// error, or a part with the error that ended it.
func bisect[T any](items []T, op func([]T) error, failed func([]T, error)) {
	err := op(items)
	switch {
	case err == nil:
	case len(items) > 1 && Classify(err) == ClassPoison:
		half := len(items) / 2
		bisect(items[:half], op, failed)
		bisect(items[half:], op, failed)
	default:
		failed(items, err)
	}
}
