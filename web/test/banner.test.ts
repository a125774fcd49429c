import { expect, test } from 'vitest'
import { message, sentence } from '../src/parts/banner'
import type { State } from '../src/wire'
import { status } from './world'

test('says nothing while all is well', () => {
  expect(message({ kind: 'open' }, status(), false)).toBeUndefined()
  expect(message({ kind: 'open' }, undefined, false)).toBeUndefined()
  expect(message({ kind: 'connecting' }, undefined, false)).toBeUndefined()
})

test('says that the gateway is away before anything of the function', () => {
  const m = message({ kind: 'waiting', until: 0, why: 'The gateway does not answer' }, status({ state: 'halted' }), true)
  expect(m).toEqual({ kind: 'bad', title: 'The gateway does not answer;', text: '' })
})

test.each<[State, string]>([['retrying', 'retrying'], ['halted', 'halted'], ['away', 'away'], ['unknown', 'not known']])('says that the function is %s, and why', (state, word) => {
  const m = message({ kind: 'open' }, status({ state, cause: 'the model changed: "a" before, "b" now' }), false)
  expect(m?.title).toContain(word)
  expect(m?.text).toBe('The model changed: "a" before, "b" now.')
})

test('says what being away means where no cause is told', () => {
  expect(message({ kind: 'open' }, status({ state: 'away' }), false)?.text).toContain('No instance')
})

test('a state of a later version is no banner', () => {
  expect(message({ kind: 'open' }, status({ state: 'dreaming' as State }), false)).toBeUndefined()
})

test('says that figures are old though the stream is open', () => {
  expect(message({ kind: 'open' }, status(), true)?.kind).toBe('warn')
})

test('a token is wanted', () => {
  expect(message({ kind: 'token', refused: true }, undefined, true)?.title).toContain('token')
})

test.each([['', ''], ['no instance runs', 'No instance runs.'], ['Why?', 'Why?'], ['embedding.model is "b"', 'embedding.model is "b".'], ['app_x: gone', 'app_x: gone.']])('sentence %j', (text, s) => expect(sentence(text)).toBe(s))
