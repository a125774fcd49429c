export interface Part {
  text: string
  marked: boolean
}

/** Cuts a text at every place where it contains another, letter by letter as the filter does. */
export function parts(text: string, contains: string): Part[] {
  if (contains === '') return [{ text, marked: false }]
  const out: Part[] = []
  let from = 0
  for (let at = text.indexOf(contains); at >= 0; at = text.indexOf(contains, from)) {
    if (at > from) out.push({ text: text.slice(from, at), marked: false })
    out.push({ text: contains, marked: true })
    from = at + contains.length
  }
  if (from < text.length || out.length === 0) out.push({ text: text.slice(from), marked: false })
  return out
}

const most = 400

/** The beginning of a text, cut between two characters. */
export function beginning(text: string): string {
  return text.length <= most ? text : text.slice(0, most).replace(/[\uD800-\uDBFF]$/, '') + '…'
}
