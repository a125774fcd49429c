import type { Answer, Neighbours, Question, Row } from './wire'

/** What went wrong with a request, in words for a person: a problem document (RFC 9457), or that nobody answered. */
export class Trouble extends Error {
  override name = 'Trouble'

  constructor(
    /** The HTTP status; 0: no answer. */
    readonly status: number,
    message: string,
    /** The faults of the request by field, such as body.where. */
    readonly faults: { location?: string; message: string }[] = [],
    /** Seconds to wait, where the gateway said so. */
    readonly retryAfter = 0,
  ) {
    super(message)
  }
}

/** The gateway's API, as one person with one token uses it. */
export class Api {
  constructor(
    private readonly token: () => string,
    private readonly get: typeof fetch = (...a) => fetch(...a),
  ) {}

  search(question: Question, signal?: AbortSignal): Promise<Answer> {
    const init: RequestInit = { method: 'POST', body: JSON.stringify(question) }
    return this.#ask<Answer>('/v1/search', init, signal)
  }

  row(table: string, id: string, signal?: AbortSignal): Promise<Row> {
    return this.#ask<Row>(path(table, id), {}, signal)
  }

  similar(table: string, id: string, topK: number, signal?: AbortSignal): Promise<Neighbours> {
    return this.#ask<Neighbours>(`${path(table, id)}/similar?topK=${topK}`, {}, signal)
  }

  async #ask<T>(url: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' }
    if (init.body) headers['Content-Type'] = 'application/json'
    if (this.token()) headers['Authorization'] = `Bearer ${this.token()}`
    let response: Response
    try {
      response = await this.get(url, { ...init, headers, cache: 'no-store', signal: signal ?? null })
    } catch (e) {
      if (signal?.aborted) throw e
      throw new Trouble(0, 'The gateway does not answer.')
    }
    if (!response.ok) throw await trouble(response)
    return (await response.json()) as T
  }
}

/** Browsers take a dot, and two, for folders, in any spelling; the gateway reads them encoded once more. */
function dotless(id: string): string {
  return id === '.' || id === '..' ? id.replaceAll('.', '%2E') : id
}

function path(table: string, id: string): string {
  return `/v1/tables/${encodeURIComponent(table)}/rows/${encodeURIComponent(dotless(id))}`
}

/** A trouble as it is shown. */
export function told(t: Trouble): string {
  return t.message + (t.retryAfter > 0 ? ` (try again in ${t.retryAfter} s)` : '')
}

interface Problem {
  title?: string
  detail?: string
  errors?: { location?: string; message: string }[]
}

/** The problem document of an answer: empty where a proxy's page came, or nothing. */
export async function problem(response: Response): Promise<Problem> {
  try {
    return ((await response.json()) as Problem | null) ?? {}
  } catch {
    return {}
  }
}

async function trouble(response: Response): Promise<Trouble> {
  const p = await problem(response)
  const words = p.detail || p.title || response.statusText || 'The gateway answered with an error'
  return new Trouble(response.status, words, p.errors ?? [], Number(response.headers.get('Retry-After') ?? '0') || 0)
}
