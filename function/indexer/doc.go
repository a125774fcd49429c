// Package indexer turns changes of rows into writes of a vector index: it batches what waits, plans, embeds, writes and tells each
// record's outcome. It knows nothing of Pulsar; the endpoint and the index are behind the interfaces in ports.go.
//
// A record's way: Table.Submit (table.go) puts it in line (queue.go), a batch takes it when a slot and its row are free
// (dispatcher.go), a pass of the batch (pass.go) looks up what the index knows (known.go), plans (plan.go, text.go), reads what a change
// lacks from the table (fetch.go) while the row is set aside (aside.go), has the texts embedded (embed.go), sets those aside that the endpoint fails on while it takes others (stall.go, vouch.go, line.go, revive.go), and hands each row as a job (job.go) to the collection's Writer
// (writer.go), which fences (fence.go) and writes groups of rows (group.go), has those embedded anew whose vectors are of a size that the index does not take (misfit.go), and remembers those that are gone (tombstones.go). Then the
// record is settled, once. A truncate (truncate.go) leaves a mark (marks.go) and a sweep (sweep.go, lease.go) of what is dead (dead.go). Every call to the outside runs in one loop (retry.go) that waits out what can pass,
// halts on what a setting must cure (condition.go tells so) and lets through what is the record's own fault, bisected (bisect.go)
// down to the record.
//
// Locks, in the order in which they may be taken: conditions.publishing, Table.mu, conditions.mu. Writer.mu and the openers' are taken
// alone. Goroutines: one per batch in work, one that sweeps and four that see to rows set aside (Table.work), its embedding workers (awaited by the pass), Writer.Run (its caller's), the
// sweep of tombstones (awaited by Run), and one that ends a drain (awaited by Drain).
package indexer
