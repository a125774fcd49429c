import type { Change } from '../wire'

/** How many changes came after the one that a list began with when it stood still. */
export function newer(all: Change[], first: Change | undefined): number {
  if (!first) return all.length
  const at = all.indexOf(first)
  return at < 0 ? all.length : at
}
