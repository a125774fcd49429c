import { createSignal } from 'solid-js'

export type Choice = 'auto' | 'light' | 'dark'

const key = 'rowvec.theme'
const darkMedia = matchMedia('(prefers-color-scheme: dark)')

function stored(): Choice {
  try {
    const c = localStorage.getItem(key)
    return c === 'light' || c === 'dark' ? c : 'auto'
  } catch {
    return 'auto'
  }
}

const [choice, setChoice] = createSignal<Choice>(stored())
const [dark, setDark] = createSignal(false)

/** choice is what the person wants; dark is what it comes to. */
export { choice, dark }

function apply(): void {
  const isDark = choice() === 'dark' || (choice() === 'auto' && darkMedia.matches)
  document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light'
  setDark(isDark)
}

/** Goes on to the next choice: as the system, light, dark. */
export function nextTheme(): void {
  const next: Choice = choice() === 'auto' ? (darkMedia.matches ? 'light' : 'dark') : choice() === 'light' ? 'dark' : 'light'
  const system = darkMedia.matches ? 'dark' : 'light'
  setChoice(next === system ? 'auto' : next)
  try {
    if (choice() === 'auto') localStorage.removeItem(key)
    else localStorage.setItem(key, choice())
  } catch {
    // it holds for this load
  }
  apply()
}

/** Follows the system's choice from now on. */
export function startTheme(): void {
  darkMedia.addEventListener('change', apply)
  apply()
}
