import { Trouble, type Api } from '../api'
import type { Answer, Neighbours, Question, Row } from '../wire'

/** One place of the walk: what was asked, and what came. */
export type Stop =
  | { kind: 'search'; question: Question; answer: Answer }
  | RowStop

/** A row and what is similar to it. Where one of the two could not be had, trouble says why. */
export interface RowStop {
  kind: 'row'
  table: string
  id: string
  row: Row | undefined
  near: Neighbours | undefined
  trouble: Trouble | undefined
  took: number
}

const nearest = 10

/** Asks for both at once. It fails where neither comes, where a token is wanted, and when it is given up. */
export async function rowStop(api: Api, table: string, id: string, signal: AbortSignal): Promise<RowStop> {
  const start = performance.now()
  const [row, near] = await Promise.allSettled([api.row(table, id, signal), api.similar(table, id, nearest, signal)])
  const faults = [row, near].flatMap((r): unknown[] => (r.status === 'rejected' ? [r.reason] : []))
  const grave = faults.find((e) => !(e instanceof Trouble) || e.status === 401)
  if (grave !== undefined) throw grave
  if (faults.length === 2) throw faults[0]
  return {
    kind: 'row', table, id, row: came(row), near: came(near), trouble: faults[0] as Trouble | undefined, took: performance.now() - start,
  }
}

const came = <T>(r: PromiseSettledResult<T>): T | undefined => (r.status === 'fulfilled' ? r.value : undefined)
