import { createEffect, createMemo, createSignal, For, onCleanup, onMount, Show, type JSX } from 'solid-js'
import { createStore } from 'solid-js/store'
import { told } from '../api'
import { hello, status } from '../live/live'
import { ask, emptyForm, fieldOf, type Faults, type Form } from './question'
import { Results } from './Results'
import { busy, clearWalk, search, stops, trouble } from './walk'
import { targets } from './targets'

/** The search form, its results, and the walk from one to the next. */
export function SearchPanel(): JSX.Element {
  const [form, setForm] = createStore<Form>({ ...emptyForm })
  const [faults, setFaults] = createSignal<Faults>({})
  let box!: HTMLInputElement
  const choices = createMemo(() => targets(hello(), status()))
  createEffect(() => {
    if (!choices().some((c) => c.value === form.target)) setForm('target', choices()[0]?.value ?? '')
  })
  createEffect(() => {
    const told: Faults = {}
    for (const f of trouble()?.faults ?? []) told[fieldOf(f.location) ?? 'query'] = f.message
    setFaults(told)
  })
  const submit = (e: SubmitEvent): void => {
    e.preventDefault()
    const asked = ask(form)
    setFaults(asked.faults)
    if (asked.question) void search(asked.question)
  }
  onMount(() => {
    const slash = (e: KeyboardEvent): void => {
      if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey || typing(e.target)) return
      e.preventDefault()
      box.focus()
      box.select()
    }
    document.addEventListener('keydown', slash)
    onCleanup(() => document.removeEventListener('keydown', slash))
  })
  const escape = (e: KeyboardEvent): void => {
    if (e.key !== 'Escape') return
    setForm('query', '')
    clearWalk()
  }
  return (
    <section class="search" aria-label="Search" data-testid="search">
      <form role="search" onSubmit={submit}>
        <div class="ask">
          <Show when={choices().length > 1} fallback={<span class="target">{choices()[0]?.name ?? ''}</span>}>
            <label class="hidden" for="where-to">Where to search</label>
            <select id="where-to" value={form.target} onChange={(e) => setForm('target', e.currentTarget.value)}>
              <For each={choices()}>{(c) => <option value={c.value}>{c.name}</option>}</For>
            </select>
          </Show>
          <label class="hidden" for="q">What to look for, by meaning</label>
          <input
            id="q" ref={box} type="search" placeholder="Search by meaning" autocomplete="off" enterkeyhint="search" maxLength={32768}
            value={form.query} onInput={(e) => setForm('query', e.currentTarget.value)} onKeyDown={escape}
          />
          <kbd aria-hidden="true" title="press / to come here">/</kbd>
          <button type="submit" class="main">{busy() ? 'Searching' : 'Search'}</button>
        </div>
        <Show when={faults().query}><p class="bad" role="alert">{faults().query}</p></Show>
        <Show when={faults().target}><p class="bad" role="alert">{faults().target}</p></Show>
        <Filters form={form} set={(name, v) => setForm(name, v as never)} faults={faults()} />
      </form>
      <Show when={trouble()?.faults.length === 0 && trouble()}>
        {(t) => <p class="trouble" role="alert">{told(t())}</p>}
      </Show>
      <Show when={stops().at(-1)} keyed fallback={<Hint />}>
        {(stop) => <Results stop={stop} />}
      </Show>
    </section>
  )
}

function Hint(): JSX.Element {
  return (
    <p class="empty">
      A question or some words find rows by what they mean. A row's id in the list of changes shows what the index holds of it.
    </p>
  )
}

const typing = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.matches('input, textarea, select, dialog *')

interface FiltersProps {
  form: Form
  set: (name: keyof Form, value: string | boolean) => void
  faults: Faults
}

function Filters(props: FiltersProps): JSX.Element {
  const used = (): number => [props.form.where, props.form.contains, props.form.minScore].filter((v) => v.trim() !== '').length
  let box!: HTMLDetailsElement
  createEffect(() => {
    const f = props.faults
    if (f.where || f.minScore || f.contains || f.topK) box.open = true
  })
  return (
    <details class="filters" ref={box}>
      <summary>Filter{used() > 0 ? ` (${used()})` : ''}</summary>
      <div>
        <Field name="where" label="Where, as JSON" {...props} wide placeholder='{"price": {"$lt": 50}}' />
        <Field name="contains" label="Contains" {...props} placeholder="letter by letter" />
        <Field name="minScore" label="Least score" {...props} placeholder="0.7" />
        <div class="field">
          <label for="filter-topK">Rows</label>
          <select id="filter-topK" value={props.form.topK} onChange={(e) => props.set('topK', e.currentTarget.value)}>
            <For each={['5', '10', '20', '50', '100']}>{(n) => <option>{n}</option>}</For>
          </select>
        </div>
        <label class="check">
          <input type="checkbox" checked={props.form.chunks} onChange={(e) => props.set('chunks', e.currentTarget.checked)} /> each chunk by itself
        </label>
      </div>
    </details>
  )
}

interface FieldProps extends FiltersProps {
  name: 'where' | 'contains' | 'minScore'
  label: string
  placeholder: string
  wide?: boolean
}

/** Ids are prefixed: a form's inputs hide its own properties of the same name, and a form has a target and contains(). */
function Field(props: FieldProps): JSX.Element {
  return (
    <div class="field" classList={{ wide: props.wide ?? false }}>
      <label for={`filter-${props.name}`}>{props.label}</label>
      <input
        id={`filter-${props.name}`} spellcheck={false} autocomplete="off" placeholder={props.placeholder} value={props.form[props.name]}
        aria-invalid={props.faults[props.name] ? 'true' : undefined} aria-describedby={`filter-${props.name}-fault`}
        onInput={(e) => props.set(props.name, e.currentTarget.value)}
      />
      <p class="bad" id={`filter-${props.name}-fault`} role="alert">{props.faults[props.name]}</p>
    </div>
  )
}
