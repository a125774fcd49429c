package indexer

import (
	"slices"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// A text has a version of its own, because a change may know its row and not the row's text: Postgres does not log a large column that
// an update left as it was. Such a change advances the row's version and leaves the text's, so that an older change that carried
// the text may still bring it, from the dead-letter topic, say (design §4).

// bringsText reports whether a change that is older than the stored row may be newer than the row's text, or be the one that the text
// was left unfinished by.
func bringsText(it *item, stored *document.State) bool {
	return stored != nil && it.Change.After != nil && it.Change.Op != connector.Delete &&
		stored.TextVersion.StaleAgainst(stored.Version) && !it.Change.Version.StaleAgainst(stored.TextVersion)
}

// retext decides on such a change. It sets the text and nothing else of the row.
func (p planner) retext(d *decision, it *item, stored *document.State) error {
	d.version = stored.Version
	doc, err := p.builder.Draft(it.Change)
	if err != nil {
		return err
	}
	if len(doc.Missing) > 0 || doc.Empty {
		d.action = skip // it brings none; and what a newer change left as it was is large, so the row's text is not the empty one
		return nil
	}
	text := it.Change.Version
	switch {
	case it.fetched:
		text = stored.Version
	case doc.TextFits(stored):
	case text.SameChange(stored.TextVersion):
		d.action = skip // the text is there, and made otherwise today
		return nil
	case p.fetches:
		d.action, d.columns = fetch, doc.TextColumns()
		return nil
	default:
		return &fault{
			class: ClassPoison, reason: reasonOutdatedText,
			text: "a newer change of the row has other values in columns of the text, and did not carry those that this one has: the text " +
				"can be made of neither; set postgres.url, or update the row, and send it again",
		}
	}
	doc.Under(stored, text)
	if d.action = index; sameText(doc, stored) {
		if d.action = refresh; !d.newerText(doc, stored) {
			d.action = skip
			return nil
		}
	}
	return d.write(doc, stored)
}

// reasonOutdatedText is the reason of a change whose text fits neither its own row nor a newer one.
const reasonOutdatedText = "outdated_text"

// draft makes the document of a change. Columns of the text that it lacks are taken from older changes at hand, which is what they
// had been waiting for; else, if the others are unchanged, the stored text stays; else they are read from the table; else the change is
// poison.
func (p planner) draft(d *decision, c *connector.Change, others []*item, k known) (*document.Document, error) {
	doc, err := p.builder.Draft(c)
	if err != nil {
		return nil, err
	}
	if len(doc.Missing) > 0 {
		if filled, version, ok := fill(c, doc.Missing, others, k.stored); ok {
			whole, err := p.builder.Draft(filled)
			switch {
			case err != nil:
				return nil, err
			case !whole.Empty: // a large value makes no empty text: it came with a change that is not at hand
				whole.FilledFrom(version, doc.Missing)
				doc = whole
			}
		}
	}
	lost := doc.Lost(k.stored)
	switch {
	// Where a text was left unfinished, the change that brings it comes again. But that may be this very one, read from the table.
	case doc.TextUnchanged(k.stored) && (!p.fetches || len(lost) == 0 && k.stored.Fingerprint != ""):
		return doc, nil
	case len(doc.Missing)+len(lost) > 0 && p.fetches:
		d.action, d.columns = fetch, slices.Concat(doc.Missing, lost)
		return nil, nil
	default:
		return doc, p.builder.Complete(c, doc)
	}
}

// fill completes a change from older ones that carry what it lacks, the newest first. It goes back no further than to a deletion, and
// not behind the stored text. version is the oldest of those that it took from: the text is known to be right as of then, and a change in
// between that is still to come may bring a later one.
func fill(c *connector.Change, lacked []string, others []*item, stored *document.State) (*connector.Change, connector.Version, bool) {
	older := slices.DeleteFunc(slices.Clone(others), func(it *item) bool { return !it.Change.Version.StaleAgainst(c.Version) })
	slices.SortStableFunc(older, func(a, b *item) int { return b.Change.Version.Compare(a.Change.Version) })
	found := make(connector.Row)
	var version connector.Version
	for _, it := range older {
		v := it.Change.Version
		if it.Change.Op == connector.Delete || stored != nil && v.StaleAgainst(stored.TextVersion) {
			break
		}
		for _, name := range lacked {
			value, has := it.Change.After[name]
			if _, gone := value.(connector.Unavailable); gone || !has {
				continue
			}
			if _, taken := found[name]; !taken {
				found[name], version = value, v
			}
		}
	}
	if len(found) < len(lacked) {
		return nil, version, false
	}
	return c.With(found), version, true
}
