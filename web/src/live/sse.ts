/** One server-sent event. `id` is the last id that the stream told, which this event may or may not have carried itself. */
export interface ServerEvent {
  event: string
  data: string
  id: string
}

/**
 * Parser of a stream of server-sent events (WHATWG HTML §9.2.6). EventSource cannot send a token, so the page reads the stream itself.
 * Text comes in pieces cut anywhere; an event comes out once its blank line is there.
 */
export class Parser {
  /** The reconnection time that the server asked for, in milliseconds. */
  retry: number | undefined
  #rest = ''
  #first = true
  #event = ''
  #data: string[] = []
  #id: string
  #lastId: string

  /** `lastId` is the id that the stream resumes after. */
  constructor(lastId = '') {
    this.#id = this.#lastId = lastId
  }

  /** The id of the last whole event: where a stream breaks off within an event, that event is still to come. */
  get lastId(): string {
    return this.#lastId
  }

  push(text: string): ServerEvent[] {
    if (this.#first && text !== '') {
      this.#first = false
      if (text.startsWith('\uFEFF')) text = text.slice(1)
    }
    const events: ServerEvent[] = []
    let rest = this.#rest + text
    for (;;) {
      const end = rest.search(/[\r\n]/)
      // A carriage return at the end may be half of a line break: what follows it decides.
      if (end < 0 || (rest[end] === '\r' && end === rest.length - 1)) break
      const line = rest.slice(0, end)
      rest = rest.slice(end + (rest.startsWith('\r\n', end) ? 2 : 1))
      const event = this.#line(line)
      if (event) events.push(event)
    }
    this.#rest = rest
    return events
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') return this.#dispatch()
    if (line.startsWith(':')) return undefined
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    let value = colon < 0 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    this.#field(field, value)
    return undefined
  }

  #field(field: string, value: string): void {
    switch (field) {
      case 'event':
        this.#event = value
        break
      case 'data':
        this.#data.push(value)
        break
      case 'id':
        if (!value.includes('\0')) this.#id = value
        break
      case 'retry':
        if (/^\d+$/.test(value)) this.retry = Number(value)
    }
  }

  #dispatch(): ServerEvent | undefined {
    const data = this.#data
    const event = this.#event || 'message'
    this.#data = []
    this.#event = ''
    this.#lastId = this.#id
    return data.length === 0 ? undefined : { event, data: data.join('\n'), id: this.#id }
  }
}
