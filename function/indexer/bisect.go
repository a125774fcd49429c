package indexer

// bisect runs op on items. When op fails as poison it is run on the halves, and so on, until the culprits stand alone: one bad item
// must not fail those that happened to travel with it. failed gets every item that op could not do: a single one with its poison
// error, or a part with the error that ended it.
func bisect[T any](items []T, op func([]T) error, failed func([]T, error)) {
	halve(items, false, op, failed)
}

// halve is bisect of items that are suspect: the half that travelled with them is good, so a culprit is among them, and they are halved
// again without being tried as a whole. An item is never condemned unless it failed alone, because some refusals are of a sum.
func halve[T any](items []T, suspect bool, op func([]T) error, failed func([]T, error)) (good bool) {
	if !suspect || len(items) == 1 {
		err := op(items)
		if err == nil {
			return true
		}
		if len(items) == 1 || Classify(err) != ClassPoison {
			failed(items, err)
			return false
		}
	}
	half := len(items) / 2
	good = halve(items[:half], false, op, failed)
	halve(items[half:], good, op, failed)
	return false
}
