import type { LinkState } from '../live/link'
import type { Status } from '../wire'

export interface Message {
  kind: 'bad' | 'warn' | 'quiet'
  title: string
  text: string
}

const states: Record<string, [kind: Message['kind'], title: string, otherwise: string]> = {
  retrying: ['warn', 'The function is retrying.', 'It goes on by itself once what it needs answers again.'],
  halted: ['bad', 'The function has halted.', 'It waits for somebody to repair its configuration.'],
  away: ['bad', 'The function is away.', 'No instance of it runs: changes wait in the topic, and the index gets older.'],
  unknown: ['quiet', 'The state of the function is not known.', ''],
}

/** What the banner says: of the gateway before the function, for without the one the other is not known. */
export function message(link: LinkState, status: Status | undefined, stale: boolean): Message | undefined {
  switch (link.kind) {
    case 'waiting':
      return { kind: 'bad', title: `${link.why};`, text: '' }
    case 'token':
      return { kind: 'warn', title: 'The gateway wants a token.', text: '' }
    case 'connecting':
      return status ? { kind: 'quiet', title: 'Connecting to the gateway …', text: '' } : undefined
    case 'open':
      if (stale) return { kind: 'warn', title: 'The gateway is slow:', text: 'its figures are some seconds old.' }
  }
  const state = status && states[status.state]
  if (!status || !state) return undefined
  const [kind, title, otherwise] = state
  return { kind, title, text: status.cause ? sentence(status.cause) : otherwise }
}

/** A cause as a sentence: it ends with a stop, and begins with a capital unless the first word is a name, such as of a setting. */
export function sentence(text: string): string {
  const t = text.trim()
  const head = /^[a-z]+(?=[\s,;:]|$)/.test(t) ? t[0]!.toUpperCase() + t.slice(1) : t
  return head === '' || /[.!?…]$/.test(head) ? head : `${head}.`
}
