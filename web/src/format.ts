// Figures as people read them. What is not known is a dash, never a 0.

export const unknown = '–'

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** 1,234,567; from ten million on 12.3 M. */
export function count(n: number | null | undefined): string {
  if (n === null || n === undefined) return unknown
  if (n < 1e7) return whole.format(n)
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} M` : `${(n / 1e9).toFixed(1)} G`
}

/** The sum of some figures; "≥" where not all of them are known. */
export function total(figures: (number | null | undefined)[]): string {
  const known = figures.filter((f) => f !== null && f !== undefined)
  if (known.length === 0) return unknown
  return (known.length < figures.length ? '≥ ' : '') + count(known.reduce((a, b) => a + b, 0))
}

/** A rate: one decimal below 100. */
export function rate(n: number): string {
  if (n === 0) return '0'
  return n < 100 ? n.toFixed(1) : whole.format(n)
}

/** A duration given in milliseconds: 0.4 ms, 12 ms, 1.3 s, 2 min 5 s, 3 h 20 min, 4 d 2 h. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return unknown
  if (ms < 9.95) return ms < 0.05 ? '0 ms' : `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(ms < 9_950 ? 2 : 1)} s`
  return long(Math.round(ms / 1_000))
}

function long(seconds: number): string {
  const parts: [number, string, number, string][] = [
    [86_400, 'd', 3_600, 'h'],
    [3_600, 'h', 60, 'min'],
    [60, 'min', 1, 's'],
  ]
  for (const [big, bigUnit, small, smallUnit] of parts) {
    if (seconds < big) continue
    const rest = Math.floor((seconds % big) / small)
    const head = `${Math.floor(seconds / big)} ${bigUnit}`
    return rest === 0 ? head : `${head} ${rest} ${smallUnit}`
  }
  return `${seconds} s`
}

/** How long ago a time was, with one unit: now, 12 s ago, 3 min ago. */
export function ago(time: number | null | undefined, now: number): string {
  if (!time) return unknown
  const seconds = Math.floor((now - time) / 1_000)
  if (seconds < 1) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

/** A share of 1 in percent. It says 100 only of the whole. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return unknown
  if (share >= 1) return '100 %'
  const p = Math.floor(share * 1_000) / 10
  return `${p.toFixed(1)} %`
}

/** A time of day, of this machine's place. */
export function clock(time: number): string {
  return new Date(time).toLocaleTimeString('en-GB')
}

/** A word of the wire as people write it: metadata_only is "metadata only". */
export function words(word: string): string {
  return word.replaceAll('_', ' ')
}

/** A metadata value. A list of words is shown as people write one. */
export function value(v: unknown): string {
  if (typeof v === 'string') return v
  if (Array.isArray(v) && v.length > 0 && v.every(isWord)) return v.join(', ')
  if (v === null || v === undefined) return 'null'
  return typeof v === 'object' ? JSON.stringify(v) : String(v)
}

const isWord = (v: unknown): boolean => typeof v === 'number' || (typeof v === 'string' && v !== '' && !/[,"\n]/.test(v))
