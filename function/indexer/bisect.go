package indexer

// bisect runs op on items. When op fails as poison the first culprit is searched by halves, and what comes after it is tried as a whole again: one bad
// item must not fail those that happened to travel with it. failed gets every item that op could not do: a single one with its poison error, or a part
// with the error that ended it. An item is never condemned unless it failed alone, because some refusals are of a sum.
//
// Where bad items are rare no search by yes and no needs much less (Hwang's generalized binary splitting): what is beside the culprit's half is most
// likely good, so it waits and goes with the rest.
func bisect[T any](items []T, op func([]T) error, failed func([]T, error)) {
	tried, culprits := 0, 0
	for len(items) > 0 {
		n := likelyGood(len(items), tried, culprits)
		if err := op(items[:n]); err != nil {
			culprits++
			if n == 1 || Classify(err) != ClassPoison {
				failed(items[:n], err)
			} else {
				n = throughCulprit(items[:n], op, failed)
			}
		}
		tried, items = tried+n, items[n:]
	}
}

// likelyGood is how many of n items to try at once, after so many tries and culprits among them: all, until culprits turn out not to be rare; then as
// many as there were to one. So items that are all bad are tried one by one, and not searched for the first one at fault each time.
func likelyGood(n, tried, culprits int) int {
	if culprits < 3 {
		return n
	}
	return min(n, max(1, tried/culprits))
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
