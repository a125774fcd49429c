import { unknown } from '../format'
import type { Change } from '../wire'

/** How many changes came after the one that a list began with when it stood still. */
export function newer(all: Change[], first: Change | undefined): number {
  if (!first) return all.length
  const at = all.indexOf(first)
  return at < 0 ? all.length : at
}

/** What stands in the place of a row's name where a change has none: only a truncate is of all rows, a message may be of none. */
export function rowless(c: Change): string {
  return c.operation === 'truncate' ? 'all rows' : unknown
}
