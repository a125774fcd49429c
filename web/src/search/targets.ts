import type { Hello, Status } from '../wire'

export interface Target {
  value: string
  name: string
}

/** What can be searched: every table, and every collection that several tables share. */
export function targets(hello: Hello | undefined, status: Status | undefined): Target[] {
  const tables = (hello?.tables ?? []).map((t) => ({ value: `table:${t.table}`, name: t.table }))
  const sharing = new Map<string, number>()
  for (const t of status?.tables ?? []) sharing.set(t.collection, (sharing.get(t.collection) ?? 0) + 1)
  const shared = [...sharing].filter(([, n]) => n > 1).map(([c, n]) => ({ value: `collection:${c}`, name: `${c} (${n} tables)` }))
  return [...tables, ...shared]
}
