import type { JSX } from 'solid-js'
import { Charts } from './charts/Charts'
import { stale } from './live/live'
import { Banner } from './parts/Banner'
import { Changes } from './parts/Changes'
import { Figures } from './parts/Figures'
import { Header } from './parts/Header'
import { Instances } from './parts/Instances'
import { DeadLetters } from './parts/DeadLetters'
import { Tables } from './parts/Tables'
import { TokenDialog } from './parts/TokenDialog'
import { SearchPanel } from './search/SearchPanel'
import { openRow } from './search/walk'

export function App(): JSX.Element {
  return (
    <>
      <Header />
      <Banner />
      <main classList={{ stale: stale() }}>
        <Figures />
        <div class="side">
          <SearchPanel />
        </div>
        <Charts />
        <Changes onRow={openRow} />
        <div class="state">
          <Tables />
          <Instances />
          <DeadLetters />
        </div>
      </main>
      <TokenDialog />
    </>
  )
}
