import type { Question } from '../wire'

/** What stands in the search form, all of it as text. */
export interface Form {
  target: string // table:NAME or collection:NAME
  query: string
  where: string
  contains: string
  minScore: string
  topK: string
  chunks: boolean // each chunk a result of its own
}

export const emptyForm: Form = { target: '', query: '', where: '', contains: '', minScore: '', topK: '10', chunks: false }

/** Faults of the form, by field. */
export type Faults = Partial<Record<keyof Form, string>>

/** The form as a question, or what is wrong with it. */
export function ask(form: Form): { question?: Question; faults: Faults } {
  const faults: Faults = {}
  const question: Question = { query: form.query.trim(), topK: Number(form.topK) || 10 }
  if (!question.query) faults.query = 'Write what to look for.'
  const [kind, ...name] = form.target.split(':')
  if (kind === 'table') question.table = name.join(':')
  if (kind === 'collection') question.collection = name.join(':')
  const where = parseWhere(form.where)
  if (typeof where === 'string') faults.where = where
  else if (where) question.where = where
  if (form.contains) question.contains = form.contains
  if (form.minScore.trim() !== '') {
    const score = Number(form.minScore)
    if (Number.isFinite(score)) question.minScore = score
    else faults.minScore = 'Expected a number, such as 0.7.'
  }
  if (form.chunks) question.groupByRow = false
  return Object.keys(faults).length > 0 ? { faults } : { question, faults }
}

function parseWhere(text: string): Record<string, unknown> | string | undefined {
  if (text.trim() === '') return undefined
  try {
    const where: unknown = JSON.parse(text)
    if (typeof where === 'object' && where !== null && !Array.isArray(where)) return where as Record<string, unknown>
  } catch {
    // told below
  }
  return 'Expected a JSON object, such as {"price": {"$lt": 50}}.'
}

/** The field that a fault of the gateway's belongs to: body.where.price is where. */
export function fieldOf(location: string | undefined): keyof Form | undefined {
  const name = location?.split('.')[1]?.split('[')[0]
  switch (name) {
    case 'where':
    case 'contains':
    case 'minScore':
    case 'query':
    case 'topK':
      return name
    case 'table':
    case 'collection':
      return 'target'
    default:
      return undefined
  }
}
