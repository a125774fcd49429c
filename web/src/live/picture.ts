import type { Change, Hello, Status, Tick } from '../wire'
import type { ServerEvent } from './sse'

export const maxTicks = 300
export const maxChanges = 200

/** All that the page knows of the index. It is never changed in place. */
export interface Picture {
  hello: Hello | undefined
  status: Status | undefined
  ticks: Tick[] // oldest first, at most maxTicks
  changes: Change[] // newest first, at most maxChanges
  heard: number // changes since the page was opened, those left out of the stream not counted
  skew: number // the gateway's clock less this one's, in milliseconds
}

export const blank: Picture = { hello: undefined, status: undefined, ticks: [], changes: [], heard: 0, skew: 0 }

/** The picture after some events. `now` is this machine's time. Events that are not known, or not JSON, change nothing. */
export function reduce(picture: Picture, events: ServerEvent[], now: number): Picture {
  const next: Picture = { ...picture, ticks: [...picture.ticks], changes: [...picture.changes] }
  for (const e of events) {
    const body = parse(e.data)
    if (body !== undefined) take(next, e.event, body, now)
  }
  next.ticks = next.ticks.slice(-maxTicks)
  next.changes = next.changes.slice(0, maxChanges)
  return next
}

function take(p: Picture, event: string, body: unknown, now: number): void {
  switch (event) {
    case 'hello':
      p.hello = body as Hello
      p.skew = p.hello.now - now
      break
    case 'history': // a new start: the changes before it follow
      p.ticks = (body as { ticks: Tick[] }).ticks
      p.changes = []
      break
    case 'tick':
      p.ticks.push(body as Tick)
      p.skew = (body as Tick).time - now
      break
    case 'change':
      p.changes.unshift(body as Change)
      p.heard++
      break
    case 'status':
      p.status = body as Status
  }
}

function parse(data: string): unknown {
  try {
    const body: unknown = JSON.parse(data)
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return undefined
  }
}
