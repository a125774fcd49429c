package indexer

// bisect runs op on items. When op fails as poison the first culprit is searched by halves, and what comes after it is tried as a whole again: one bad
// item must not fail those that happened to travel with it. failed gets every item that op could not do: a single one with its poison error, or a part
// with the error that ended it. An item is never condemned unless it failed alone, because some refusals are of a sum.
//
// Where bad items are rare no search by yes and no needs much less (Hwang's generalized binary splitting): what is beside the culprit's half is most
// likely good, so it waits and goes with the rest.
func bisect[T any](items []T, op func([]T) error, failed func([]T, error)) {
	for len(items) > 0 {
		err := op(items)
		if err == nil {
			return
		}
		if len(items) == 1 || Classify(err) != ClassPoison {
			failed(items, err)
			return
		}
		items = items[throughCulprit(items, op, failed):]
	}
}

// throughCulprit does items that failed together up to and with the first one at fault, and returns how many. After a good half the other one is known
// to be bad, and is halved untried.
func throughCulprit[T any](items []T, op func([]T) error, failed func([]T, error)) (done int) {
	for len(items) > 1 {
		half := len(items) / 2
		err := op(items[:half])
		switch {
		case err == nil:
			done, items = done+half, items[half:]
		case half == 1 || Classify(err) != ClassPoison:
			failed(items[:half], err)
			return done + half
		default:
			items = items[:half]
		}
	}
	if err := op(items); err != nil {
		failed(items, err)
	}
	return done + 1
}
