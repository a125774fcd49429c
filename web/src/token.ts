import { createSignal } from 'solid-js'

const key = 'rowvec.token'

function stored(): string {
  try {
    return sessionStorage.getItem(key) ?? ''
  } catch {
    return '' // a browser that keeps nothing
  }
}

const [token, set] = createSignal(stored())

export { token }

/** Keeps the token until the tab is closed; an empty one is forgotten. */
export function setToken(value: string): void {
  set(value)
  try {
    if (value) sessionStorage.setItem(key, value)
    else sessionStorage.removeItem(key)
  } catch {
    // it is asked for again with the next load
  }
}
